// What every message must have (RFC 3261 §8.1.1), and what of it is refused (RFC 4475 §3).

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Head, readHead } from '../../src/message/head.ts';
import type { Malformed, Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { register, wire } from './register.ts';

function headOf(octets: string): Head | Malformed {
  return readHead(parseMessage(octets) as Message);
}

/** A REGISTER whose header field `name` is replaced by these lines. */
function replaced(name: string, ...lines: string[]): string {
  return register().replace(new RegExp(`${name}: .*\r\n`), lines.map((line) => `${line}\r\n`).join(''));
}

test('reads the head of a REGISTER', () => {
  expect(headOf(register())).toEqual({
    type: 'head',
    via: {
      protocol: 'SIP/2.0',
      transport: 'UDP',
      host: '192.0.2.7',
      port: 5060,
      branch: 'z9hG4bKnashds7',
      rport: true,
      params: [{ name: 'branch', value: 'z9hG4bKnashds7' }, { name: 'rport' }],
    },
    from: {
      displayName: 'Jan',
      uri: 'sip:jan@example.org',
      parameters: [{ name: 'tag', value: '456248' }],
      tag: '456248',
    },
    to: { uri: 'sip:jan@example.org', parameters: [], tag: undefined },
    callId: '843817637684230@998sdasdh09',
    cseq: { number: 1826, method: 'REGISTER' },
    maxForwards: 70,
    contentLength: 0,
  });
});

describe('a field that must be there', () => {
  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('%s is', (name) => {
    const answerable = name !== 'Via';
    const head = headOf(replaced(name));
    expect(head).toMatchObject({ type: 'malformed', field: name });
    expect((head as Malformed).partial !== undefined).toBe(answerable);
  });

  test('Max-Forwards and Content-Length may be missing', () => {
    expect(headOf(replaced('Max-Forwards'))).toMatchObject({ type: 'head', maxForwards: undefined });
    expect(headOf(replaced('Content-Length'))).toMatchObject({ type: 'head', contentLength: undefined });
  });

  test.each(['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'])('%s is there once', (name) => {
    const line = register().match(new RegExp(`${name}: .*`))?.[0] ?? '';
    expect(headOf(register(line))).toMatchObject({ type: 'malformed', field: name });
  });

  test('a compact form is no second name', () => {
    expect(headOf(register('t: <sip:a@b>'))).toMatchObject({ type: 'malformed', field: 'To' });
  });
});

describe('values', () => {
  test.each([
    ['CSeq', '2147483647 REGISTER', true],
    ['CSeq', '2147483648 REGISTER', false],
    ['CSeq', '0 REGISTER', true],
    ['CSeq', '1 INVITE', false],
    ['CSeq', '1 register', false],
    ['CSeq', '1', false],
    ['CSeq', '-1 REGISTER', false],
    ['CSeq', '1REGISTER', false],
    ['CSeq', '', false],
    ['Max-Forwards', '255', true],
    ['Max-Forwards', '256', false],
    ['Max-Forwards', '-1', false],
    ['Max-Forwards', '7 0', false],
    ['Call-ID', 'a b', false],
    ['Call-ID', '', false],
    ['Call-ID', 'a\0b', false],
    ['Call-ID', '!"\\<x>@[::1]', true],
    ['From', '"Jan <sip:jan@example.org>;tag=1', false],
    ['From', '<sip:jan@example.org;tag=1', false],
    ['From', '<sip:jan@example.org>;tag=', false],
    ['From', '<sip:jan@example.org>;tag', false],
    ['From', '<sip:jan@example.org>;tag=1;TAG=2', false],
    ['From', '<sip:jan@example.org>;tag="1"', false],
    ['From', 'jan@example.org', false],
    ['From', '<jan>', false],
    ['From', '<sip:jan @example.org>', false],
    ['From', '<sip:jan@example.org>, <sip:b@c>', false],
    ['From', 'Doe, Jan <sip:jan@example.org>', false],
    ['From', 'J\xc3\xb6rg (home) <sip:jan@example.org>', true],
    ['From', 'sip:jan@example.org', true],
    ['From', 'Anonymous <sip:a@b>;x="<,;>";tag=q', true],
    ['To', '<sip:jan@example.org> x', false],
    ['Via', 'SIP/2.0/UDP', false],
    ['Via', 'SIP/2.0/UDP 192.0.2.7;;', false],
    ['Via', 'SIP/2.0/UDP 192.0.2.7, broken', true],
  ])('%s: %s is taken: %s', (name, value, taken) => {
    const head = headOf(replaced(name, `${name}: ${value}`));
    if (taken) expect(head).toMatchObject({ type: 'head' });
    else expect(head).toMatchObject({ type: 'malformed', field: name, partial: { method: 'REGISTER' } });
  });

  test('a response is not asked for Max-Forwards, and is never answered', () => {
    const lines = [
      'SIP/2.0 200 OK',
      'v: SIP/2.0/TCP [::1]:5060',
      'f: <sip:a@b>;tag=1',
      't: sip:c@d;tag=2',
      'i: x',
    ];
    expect(headOf(wire([...lines, 'CSeq: 7 INVITE', 'Max-Forwards: 999']))).toMatchObject({
      type: 'head',
      via: { transport: 'TCP', host: '[::1]' },
      to: { tag: '2' },
      cseq: { number: 7, method: 'INVITE' },
      maxForwards: undefined,
    });
    expect(headOf(wire([...lines, 'CSeq: 7 IN VITE']))).toMatchObject({ field: 'CSeq', partial: undefined });
    expect(headOf(wire(lines))).toMatchObject({ field: 'CSeq', partial: undefined });
  });
});

test('the short way through From says what the long way says', () => {
  const name = fc.constantFrom(
    '',
    '"Jan" ',
    '"Jan"',
    '""',
    '"a<b>"',
    '"\xc3\xa9;" ',
    '"a\\"b" ',
    'Jan ',
    '"Jan"  ',
  );
  const uri = fc.constantFrom(
    'sip:a@b',
    'sips:a@[::1]:5;x=y',
    'tel:+1',
    'x',
    'sip:a b',
    'sip:',
    'SIP:a@b',
    'sip:a"b',
  );
  const tail = fc.constantFrom(
    '',
    ';tag=1',
    ';tag=a=b',
    ';TAG=1',
    ';tag=',
    ';tag=1;x',
    ';tag="1"',
    ';x;tag=2',
    ';;',
  );
  fc.assert(
    fc.property(name, uri, tail, (left, middle, right) => {
      const value = `${left}<${middle}>${right}`;
      const read = (text: string) => headOf(replaced('From', `From: ${text}`));
      // With folds in it no value is of the usual form.
      const [short, long] = [read(value), read(`${left}\r\n <${middle}>\r\n ${right}`)];
      expect({ ...short, partial: undefined }).toEqual({ ...long, partial: undefined });
    }),
    { numRuns: 1000 },
  );
});
