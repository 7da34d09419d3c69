// Messages a second, one core: this parser with its head beside the parsers on npm, which are fetched for this run only.
// `node bench/parse.js [--offline]`; each parser gets the same REGISTERs, runs five times in turn, the best run counts.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const RUNS = 5;
const RUN_MS = 1000;
const PACKAGES = ['sip@0.0.6', 'sip.js@0.21.2', 'jssip@3.13.8', 'drachtio-sip@0.6.3'];
const source = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../src/message');
const directory = mkdtempSync(join(tmpdir(), 'unixsip-bench-'));

try {
  const messages = Array.from({ length: 512 }, (_, index) => Buffer.from(register(index), 'latin1'));
  const texts = messages.map((message) => message.toString('latin1'));
  const parsers = [await ours(messages), ...(process.argv.includes('--offline') ? [] : await theirs(texts))];
  for (const parser of parsers) run(parser, RUN_MS / 2);
  const best = parsers.map(() => 0);
  for (let round = 0; round < RUNS; round++) {
    for (const [index, parser] of parsers.entries()) best[index] = Math.max(best[index], run(parser, RUN_MS));
  }
  console.log(`REGISTER of ${messages[0].length} octets, ${process.version}, one core, best of ${RUNS} runs`);
  for (const [index, { name, what }] of parsers.entries()) {
    console.log(`${name.padEnd(20)} ${String(Math.round(best[index])).padStart(9)} messages/s   ${what}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** A phone's REGISTER with credentials. */
function register(index) {
  return [
    'REGISTER sip:sip.example.org SIP/2.0',
    `Via: SIP/2.0/UDP 192.0.2.${index % 250}:5060;branch=z9hG4bK-524287-1---${index}a7f3c9;rport`,
    'Max-Forwards: 70',
    `Contact: <sip:u${index}@192.0.2.${index % 250}:5060;transport=udp;rinstance=8f3a2b1c>`,
    `To: "User ${index}" <sip:u${index}@sip.example.org>`,
    `From: "User ${index}" <sip:u${index}@sip.example.org>;tag=5d2e${index}`,
    `Call-ID: ODk1NTIxYzU2Y2ZkNTk5ZDc${index}`,
    `CSeq: ${index + 2} REGISTER`,
    'Expires: 3600',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO',
    'User-Agent: Phone 3.2.1',
    `Authorization: Digest username="u${index}",realm="sip.example.org",nonce="MTY5OTk5OTk5OTphYmNkZWY${index}",uri="sip:sip.example.org",response="0cc175b9c0f1b6a831c399e269772661",cnonce="${index}",nc=00000001,qop=auth,algorithm=MD5`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Parses for `ms` of this process's CPU, all its threads, so that other load does not count; messages a second. */
function run({ parse, inputs }, ms) {
  const start = process.cpuUsage();
  let count = 0;
  let elapsedMs = 0;
  while (elapsedMs < ms) {
    for (const input of inputs) parse(input);
    count += inputs.length;
    const { user, system } = process.cpuUsage(start);
    elapsedMs = (user + system) / 1000;
  }
  return (count * 1000) / elapsedMs;
}

async function ours(inputs) {
  const outfile = join(directory, 'message.mjs');
  const contents = `export { parseMessage } from './parse.ts'; export { readHead } from './head.ts';`;
  await build({
    stdin: { contents, resolveDir: source, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
  });
  const { parseMessage, readHead } = await import(pathToFileURL(outfile).href);
  const parse = (octets) => {
    const message = parseMessage(octets.toString('latin1'));
    if (message.type !== 'request' || readHead(message).type !== 'head') throw new Error('not parsed');
  };
  return {
    name: 'unixsip',
    what: 'from bytes; Via, From, To, Call-ID, CSeq, Max-Forwards parsed',
    parse,
    inputs,
  };
}

/** The parsers of npm, each brought to the same point: the head parsed. Installed into the temporary directory. */
async function theirs(inputs) {
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags, '--prefix', directory, ...PACKAGES], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const modules = join(directory, 'node_modules');
  const require = createRequire(join(modules, 'bench.js'));
  const sip = require(join(modules, 'sip'));
  const jssip = require(join(modules, 'jssip/lib/Parser.js'));
  const { SipMessage } = require(join(modules, 'drachtio-sip'));
  const { Parser } = await import(pathToFileURL(join(modules, 'sip.js/lib/core/messages/parser.js')).href);
  const logger = { warn: fail, error: fail };
  return [
    {
      name: 'sip 0.0.6',
      what: 'from text; all known header fields parsed',
      parse: (text) => sip.parse(text)?.headers.cseq.seq ?? fail('sip'),
      inputs,
    },
    {
      name: 'drachtio-sip 0.6.3',
      what: 'from text; Via, From, To, CSeq parsed when asked for',
      parse: (text) => {
        const message = new SipMessage(text);
        for (const name of ['via', 'from', 'to']) message.getParsedHeader(name) ?? fail(name);
        return message.getParsedHeader('cseq').seq ?? fail('drachtio-sip');
      },
      inputs,
    },
    {
      name: 'sip.js 0.21.2',
      what: 'from text; Via, From, To, CSeq, Contact parsed',
      parse: (text) => Parser.parseMessage(text, logger)?.cseq ?? fail('sip.js'),
      inputs,
    },
    {
      name: 'jssip 3.13.8',
      what: 'from text; Via, From, To, CSeq, Contact parsed',
      parse: (text) => jssip.parseMessage(text, {})?.cseq ?? fail('jssip'),
      inputs,
    },
  ];
}

function fail(why) {
  throw new Error(`not parsed: ${why}`);
}
