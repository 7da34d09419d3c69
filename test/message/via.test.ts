// Via values: the grammar of §20.42 and §25.1, rport (RFC 3581), and what a server writes into them (§18.2.1).

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { formatVia, parseVia, type Via, viaCount } from '../../src/message/via.ts';
import { wire } from './register.ts';

describe('parseVia', () => {
  test.each([
    ['SIP/2.0/UDP a.example:5060;branch=z9hG4bK1', { transport: 'UDP', host: 'a.example', port: 5060 }],
    ['SIP/2.0/udp 192.0.2.1;rport=5062;branch=x', { transport: 'UDP', rport: 5062, branch: 'x' }],
    ['SIP/2.0/TCP 192.0.2.1:65535;branch=x;rport', { port: 65535, rport: true }],
    [
      'SIP/2.0/UDP [2001:db8::9]:5060;received=2001:db8::9',
      { host: '[2001:db8::9]', received: '2001:db8::9' },
    ],
    [
      'SIP / 2.0 / TLS\t a : 5061 ; Branch = b',
      { protocol: 'SIP/2.0', transport: 'TLS', port: 5061, branch: 'b' },
    ],
    ['SIP/7.0/X-Y a;maddr=224.0.1.75;ttl=16', { protocol: 'SIP/7.0', maddr: '224.0.1.75', ttl: 16 }],
    [
      'SIP/2.0/UDP\r\n a;x="a,b"\r\n ;y, SIP/2.0/UDP b',
      { host: 'a', params: [{ value: '"a,b"' }, { name: 'y' }] },
    ],
    ['SIP/2.0/UDP a', { branch: undefined, rport: undefined, params: [] }],
  ])('reads %s', (value, expected) => {
    expect(parseVia(value)).toMatchObject(expected);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0 a',
    'SIP/2.0/UDPa',
    'SIP//UDP a',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP a:',
    'SIP/2.0/UDP a:65536;branch=x',
    'SIP/2.0/UDP a:99999;branch=x;rport',
    'SIP/2.0/UDP 2001:db8::9',
    'SIP/2.0/UDP [2001:db8::9',
    'SIP/2.0/UDP a;branch',
    'SIP/2.0/UDP a;branch=',
    'SIP/2.0/UDP a;branch=x;branch=y',
    'SIP/2.0/UDP a;rport=x',
    'SIP/2.0/UDP a;rport=65536',
    'SIP/2.0/UDP a;rport;rport',
    'SIP/2.0/UDP a;ttl=256',
    'SIP/2.0/UDP a;ttl',
    'SIP/2.0/UDP a;received',
    'SIP/2.0/UDP a;x="',
    ', SIP/2.0/UDP a',
  ])('refuses %j', (value) => {
    expect(parseVia(value)).toBeUndefined();
  });

  test('the short way says what the long way says', () => {
    const host = fc.constantFrom('a', '192.0.2.1', 'a-b_c.example', '-a', '.a', '[::1]', '');
    const port = fc.constantFrom('', ':5060', ':0', ':65535', ':65536', ':');
    const tail = fc.constantFrom(
      ';branch=x',
      ';branch=x;rport',
      ';branch=x;rport=1',
      ';Branch=x',
      ';branch=',
      '',
      ';branch=a=b',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('UDP', 'TCP', 'udp', 'TLS'),
        host,
        port,
        tail,
        (transport, name, number, rest) => {
          const value = `SIP/2.0/${transport} ${name}${number}${rest}`;
          expect(parseVia(value)).toEqual(parseVia(`${value}, x`));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('formatVia', () => {
  test('gives back what parseVia read', () => {
    for (const value of [
      'SIP/2.0/UDP a:5060;branch=x;rport',
      'SIP/2.0/TCP [::1];Branch=x;lr;y="a b";received=::1;ttl=1',
    ]) {
      expect(formatVia(parseVia(value) as Via)).toBe(value);
    }
  });

  test('puts in what a server learned, in place or at the end (§18.2.1, RFC 3581 §4)', () => {
    const via = parseVia('SIP/2.0/UDP 10.0.0.1:5060;rport;x=1;branch=b') as Via;
    expect(formatVia({ ...via, received: '192.0.2.1', rport: 5062 })).toBe(
      'SIP/2.0/UDP 10.0.0.1:5060;rport=5062;x=1;branch=b;received=192.0.2.1',
    );
    expect(formatVia({ ...via, rport: undefined, branch: 'c' })).toBe(
      'SIP/2.0/UDP 10.0.0.1:5060;x=1;branch=c',
    );
  });

  test('writes one made here', () => {
    const via = {
      protocol: 'SIP/2.0',
      transport: 'UDP',
      host: 'a',
      branch: 'z9hG4bKx',
      rport: true,
      params: [],
    } as const;
    expect(formatVia(via)).toBe('SIP/2.0/UDP a;rport;branch=z9hG4bKx');
  });
});

test('viaCount counts values, not fields', () => {
  const message = parseMessage(
    wire(['OPTIONS sip:a SIP/2.0', 'Via: a;x="1,2", b', 'X: a, b', 'v: c', 'Via: d,\r\n e']),
  ) as Message;
  expect(viaCount(message)).toBe(5);
});
