// URIs: the grammar of §25.1, the escapes, and every comparison that §19.1.4 gives as an example.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bracketHost, sameHost } from '../../src/message/host.ts';
import { bareHost, escapeUser, formatUri, parseUri, sameUri, unescapeUser } from '../../src/message/uri.ts';

function same(a: string, b: string): boolean {
  const [left, right] = [parseUri(a), parseUri(b)];
  if (left === undefined || right === undefined) throw new Error(`no URI: ${a} or ${b}`);
  const result = sameUri(left, right);
  expect(sameUri(right, left)).toBe(result);
  return result;
}

describe('parseUri', () => {
  test.each([
    [
      'sip:alice@atlanta.com',
      { type: 'sip', user: 'alice', host: 'atlanta.com', port: undefined, parameters: [] },
    ],
    ['sip:alice:secretword@atlanta.com;transport=tcp', { user: 'alice', password: 'secretword' }],
    [
      'sips:alice@atlanta.com?subject=project%20x&priority=urgent',
      { type: 'sips', headers: [{}, { value: 'urgent' }] },
    ],
    ['sip:+1-212-555-1212:1234@gateway.com;user=phone', { user: '+1-212-555-1212', password: '1234' }],
    ['sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com', { user: undefined, host: 'atlanta.com' }],
    ['sip:alice;day=tuesday@atlanta.com', { user: 'alice;day=tuesday', parameters: [] }],
    ['SIP:Jan@EXAMPLE.org:5080', { type: 'sip', user: 'Jan', host: 'example.org', port: 5080 }],
    ['sip:jan@[2001:DB8::10]:5070;lr', { host: '[2001:db8::10]', port: 5070, parameters: [{ name: 'lr' }] }],
    ['sip:[::ffff:192.0.2.1]', { host: '[::ffff:192.0.2.1]' }],
    ['sip:*72#5@pbx', { user: '*72#5' }],
    ['sip:jan@my_pbx', { host: 'my_pbx' }],
    ['sip:a:@b', { user: 'a', password: '' }],
    ['sip:b;x?h=', { parameters: [{ name: 'x', value: undefined }], headers: [{ name: 'h', value: '' }] }],
    ['tel:+358-555-1234567;postd=pp22', { type: 'tel', scheme: 'tel', rest: '+358-555-1234567;postd=pp22' }],
    ['ISBN:2983792873', { type: 'other', scheme: 'isbn', rest: '2983792873' }],
  ])('reads %s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  test.each([
    '',
    'sip',
    'sip:',
    'alice@atlanta.com',
    'sip:@atlanta.com',
    'sip:alice@',
    'sip:a@b@c',
    'sip:a b@c',
    'sip:a%4@c',
    'sip:a%zz@c',
    'sip:a"b@c',
    'sip:a@b:',
    'sip:a@b:x',
    'sip:a@b:65536',
    'sip:a@b;',
    'sip:a@b;;c',
    'sip:a@b;c=',
    'sip:a@b;c=d=e',
    'sip:a@b;lr;LR',
    'sip:a@b?',
    'sip:a@b?c',
    'sip:a@b?c=d&',
    'sip:a@.b',
    'sip:a@[::1',
    'sip:a@[1::2::3]',
    'sip:a@[fe80::1%25eth0]',
    'sip:a@::1',
    '1ab:x',
    'x y:z',
    'tel:1 2',
    `sip:a@b${';c'.repeat(2)}`,
  ])('refuses %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  test('takes 64 parameters and no more', () => {
    const parameters = (count: number) => Array.from({ length: count }, (_, index) => `;p${index}`).join('');
    expect(parseUri(`sip:a${parameters(64)}`)).toBeDefined();
    expect(parseUri(`sip:a${parameters(65)}`)).toBeUndefined();
  });

  test('formatUri gives back what parseUri read', () => {
    const part = (chars: string, min: number) =>
      fc.string({ unit: fc.constantFrom(...chars, '%41', '%3b'), minLength: min, maxLength: 6 });
    const parameter = fc.tuple(part('ab.+$[]:/', 1), fc.option(part('ab~&', 1)));
    const uri = fc
      .record({
        scheme: fc.constantFrom('sip', 'sips'),
        user: fc.option(part("aZ9-_.!~*'()&=+$,;?/#", 1)),
        password: fc.option(part('aZ9-_.!&=+$,', 0)),
        host: fc.constantFrom('a', 'example.org', '192.0.2.1', '[2001:db8::1]'),
        port: fc.option(fc.integer({ min: 0, max: 65535 })),
        parameters: fc.uniqueArray(parameter, { maxLength: 3, selector: ([name]) => name.toLowerCase() }),
        headers: fc.array(fc.tuple(part('ab[]?', 1), part('ab:', 0)), { maxLength: 2 }),
      })
      .map(({ scheme, user, password, host, port, parameters, headers }) => {
        const secret = password === null ? '' : `:${password}`;
        const list = parameters.map(([name, value]) => (value === null ? `;${name}` : `;${name}=${value}`));
        const query = headers.map((pair) => pair.join('=')).join('&');
        return `${scheme}:${user === null ? '' : `${user}${secret}@`}${host}${port === null ? '' : `:${port}`}${list.join('')}${query && `?${query}`}`;
      });
    fc.assert(
      fc.property(uri, (text) => {
        const parsed = parseUri(text);
        if (parsed === undefined) throw new Error('refused');
        expect(formatUri(parsed)).toBe(text);
        expect(sameUri(parsed, parsed)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('no input throws', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'sip:@;?=&%[]4a."<> \r\n\0'), maxLength: 20 });
    fc.assert(
      fc.property(odd, odd, (a, b) => {
        const [left, right] = [parseUri(`sip:${a}`), parseUri(b) ?? parseUri(`tel:${b}`)];
        if (left !== undefined && right !== undefined) sameUri(left, right);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('sameUri (§19.1.4)', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['sip:a@[2001:DB8::1]', 'sip:a@[2001:db8:0:0::0001]'],
    ['sip:a@[::ffff:192.0.2.1]', 'sip:a@[::ffff:c000:201]'],
    ['tel:+1-201-555-0123', 'tel:+12015550123'],
    ['tel:7042;phone-context=example.com', 'tel:7042;PHONE-CONTEXT=example.com'],
    ['tel:+1.2;b=1;a', 'tel:+12;a;b=1'],
    ['isbn:1', 'ISBN:1'],
  ])('%s is %s', (a, b) => {
    expect(same(a, b)).toBe(true);
  });

  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', 'users differ in case'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', 'a default port is not none'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', 'a default transport is not none'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp', 'port and transport'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting', 'headers are never ignored'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4', 'nothing is resolved'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off', 'a parameter of both'],
    ['sip:a@b', 'sips:a@b', 'sip is not sips'],
    ['sip:b', 'sip:a@b', 'a user and none'],
    ['sip:a:x@b', 'sip:a@b', 'a password and none'],
    ['sip:a:x@b', 'sip:a:X@b', 'passwords differ in case'],
    ['sip:a@b;user=phone', 'sip:a@b', 'user in one only'],
    ['sip:a@b;ttl=1', 'sip:a@b', 'ttl in one only'],
    ['sip:a@b;method=INVITE', 'sip:a@b', 'method in one only'],
    ['sip:a@b;maddr=192.0.2.1', 'sip:a@b', 'maddr in one only'],
    ['sip:a@b;lr', 'sip:a@b;lr=on', 'a value and none'],
    ['sip:a%3Bb@c', 'sip:a;b@c', 'reserved characters are not their escapes'],
    ['sip:a%2541@c', 'sip:aA@c', 'an escape is undone once'],
    ['sip:a%253B@c', 'sip:a%3B@c', 'an escaped percent is no escape'],
    ['sip:a@b?x=1', 'sip:a@b?x=1&x=1', 'as many headers'],
    ['sip:a@[::1]', 'sip:a@[::2]', 'addresses'],
    ['tel:+12', 'sip:+12@b', 'schemes'],
    ['tel:+12', 'tel:12', 'a global number and a local one'],
    ['isbn:1', 'isbn:2', 'rests'],
  ])('%s is not %s: %s', (a, b) => {
    expect(same(a, b)).toBe(false);
  });

  test('is not transitive', () => {
    expect(same('sip:carol@chicago.com', 'sip:carol@chicago.com;security=on')).toBe(true);
    expect(same('sip:carol@chicago.com', 'sip:carol@chicago.com;security=off')).toBe(true);
  });
});

describe('users', () => {
  test('unescapeUser decodes, and knows a bad escape', () => {
    expect(unescapeUser('jan')).toBe('jan');
    expect(unescapeUser('j%61n%40%00')).toBe('jan@\0');
    expect(unescapeUser('%c3%A9')).toBe('\xc3\xa9');
    expect(unescapeUser('a%4')).toBeUndefined();
    expect(unescapeUser('a%')).toBeUndefined();
    expect(unescapeUser('%g0')).toBeUndefined();
    expect(unescapeUser('%25%41')).toBe('%A');
  });

  test('escapeUser makes a user part of any octets', () => {
    const octets = fc
      .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 20 })
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(octets, (text) => {
        const uri = parseUri(`sip:${escapeUser(text)}@h`);
        expect(uri?.type === 'sip' && uri.host === 'h' && unescapeUser(uri.user ?? '')).toBe(text);
        expect(escapeUser(text)).toMatch(/^[!-~]*$/);
      }),
    );
  });
});

test('hosts get brackets and lose them', () => {
  expect(bareHost('[::1]')).toBe('::1');
  expect(bareHost('192.0.2.1')).toBe('192.0.2.1');
  expect(bracketHost('::1')).toBe('[::1]');
  expect(bracketHost('[::1]')).toBe('[::1]');
  expect(bracketHost('a')).toBe('a');
  expect(sameHost('A.b', 'a.B')).toBe(true);
});
