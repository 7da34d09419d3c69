// A server that was taken over: in the place of dist/server.js it speaks to its keeper, and to the worker, as an attacker would.
// It says what came of it in one line of JSON on stderr. COUNT is how many messages; all come from the seed.

import { Socket } from 'node:net';
import { openChannel } from './store/channel.ts';
import { receiveDescriptor } from './unix/pass-descriptor.ts';

const COUNT = 100_000;
const AT_ONCE = 500;
let seed = 20_261_129;
const below = (bound) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return (seed >>> 8) % bound;
};
const pick = (list) => list[below(list.length)];

const users = [
  ...[
    'jan',
    'tom',
    'eva',
    'root',
    'sr',
    'nobody',
    'daemon',
    '',
    '.',
    '..',
    '../jan',
    '../../etc/passwd',
    '/etc/passwd',
  ],
  ...[
    'jan/../tom',
    'jan:x',
    'jan\n',
    'jan\0',
    'jan ',
    ' jan',
    '-jan',
    '%2e%2e',
    'j'.repeat(700),
    '\u0161\u0159',
    '*',
    'JAN',
  ],
];
const texts = [
  ...[
    '',
    'x',
    '\0',
    '\n',
    'a\nb\n',
    '\u010a',
    '\u0161',
    '<sip:x@192.0.2.9>\n',
    '../../../etc/shadow',
    '/etc/sr/key',
    '$(id)',
  ],
  ...['x'.repeat(5000), 'x'.repeat(9000), '\u2028', '\ud800', '%00', '-', '*'],
];
const values = [
  ...texts,
  null,
  undefined,
  true,
  false,
  0,
  -1,
  1e9,
  1e308,
  Number.NaN,
  [],
  {},
  [[]],
  { type: 'verify' },
  ['a'],
];
const digest = () => ({
  algorithm: pick(['MD5', 'SHA-256', 'SHA-512-256', 'md5', '', '__proto__', 'constructor', 1]),
  username: pick(['jan', 'tom', 'root', ...texts]),
  realm: pick(['sip.test', ...texts]),
  nonce: pick(['n', ...texts]),
  uri: pick(['sip:sip.test', ...texts]),
  response: pick(['0'.repeat(32), ...texts]),
  qop: pick([undefined, 'auth', 'auth-int', 1]),
  nc: pick([undefined, '00000001', ...texts]),
  cnonce: pick([undefined, 'c', ...texts]),
  method: pick(['REGISTER', ...texts]),
  did: pick(['', ...texts]),
});
const operations = [
  () => ({ type: 'verify', credentials: pick([digest(), digest(), pick(values)]) }),
  () => ({ type: 'account', peerAddress: pick(['192.0.2.1', ...values]) }),
  () => ({ type: 'groups' }),
  () => ({ type: pick(['loadConfig', 'loadContacts']), known: pick(values) }),
  () => ({
    type: 'appendContacts',
    lines: pick([[pick(texts)], [pick(values)], pick(values)]),
    after: pick(values),
    isTorn: pick(values),
  }),
  () => ({ type: 'compactContacts', content: pick(values), after: pick(values) }),
  () => ({
    type: 'appendCall',
    lines: pick([[pick(texts)], [pick(values)], pick(values)]),
    isRepeated: pick(values),
  }),
  () => ({
    type: pick(['write', 'read', 'exec', 'loadPasswd', 'session', '__proto__', 'toString', ...texts]),
    path: '/etc/shadow',
  }),
  () => pick(values),
];
const files = [
  'truth',
  'calls',
  'sessions',
  'key',
  'shadow',
  '/etc/shadow',
  '../key',
  '__proto__',
  'constructor',
  0,
  null,
];
const questions = [
  () => ({ type: 'read', file: pick([...files.slice(3), ...values]) }),
  () => ({ type: 'tail', file: pick(files.slice(3)), bytes: pick(values) }),
  () => ({
    type: 'append',
    file: pick(files),
    text: pick(['no line end', '\u010a\n', ...values.slice(11)]),
    waitMs: pick([0, 1e9, ...values]),
  }),
  () => ({ type: 'replace', file: pick(['truth', ...files.slice(3)]), text: pick(['', 'x\n']) }),
  () => ({
    type: 'logins',
    records: pick([
      pick(values),
      [pick(values)],
      [
        {
          type: 'login',
          line: pick(['pts/0', '../x', 'sip/12345678']),
          user: pick(users),
          host: pick(texts),
          pid: pick(values),
          at: pick(values),
        },
      ],
    ]),
  }),
  () => ({ type: 'credentials', gateway: pick(['gw', '/etc/shadow', '__proto__', ...values]) }),
  () => ({ type: pick(['exec', 'write', 'stop', '__proto__', ...values]) }),
  () => pick(values),
];
const raw = [
  '',
  ' ',
  'run',
  'run ',
  'run x',
  'run 1',
  'run 1 jan',
  'ask',
  'ask 1',
  'ask -1 {}',
  'ask 1e9 {}',
  'tell',
  'tell null',
  'tell 1',
];
raw.push(
  'tell {"type":"ready"}',
  'tell {"type":"fault"}',
  'tell {"type":"exec"}',
  '__proto__ 1 {}',
  'settings {}',
  '\0',
  '\u0161'.repeat(100),
);

const answers = { sent: 0, answered: 0, wrong: [], leaks: 0 };
const waiting = new Map();
let nextId = 1;
let worker;
let isStarted = false;

/** Secrets that no answer may have: the test gives them in the environment's place, a file everybody can read. */
function judge(line) {
  const ends = line.indexOf(' ');
  const sent = waiting.get(line.slice(0, ends));
  waiting.delete(line.slice(0, ends));
  answers.answered++;
  const text = line.slice(ends + 1);
  if (/[0-9a-f]{32}/.test(text) && !text.includes('rspauth')) answers.leaks++;
  if (text.includes('"type":"yes"') || /root:|daemon:/.test(text))
    answers.wrong.push([sent, text].map((each) => String(each).slice(0, 300)));
  go();
}

const encoded = (user) => {
  try {
    return encodeURIComponent(user);
  } catch {
    return user;
  }
};

function sendOne() {
  answers.sent++;
  const kind = below(20);
  const id = String(nextId++);
  if (kind === 0) {
    channel.send(pick(raw));
    return;
  }
  if (kind < 6) {
    waiting.set(id, 'ask');
    channel.send(`ask ${id} ${JSON.stringify(pick(questions)()) ?? '{'}`);
    return;
  }
  const list = Array.from({ length: below(4) === 0 ? below(20) : 1 + below(3) }, () => pick(operations)());
  const json =
    below(30) === 0
      ? pick(['[', '{}', 'null', '[[[[', '"', '[1,2'])
      : (JSON.stringify(below(40) === 0 ? pick(values) : list) ?? '[');
  const user = encoded(pick(users));
  if (/[ \n]/.test(user)) return;
  waiting.set(id, `${user} ${json}`);
  if (worker !== undefined && kind < 13) worker.send(`${id} ${user} ${json}`);
  else channel.send(`run ${id} ${user} ${json}`);
}

function go() {
  while (answers.sent < COUNT && waiting.size < AT_ONCE) sendOne();
  if (answers.sent >= COUNT && waiting.size === 0) {
    answers.wrong = answers.wrong.slice(0, 5);
    process.stderr.write(`hostile ${JSON.stringify({ ...answers, isDirect: worker !== undefined })}\n`);
    answers.sent = Number.NEGATIVE_INFINITY;
  }
}

const channel = openChannel(new Socket({ fd: 3 }), {
  onLines(lines) {
    for (const line of lines) {
      if (!line.startsWith('tell ')) {
        judge(line);
        continue;
      }
      const order = JSON.parse(line.slice(5));
      if (order.type === 'stop') process.exit(0);
      if (order.type === 'worker') {
        worker = openChannel(new Socket({ fd: receiveDescriptor(4) }), {
          onLines: (all) => all.forEach(judge),
          onEnd() {},
        });
        if (isStarted) continue;
        isStarted = true;
        channel.send('tell {"type":"ready","status":"event=ready "}');
        process.stderr.write('time=0 level=info event=ready x\n');
        go();
      }
    }
  },
  onEnd: () => process.exit(1),
});
