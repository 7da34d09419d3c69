// Streams cut into messages (RFC 3261 §18.3, RFC 5626 §4.4.1): any split gives the same events, within limits.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFramer, type FrameEvent } from '../../src/message/frame.ts';
import { register, wire } from './register.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Pushes the stream in pieces that end at these positions. */
function split(stream: string, cuts: readonly number[], maxMessage?: number): FrameEvent[] {
  const framer = createFramer({ maxMessage });
  const bytes = octets(stream);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].flatMap((end, index) =>
    framer.push(bytes.subarray(ends[index - 1] ?? 0, end)),
  );
}

const withLength = (line: string) =>
  wire(['OPTIONS sip:a SIP/2.0', 'Via: SIP/2.0/TCP b;branch=z9hG4bKx', line].filter((each) => each !== ''));
const body = (text: string) => `${withLength(`l: ${text.length}`)}${text}`;

describe('createFramer', () => {
  test('cuts messages that follow each other, CRLF between them or not (§7.5)', () => {
    const first = body('v=0\r\n\r\n\r\n');
    expect(split(`${first}${register()}\r\n${first}`, [])).toEqual([
      { type: 'message', octets: first },
      { type: 'message', octets: register() },
      { type: 'message', octets: first },
    ]);
  });

  test('CRLF CRLF is a keepalive, CRLF alone is none', () => {
    expect(split('\r\n\r\n', [])).toEqual([{ type: 'keepalive' }]);
    expect(split('\r\n', [])).toEqual([]);
    expect(split(`\r\n\r\n\r\n${register()}\r\n\r\n`, [])).toEqual([
      { type: 'keepalive' },
      { type: 'message', octets: register() },
      { type: 'keepalive' },
    ]);
  });

  test('the CRLF that answers a ping of ours is a pong, and no ping of the peer goes unanswered', () => {
    const framer = createFramer();
    const push = (text: string) => framer.push(octets(text)).map(({ type }) => type);
    framer.expectPong();
    expect(push('\r\n')).toEqual(['pong']);
    framer.expectPong();
    expect([...push('\r'), ...push('\n')]).toEqual(['pong']);
    expect(push('\r\n')).toEqual(['keepalive']);
    framer.expectPong();
    expect(push('\r\n\r\n')).toEqual(['pong', 'keepalive']);
    expect(push('\r\n\r\n')).toEqual(['keepalive']);
    framer.expectPong();
    expect(push(`${register()}\r\n${register()}`)).toEqual(['message', 'pong', 'message']);
    expect(push('\r\n')).toEqual([]);
  });

  test('finds Content-Length in any spelling, folded too', () => {
    for (const line of ['Content-Length: 3', 'CONTENT-LENGTH:3', 'l :\t3', 'L:\r\n 3 \r\n ', 'l: 0003']) {
      const message = `${withLength(line)}abc`;
      expect(split(`${message}${register()}`, []).map((event) => event.type)).toEqual(['message', 'message']);
    }
  });

  test.each([
    ['missing', '', 'Content-Length'],
    ['negative', 'l: -1', 'Content-Length'],
    ['twice', 'l: 3\r\nContent-Length: 3', 'Content-Length'],
    ['a list', 'l: 3, 3', 'Content-Length'],
    ['no number', 'l: 3x', 'Content-Length'],
    ['beyond 2³¹', 'l: 99999999999', 'Content-Length'],
    ['behind a bare LF', 'X: y\nl: 3', 'message'],
    ['behind a bare CR', 'X: y\rl: 3', 'message'],
  ])(
    'Content-Length %s ends the stream, and the request can be answered (RFC 4475 §3.1.2.3)',
    (_, line, field) => {
      const framer = createFramer();
      expect(framer.push(octets(withLength(line)))).toMatchObject([
        { type: 'malformed', field, fatal: true, partial: { method: 'OPTIONS' } },
      ]);
      expect(framer.push(octets(register()))).toEqual([]);
      expect(framer.pending()).toBe(0);
    },
  );

  test.each([
    '\x16\x03\x01\x02\x00',
    '\n',
    '\0',
    ' OPTIONS sip:a SIP/2.0',
    '\r\r\n',
    '<',
    '\r\nX'.replace('X', '\r<'),
  ])('what starts like %j is no SIP and ends the stream at once', (start) => {
    expect(split(start, [])).toMatchObject([{ type: 'malformed', field: 'start line', fatal: true }]);
  });

  test('what is malformed but has its end is left to the parser', () => {
    const odd = wire(['what is this', 'no field', 'l: 0']);
    expect(split(`${odd}${register()}`, [])).toEqual([
      { type: 'message', octets: odd },
      { type: 'message', octets: register() },
    ]);
  });

  test('takes a message of the limit, and 513 for one octet more', () => {
    const message = body('x'.repeat(100));
    expect(split(message, [50], message.length)).toEqual([{ type: 'message', octets: message }]);
    expect(split(message, [50], message.length - 1)).toMatchObject([
      { type: 'malformed', field: 'message', status: 513, partial: { method: 'OPTIONS' }, fatal: true },
    ]);
    const endless = `OPTIONS sip:a SIP/2.0\r\nVia: b\r\nX: ${'y'.repeat(500)}`;
    expect(split(endless, [7, 90], 200)).toMatchObject([
      { status: 513, partial: { fields: [{ id: 'via' }] } },
    ]);
    expect(split(endless.slice(0, 199), [7, 90], 200)).toEqual([]);
  });

  test('holds at most the limit, and nothing between messages', () => {
    const framer = createFramer();
    const message = octets(body('x'.repeat(60000)));
    framer.push(message.subarray(0, 100));
    expect(framer.pending()).toBe(100);
    framer.push(message.subarray(100));
    expect(framer.pending()).toBe(0);
    framer.push(octets('X'.repeat(65535)));
    expect(framer.pending()).toBe(65535);
    expect(framer.push(octets('X'.repeat(100000)))).toHaveLength(1);
    expect(framer.pending()).toBe(0);
  });

  test('any split of a stream gives the same events', () => {
    const piece = fc.constantFrom(
      register(),
      body(''),
      body('abc\r\n\r\nOPTIONS sip:a SIP/2.0\r\n'),
      body('x'.repeat(90)),
      wire(['SIP/2.0 200 OK', 'v: SIP/2.0/TCP a', 'Content-Length : 4'], '\r\n\r\n'),
      '\r\n',
      '\r\n\r\n',
      withLength('l: 5000'),
      withLength(''),
      withLength('X: y\nl: 0'),
      'garbage',
      '\r',
      '\0',
    );
    const cuts = fc.array(fc.nat(5000), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        cuts,
        fc.constantFrom(undefined, 120, 400),
        (pieces, at, limit) => {
          const stream = pieces.join('');
          expect(split(stream, at, limit)).toEqual(split(stream, [], limit));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
