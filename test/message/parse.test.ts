// Messages from octets and back: limits, framing by Content-Length, folds, compact forms, identity, no throw.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldValue, unfold } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import { readHead } from '../../src/message/head.ts';
import type { Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { register, wire } from './register.ts';

const latin1 = (min: number, max: number, exclude: RegExp, size = 40) =>
  fc
    .array(fc.integer({ min, max }), { maxLength: size })
    .map((codes) => String.fromCharCode(...codes).replace(exclude, ''));

describe('parseMessage', () => {
  test('reads a request', () => {
    expect(parseMessage(register('X-Odd:a'))).toMatchObject({
      type: 'request',
      method: 'REGISTER',
      requestUri: 'sip:example.org',
      fields: [
        { id: 'via', name: 'Via' },
        { id: 'max-forwards', value: '70' },
        { id: 'from' },
        { id: 'to' },
        { id: 'call-id' },
        { id: 'cseq' },
        { id: 'x-odd', name: 'X-Odd', value: 'a', between: ':' },
        { id: 'content-length' },
      ],
      body: '',
    });
  });

  test('skips CRLFs before the start line (§7.5)', () => {
    expect(parseMessage(`\r\n\r\n${register()}`)).toMatchObject({ type: 'request' });
  });

  test('takes a version in any case and sends it in upper case (§7.1)', () => {
    const message = parseMessage(register().replace('SIP/2.0\r', 'sip/2.0\r'));
    expect(message.type).toBe('request');
    expect(formatMessage(message as Message)).toBe(register());
    expect(parseMessage(wire(['sip/2.0 200 OK']))).toMatchObject({ status: 200 });
  });

  test.each([
    ['SIP/3.0', 505],
    ['SIP/7.0', 505],
    ['HTTP/1.1', undefined],
    ['SIP/2.0 ', undefined],
    ['', undefined],
  ])('refuses the version %j with %s', (version, status) => {
    const result = parseMessage(register().replace('SIP/2.0\r', `${version}\r`));
    expect(result).toMatchObject({ type: 'malformed', field: 'start line' });
    expect(result).toHaveProperty('status', status);
  });

  test.each(['SIP/2.0 99 Low', 'SIP/2.0 700 High', 'SIP/2.0 2000 Long', 'SIP/2.0 20x X', 'SIP/3.0 200 OK'])(
    'refuses the status line %j without an answer',
    (line) => {
      const result = parseMessage(wire([line, 'Via: SIP/2.0/UDP a;branch=z9hG4bK1']));
      expect(result).toMatchObject({ type: 'malformed', partial: undefined });
    },
  );

  test.each([
    ['a line without a colon', 'Foobar roobar'],
    ['a name that is no token', 'Foo bar: x'],
    ['a field without a name', ': x'],
    ['CR within a line', 'Subject: a\rRoute: <sip:evil.example>'],
    ['LF within a line', 'Subject: a\nRoute: <sip:evil.example>'],
    ['LF within a fold', 'Subject: a\n b'],
  ])('refuses %s, and no field of it is in the answer', (_, line) => {
    const result = parseMessage(register(line, 'X-Last: y'));
    expect(result).toMatchObject({ type: 'malformed', field: 'message', partial: { method: 'REGISTER' } });
    const ids = result.type === 'malformed' ? result.partial?.fields.map(({ id }) => id) : [];
    expect(ids).not.toContain('route');
    expect(ids).toContain('x-last');
  });

  test('refuses a header without its end, but can answer it', () => {
    expect(parseMessage(register().slice(0, -2))).toMatchObject({ field: 'message', partial: { body: '' } });
  });

  test('a request without Via cannot be answered', () => {
    expect(parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'bad']))).toMatchObject({ partial: undefined });
  });

  test.each(['', '\r\n', '\r\n\r\n', '\0\0\0\0', 'x', 'REGISTER\r\n\r\n', ' sip:a SIP/2.0\r\n\r\n'])(
    'refuses %j',
    (octets) => {
      expect(parseMessage(octets)).toMatchObject({
        type: 'malformed',
        field: 'start line',
        partial: undefined,
      });
    },
  );

  test('a response keeps its reason; without one and its space it is taken too', () => {
    expect(parseMessage(wire(['SIP/2.0 486 Busy  Here']))).toMatchObject({
      status: 486,
      reason: 'Busy  Here',
    });
    expect(parseMessage(wire(['SIP/2.0 200']))).toMatchObject({ status: 200, reason: '' });
  });
});

describe('the body (§18.3)', () => {
  const withLength = (length: string, body: string) =>
    parseMessage(`${register().replace('Content-Length: 0', length).slice(0, -2)}\r\n${body}`);

  test('ends where Content-Length says', () => {
    expect(withLength('Content-Length: 3', 'abcdef')).toMatchObject({ body: 'abc' });
    expect(withLength('l:0003', 'abcdef')).toMatchObject({ body: 'abc' });
  });

  test('is the rest of a datagram without Content-Length', () => {
    expect(withLength('X: y', 'abc\r\n\r\nd')).toMatchObject({ body: 'abc\r\n\r\nd' });
  });

  test.each([
    'Content-Length: 7',
    'Content-Length: -1',
    'l: 3, 3',
    'l: 3\r\nContent-Length: 3',
    'l:',
    'l: 4294967299',
  ])('is malformed with %j', (line) => {
    expect(withLength(line, 'abcdef')).toMatchObject({ type: 'malformed', field: 'Content-Length' });
  });
});

describe('limits (§4.1 of the design)', () => {
  test('64 KiB', () => {
    const body = 'x'.repeat(65536 - wire(['OPTIONS sip:a SIP/2.0', 'Via: x']).length);
    expect(parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'Via: x'], body))).toMatchObject({ type: 'request' });
    expect(parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'Via: x'], `${body}x`))).toMatchObject({
      field: 'message',
      status: 513,
      partial: { method: 'OPTIONS' },
    });
  });

  test('256 header fields', () => {
    const lines = ['OPTIONS sip:a SIP/2.0', ...Array.from({ length: 256 }, () => 'Via: x')].slice(0, 257);
    const mixed = lines.map((line, index) => (index > 100 ? 'A: b' : line));
    expect(parseMessage(wire(mixed))).toMatchObject({ type: 'request' });
    expect(parseMessage(wire([...mixed, 'A: b']))).toMatchObject({ type: 'malformed', field: 'message' });
  });

  test('128 Via values, in fields and in lists', () => {
    const list = (count: number) => Array.from({ length: count }, () => 'SIP/2.0/UDP a').join(', ');
    expect(parseMessage(wire(['OPTIONS sip:a SIP/2.0', `Via: ${list(127)}`, 'v: x']))).toMatchObject({
      type: 'request',
    });
    expect(parseMessage(wire(['OPTIONS sip:a SIP/2.0', `Via: ${list(128)}`, 'v: x']))).toMatchObject({
      field: 'Via',
    });
  });
});

describe('names and folds (§7.3)', () => {
  test.each([
    ['v', 'via'],
    ['V', 'via'],
    ['vIA', 'via'],
    ['f', 'from'],
    ['t', 'to'],
    ['i', 'call-id'],
    ['m', 'contact'],
    ['l', 'content-length'],
    ['c', 'content-type'],
    ['e', 'content-encoding'],
    ['k', 'supported'],
    ['s', 'subject'],
    ['o', 'event'],
    ['r', 'refer-to'],
    ['u', 'allow-events'],
    ['x', 'session-expires'],
    ['CALL-ID', 'call-id'],
    ['call-id', 'call-id'],
    ['x-UNKNOWN', 'x-unknown'],
    ['constructor', 'constructor'],
  ])('%s is %s', (name, id) => {
    const message = parseMessage(wire(['OPTIONS sip:a SIP/2.0', `${name}: 0`]));
    expect(message).toMatchObject({ fields: [{ id, name, value: '0' }] });
  });

  test('a fold is one space, however it is written (§7.3.1)', () => {
    const lines = [
      'OPTIONS sip:a SIP/2.0',
      'Subject: I know you are there,',
      '   pick up the phone\t',
      '\t and',
      ' talk!',
    ];
    const message = parseMessage(wire(lines)) as Message;
    expect(unfold(fieldValue(message, 'subject') ?? '')).toBe(
      'I know you are there, pick up the phone and talk!',
    );
    expect(formatMessage(message)).toBe(wire(lines).replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'));
  });

  test('unfold leaves what is no fold, and takes folds that follow each other for one', () => {
    expect(unfold('a\r\n \r\n\t b')).toBe('a b');
    expect(unfold('\r\n a')).toBe('a');
    expect(unfold('a\r\nb')).toBe('a\r\nb');
    expect(unfold('a\nb')).toBe('a\nb');
  });

  test('octets of UTF-8 that look like white space stay at the ends of a value', () => {
    const message = parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'Subject: \x85voil\xc3\xa0']));
    expect(message).toMatchObject({ fields: [{ value: '\x85voil\xc3\xa0' }] });
  });
});

describe('properties', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);
  const blanks = fc.stringMatching(/^(?:[ \t]{0,3}|\r\n[ \t]{1,2}){1,2}$/);
  const value = latin1(0, 255, /[\r\n]/g).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
  const field = fc
    .tuple(token, fc.stringMatching(/^[ \t]{0,2}$/), blanks, value, blanks)
    .filter(([name]) => !/^(?:l|content-length|v|via)$/i.test(name))
    .map((parts) => `${parts[0]}${parts[1]}:${parts[2]}${parts[3]}${parts[4]}\r\n`);

  test('formatMessage(parseMessage(octets)) is octets, where they are well-formed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          token.map((method) => `${method} sip:a@b SIP/2.0`),
          fc.constant('SIP/2.0 200 OK'),
        ),
        fc.array(field, { maxLength: 12 }),
        latin1(0, 255, /(?!)/g, 80),
        (line, fields, body) => {
          const octets = `${line}\r\n${fields.join('')}l: ${body.length}\r\n\r\n${body}`;
          const message = parseMessage(octets);
          expect(message.type).not.toBe('malformed');
          expect(formatMessage(message as Message)).toBe(octets);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('no input throws, and what is read survives formatting and reading again', () => {
    const seed = register('Contact: <sip:jan@192.0.2.7>', 'Subject: a', ' b');
    const mutated = fc
      .array(fc.tuple(fc.nat(seed.length), fc.nat(4), latin1(0, 255, /(?!)/g, 4)), { maxLength: 6 })
      .map((edits) =>
        edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), seed),
      );
    fc.assert(
      fc.property(fc.oneof(mutated, latin1(0, 255, /(?!)/g, 200)), (octets) => {
        const message = parseMessage(octets);
        if (message.type === 'malformed') return;
        const again = parseMessage(formatMessage(message)) as Message;
        expect(again).toMatchObject({ type: message.type, body: message.body });
        expect(again.fields.filter(({ id }) => id !== 'content-length')).toEqual(
          message.fields.filter(({ id }) => id !== 'content-length'),
        );
        const head = readHead(message);
        if (head.type === 'head')
          expect(readHead(again)).toEqual({ ...head, contentLength: message.body.length });
      }),
      { numRuns: 2000 },
    );
  });
});
