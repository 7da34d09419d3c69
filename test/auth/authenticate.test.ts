// auth_db's outcomes, decided without a server (DESIGN §4.2): which credentials are asked of the store, and what its answer
// means. What the wire has of it is in test/server/.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Authenticator,
  judge,
  type Presented,
  readCredentials,
  reserveCount,
} from '../../src/auth/authenticate.ts';
import type { Rejection } from '../../src/auth/rejection.ts';
import { formatCredentials, parseChallenge } from '../../src/digest/challenge.ts';
import { createNonce, nonceKey } from '../../src/digest/nonce.ts';
import { createNonceCounts } from '../../src/digest/nonce-counts.ts';
import type { Request } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import type { Answer } from '../../src/store/store.ts';

const realm = 'sip.test';
const source = '192.0.2.1';
const now = 1_700_000_000_000;
const key = nonceKey(Buffer.alloc(32, 7));

function authenticator(changes: Partial<Authenticator> = {}): Authenticator {
  return {
    realm,
    algorithms: ['MD5'],
    nonceLifetimeMs: 300_000,
    key,
    counts: createNonceCounts({ places: 16 }),
    isLocal: (host) => host === realm,
    ...changes,
  };
}

function request(...values: string[]): Request {
  const fields = values.map((value) => createField('Authorization', value));
  return { type: 'request', method: 'REGISTER', requestUri: `sip:${realm}`, fields, body: '' };
}

/** Well-formed credentials, right or wrong. */
function credentials(changes: Partial<Parameters<typeof formatCredentials>[0]> = {}): string {
  return formatCredentials({
    username: 'jan',
    realm,
    nonce: createNonce(key, now - 1000, source),
    uri: `sip:${realm}`,
    response: '0'.repeat(32),
    algorithm: 'MD5',
    qop: 'auth',
    nc: '00000001',
    cnonce: 'c',
    ...changes,
  });
}

function readIn(values: string[], by = authenticator(), nowMs = now): Presented | Rejection {
  return readCredentials(by, request(...values), 'www', source, nowMs, '_default');
}

/** `401`, `401 stale`, `400` … or the user who is asked for. */
function outcome(read: Presented | Rejection): string {
  if (read.type === 'presented') return `asks for ${JSON.stringify(read.user)}`;
  const asked = parseChallenge(read.fields?.[0]?.value ?? '');
  return asked?.stale ? `${read.status} stale` : `${read.status}`;
}

describe('credentials', () => {
  test.each<[string, string[], string]>([
    ['none', [], '401'],
    ['of another scheme', ['Basic amFuOnNlY3JldA=='], '401'],
    ['of another scheme that begins alike', ['DigestX username="jan"'], '401'],
    ['without a parameter', ['Digest x'], '400'],
    ['right in form', [credentials()], 'asks for "jan"'],
    ['with the scheme in capitals', [credentials().replace('Digest', 'DIGEST')], 'asks for "jan"'],
    ['for another realm', [credentials({ realm: 'other.test' })], '401'],
    ['for another realm, in a form of its own', [credentials({ realm: 'other.test', response: 'x' })], '401'],
    ['of an IMS phone that was not asked yet', [credentials({ nonce: '', response: '' })], '401'],
    ['of our realm with a response that is none', [credentials({ response: 'x' })], '400'],
    ['of no realm', [credentials().replace(`realm="${realm}", `, '')], '400'],
    [
      'for our realm behind those for another',
      [credentials({ realm: 'a' }), credentials()],
      'asks for "jan"',
    ],
    ['for our realm behind unreadable ones', ['Digest x', credentials()], 'asks for "jan"'],
    ['with a name of our domain', [credentials({ username: `jan@${realm}` })], 'asks for "jan"'],
    ['with a name of another domain', [credentials({ username: 'jan@other.test' })], 'asks for ""'],
    ['with a name of an empty domain', [credentials({ username: 'jan@' })], 'asks for ""'],
    ['with two @', [credentials({ username: `jan@${realm}@x` })], 'asks for ""'],
    ['with a name in UTF-8', [credentials({ username: 'j\xc3\xa4n' })], 'asks for "jän"'],
    ['with a digest uri of ours', [credentials({ uri: `sip:jan@${realm}:5070` })], 'asks for "jan"'],
    ['with a digest uri of another', [credentials({ uri: 'sip:other.test' })], '400'],
    ['with a digest uri that is none', [credentials({ uri: 'x' })], '400'],
    ['without qop', [credentials({ qop: undefined, nc: undefined, cnonce: undefined })], 'asks for "jan"'],
  ])('%s', (_, values, expected) => expect(outcome(readIn(values))).toBe(expected));

  test.each<[string, string, string]>([
    ['just made', createNonce(key, now, source), 'asks for "jan"'],
    ['at the end of its life', createNonce(key, now - 300_000, source), 'asks for "jan"'],
    ['after it', createNonce(key, now - 300_001, source), '401 stale'],
    ['of the future', createNonce(key, now + 1, source), '401 stale'],
    ['of another start', createNonce(nonceKey(Buffer.alloc(32, 7)), now, source), '401 stale'],
    ['given to another', createNonce(key, now, '192.0.2.2'), '401 stale'],
    ['of another key', createNonce(nonceKey(Buffer.alloc(32, 8)), now, source), '401'],
    ['made up', 'x'.repeat(48), '401'],
  ])('over a nonce %s', (_, nonce, expected) => {
    expect(outcome(readIn([credentials({ nonce })]))).toBe(expected);
  });

  test('without an algorithm are MD5’s, and asked again where MD5 is not offered', () => {
    const plain = credentials().replace(', algorithm=MD5', '');
    expect(outcome(readIn([plain]))).toBe('asks for "jan"');
    expect(outcome(readIn([plain], authenticator({ algorithms: ['SHA-256'] })))).toBe('401');
  });

  test('whatever they are, nothing throws, and the store is asked only with a good nonce of ours', () => {
    const octet = fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    });
    const value = fc.oneof(
      octet,
      octet.map((text) => `Digest ${text}`),
      fc
        .record({ at: fc.nat(400), text: octet, cut: fc.nat(20) })
        .map(({ at, text, cut }) => credentials().slice(0, at) + text + credentials().slice(at + cut)),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 3 }), (values) => {
        const safe = values.map((text) => text.replace(/[\r\n]/g, ' '));
        const read = readIn(safe);
        if (read.type === 'rejection') expect([400, 401]).toContain(read.status);
        else {
          expect(read.digest.nonce).toMatch(/^[\w-]{48}$/);
          expect(safe.join()).toContain(read.digest.nonce);
          expect(read.user).not.toMatch(/[\0\n]/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the store’s answer', () => {
  const yes: Answer = { type: 'yes', rspauth: 'f'.repeat(32), attributes: { uid: 'jan' } };
  const presented = (nc: string | undefined, nonce = createNonce(key, now, source)) =>
    readIn([
      nc === undefined
        ? credentials({ nonce, qop: undefined, nc, cnonce: undefined })
        : credentials({ nonce, nc }),
    ]) as Presented;
  const judged = (by: Authenticator, of: Presented, answer: Answer) => {
    const result = judge(by, of, answer, reserveCount(by, of), source, now);
    return result.type === 'rejection' ? outcome(result) : result;
  };

  test('yes is the user with his attributes and a proof', () => {
    expect(judged(authenticator(), presented('00000001'), yes)).toMatchObject({
      type: 'authenticated',
      user: 'jan',
      attributes: { uid: 'jan' },
      info: { name: 'Authentication-Info', value: expect.stringContaining('rspauth="ffff') },
    });
  });

  test('yes without qop has no proof', () => {
    expect(judged(authenticator(), presented(undefined), yes)).toMatchObject({
      type: 'authenticated',
      info: undefined,
    });
  });

  test('yes again for the same count is stale, with or without qop', () => {
    const by = authenticator();
    for (const nc of ['00000001', undefined]) {
      const once = presented(nc);
      expect(judged(by, once, yes)).toMatchObject({ type: 'authenticated' });
      expect(judged(by, once, yes)).toBe('401 stale');
    }
  });

  test('no is a challenge, not stale, and spends nothing', () => {
    const by = authenticator();
    const once = presented('00000001');
    for (let round = 0; round < 3; round++)
      expect(judged(by, once, { type: 'no', why: 'wrong password' })).toBe('401');
    expect(judged(by, once, yes)).toMatchObject({ type: 'authenticated' });
  });

  test('failed is 500, and never a wrong password', () => {
    expect(judged(authenticator(), presented('00000001'), { type: 'failed', why: 'home is down' })).toBe(
      '500',
    );
  });

  test.each<Answer>([
    { type: 'skipped' },
    { type: 'unchanged' },
    { type: 'admitted', uid: 0, gecos: '', home: '' },
    { type: 'text', text: undefined, version: '' },
  ])('that is none to a verify (%j) lets nobody in', (answer) => {
    expect(judged(authenticator(), presented('00000001'), answer)).toBe('401');
  });

  test('nc 0 never lets in', () => {
    expect(judged(authenticator(), presented('00000000'), yes)).toBe('401 stale');
  });
});

test('whatever wrong credentials come in between, a count lets in once at most', () => {
  const yes: Answer = { type: 'yes', rspauth: '', attributes: {} };
  const no: Answer = { type: 'no', why: 'wrong password' };
  // Few counts, so that they come again; some are too far apart for one window.
  const count = fc.constantFrom(1, 2, 3, 64, 65, 66, 200, 0xffffffff, undefined);
  const step = fc.record({ nc: count, right: fc.boolean(), answeredAfter: fc.constantFrom(0, 0, 1, 3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const by = authenticator();
      const nonce = createNonce(key, now, source);
      const admitted: (number | undefined)[] = [];
      const underWay: { due: number; finish: () => void }[] = [];
      // Answers of the store come later than other requests, in any order.
      steps.forEach(({ nc, right, answeredAfter }, at) => {
        const text =
          nc === undefined
            ? credentials({ nonce, qop: undefined, nc: undefined, cnonce: undefined })
            : credentials({ nonce, nc: nc.toString(16).padStart(8, '0') });
        const read = readIn([text], by) as Presented;
        const isFresh = reserveCount(by, read);
        const finish = () => {
          const judged = judge(by, read, right ? yes : no, isFresh, source, now);
          if (judged.type === 'authenticated') admitted.push(nc);
        };
        underWay.push({ due: at + answeredAfter, finish });
        for (const each of underWay.filter(({ due }) => due === at)) each.finish();
      });
      for (const each of underWay.filter(({ due }) => due >= steps.length)) each.finish();
      expect(new Set(admitted).size).toBe(admitted.length);
    }),
    {
      numRuns: 3000,
      // A far count shifts the mark out, a whole nonce spent and given back must not forget it.
      examples: [
        [
          [
            { nc: 1, right: true, answeredAfter: 0 },
            { nc: 200, right: false, answeredAfter: 0 },
            { nc: undefined, right: false, answeredAfter: 0 },
            { nc: 1, right: true, answeredAfter: 0 },
          ],
        ],
      ],
    },
  );
});

test('proxy has 407 and its own names', () => {
  const read = readCredentials(authenticator(), request(credentials()), 'proxy', source, now, '_default');
  expect(read).toMatchObject({ status: 407, fields: [{ name: 'Proxy-Authenticate' }] });
});
