// RFC 3261 §16.3 and RFC 5393: each check with what it lets pass and what it answers.

import { describe, expect, test } from 'vitest';
import { type Head, readHead } from '../../src/message/head.ts';
import type { Request } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { parseUri } from '../../src/message/uri.ts';
import {
  breadthOf,
  detectLoop,
  loopHashOf,
  validateMaxForwards,
  validateProxyRequire,
  validateScheme,
} from '../../src/proxy/validation.ts';

function request(requestUri: string, ...fields: string[]): Request {
  const head = ['From: <sip:a@b>;tag=f', 'To: <sip:c@d>', 'Call-ID: i', 'CSeq: 7 MESSAGE'];
  const via = 'Via: SIP/2.0/UDP h;branch=z9hG4bK1';
  const parsed = parseMessage(
    `MESSAGE ${requestUri} SIP/2.0\r\n${[via, ...fields, ...head].join('\r\n')}\r\n\r\n`,
  );
  if (parsed.type !== 'request') throw new Error(JSON.stringify(parsed));
  return parsed;
}

const headOf = (of: Request) => readHead(of) as Head;

test.each<[string, number | undefined]>([
  ['sip:a@b', undefined],
  ['SIP:a@b', undefined],
  ['sips:a@b', 416],
  ['tel:+49', 416],
  ['http://x', 416],
  ['a', 400],
  ['sip:', 400],
  ['sip:a@', 400],
])('§16.3 step 2: %s is %s', (uri, status) => {
  expect(validateScheme(request(uri), parseUri(uri))?.status).toBe(status);
});

test.each([
  ['0', 483],
  ['1', undefined],
  ['70', undefined],
])('§16.3 step 3: Max-Forwards %s is %s', (value, status) => {
  expect(validateMaxForwards(headOf(request('sip:a@b', `Max-Forwards: ${value}`)))?.status).toBe(status);
});

test('§16.3 step 5: Proxy-Require names what is not supported', () => {
  expect(validateProxyRequire(request('sip:a@b'))).toBeUndefined();
  expect(validateProxyRequire(request('sip:a@b', 'Require: x'))).toBeUndefined();
  const rejection = validateProxyRequire(request('sip:a@b', 'Proxy-Require: x, y', 'Proxy-Require: z'));
  expect(rejection).toMatchObject({ status: 420, fields: [{ name: 'Unsupported', value: 'x, y, z' }] });
});

test.each<[string | undefined, number | { status: number }]>([
  [undefined, 60],
  ['1', 1],
  ['60', 60],
  ['61', 60],
  ['999999999', 60],
  ['0', { status: 440 }],
  ['00', { status: 440 }],
  ['-1', { status: 400 }],
  ['1.5', { status: 400 }],
  ['', { status: 400 }],
  ['9999999999', { status: 400 }],
])('RFC 5393 §5.3: Max-Breadth %s', (value, expected) => {
  const breadth = breadthOf(request('sip:a@b', ...(value === undefined ? [] : [`Max-Breadth: ${value}`])));
  if (typeof expected === 'number') expect(breadth).toBe(expected);
  else expect(breadth).toMatchObject(expected);
});

describe('a loop (§16.3 step 4, RFC 5393 §4.2)', () => {
  const hashOf = (of: Request, secret = 's') => loopHashOf(secret, of, headOf(of));
  const first = request('sip:a@b', 'Route: <sip:x;lr>');
  const via = (hash: string) => `Via: SIP/2.0/UDP us;branch=z9hG4bKr${hash}`;

  test('is the same request that comes back, through however many others', () => {
    const hash = hashOf(first);
    const back = request('sip:a@b', 'Via: SIP/2.0/UDP o', via(hash), 'Route: <sip:x;lr>');
    expect(hashOf(back)).toBe(hash);
    expect(detectLoop(first, hash)).toBeUndefined();
    expect(detectLoop(back, hash)?.status).toBe(482);
  });

  test.each([
    ['another Request-URI', request('sip:other@b', 'Route: <sip:x;lr>')],
    ['another Route', request('sip:a@b', 'Route: <sip:y;lr>')],
    ['no Route', request('sip:a@b')],
  ])('is none with %s: it spirals', (_, other) => {
    expect(hashOf(other)).not.toBe(hashOf(first));
  });

  test('is nobody else’s to make up', () => {
    expect(hashOf(first, 'other')).not.toBe(hashOf(first));
  });
});
