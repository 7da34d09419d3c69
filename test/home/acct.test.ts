import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CALL_DIRECTIONS,
  CALL_ENDERS,
  CALL_STATUSES,
  type CallRecord,
  formatCallRecord,
  MAX_RECORD_OCTETS,
  parseCallRecord,
} from '../../src/home/acct.ts';
import { toOctets } from '../../src/message/octets.ts';

const call: CallRecord = {
  id: '5f2c9a',
  start: Date.UTC(2026, 10, 22, 10, 15),
  answer: Date.UTC(2026, 10, 22, 10, 15, 4, 250),
  end: Date.UTC(2026, 10, 22, 10, 16, 4, 255),
  durationMs: 60_005,
  direction: 'in',
  from: 'sip:eva@example.net',
  to: 'sip:jan@example.org',
  callId: 'a84b4c76e66710',
  status: 'answered',
  code: 200,
  reason: 'OK',
  endedBy: 'caller',
  callee: 'jan',
  peerIp: '192.0.2.7',
  userAgent: 'Phone 1.0',
};

const line =
  '{"id":"5f2c9a","start":"2026-11-22T10:15:00.000Z","answer":"2026-11-22T10:15:04.250Z",' +
  '"end":"2026-11-22T10:16:04.255Z","duration":60.005,"dir":"in","from":"sip:eva@example.net",' +
  '"to":"sip:jan@example.org","callid":"a84b4c76e66710","status":"answered","code":200,"reason":"OK",' +
  '"ended_by":"caller","callee":"jan","peer_ip":"192.0.2.7","ua":"Phone 1.0"}';

const instant = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
/** Texts of any kind. */
const text = (maxLength: number) =>
  fc.oneof(fc.string({ unit: 'binary', maxLength }), fc.string({ unit: 'grapheme-ascii', maxLength }));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Calls whose texts are at most `room` characters, times as `ms` of them allow. */
const records = (room: (most: number) => fc.Arbitrary<string>): fc.Arbitrary<CallRecord> =>
  fc
    .record({
      id: fc.stringMatching(/^[\x20-\x7e]{1,64}$/),
      start: instant,
      answer: optional(instant),
      end: instant,
      durationMs: fc.integer({ min: 0, max: 1e11 }),
      direction: fc.constantFrom(...CALL_DIRECTIONS),
      from: room(512),
      to: room(512),
      callId: room(256),
      status: fc.constantFrom(...CALL_STATUSES),
      code: optional(fc.integer({ min: 100, max: 699 })),
      reason: optional(room(256)),
      endedBy: optional(fc.constantFrom(...CALL_ENDERS)),
      caller: optional(room(128)),
      callee: optional(room(128)),
      forwardedBy: optional(room(128)),
      others: optional(fc.array(room(120), { minLength: 1, maxLength: 5 })),
      peerIp: optional(room(64)),
      userAgent: optional(room(256)),
    })
    .map((one) => (one.status === 'answered' ? { ...one, answer: one.answer ?? one.start } : one));

test('a call is one JSON object with its keys in the order of sr_acct(5)', () => {
  expect(formatCallRecord(call)).toBe(line);
  expect(parseCallRecord(line)).toEqual(call);
});

test('what is not known has no key', () => {
  const bare: CallRecord = {
    id: 'x',
    start: 0,
    end: 1,
    durationMs: 0,
    direction: 'out',
    from: 'sip:a@b',
    to: 'sip:c@d',
    callId: 'e',
    status: 'failed',
  };
  expect(Object.keys(JSON.parse(formatCallRecord(bare)))).toEqual(
    'id start end duration dir from to callid status'.split(' '),
  );
  expect(parseCallRecord(formatCallRecord(bare))).toEqual(bare);
});

test('parse ∘ format is the identity where texts fit', () => {
  fc.assert(
    fc.property(
      // A twelfth of the room: that many characters fit however they are escaped.
      records((most) => text(Math.floor(most / 12))),
      (record) => {
        expect(parseCallRecord(formatCallRecord(record))).toEqual(record);
      },
    ),
  );
});

test('a line in another order of keys, with spaces or in UTF-8, is the same call', () => {
  fc.assert(
    fc.property(
      records((most) => text(Math.floor(most / 12))),
      (record) => {
        const value = JSON.parse(formatCallRecord(record));
        const other = JSON.stringify(Object.fromEntries(Object.entries(value).reverse()), undefined, 1);
        expect(parseCallRecord(toOctets(other.replaceAll('\n', ' ')))).toEqual(record);
      },
    ),
  );
});

test('a line is printable ASCII of at most 4 KiB whatever the texts, and stands when formatted again', () => {
  const long = () => fc.oneof(text(40), fc.constant('\u{1f4de}'.repeat(3000)), fc.constant('"'.repeat(3000)));
  fc.assert(
    fc.property(records(long), (record) => {
      const formatted = formatCallRecord(record);
      expect(formatted).toMatch(/^[\x20-\x7e]*$/);
      expect(formatted.length).toBeLessThanOrEqual(MAX_RECORD_OCTETS);
      const parsed = parseCallRecord(formatted);
      if (typeof parsed === 'string') throw new Error(parsed);
      expect(formatCallRecord(parsed)).toBe(formatted);
    }),
  );
});

test('a text that is too long is cut between characters', () => {
  const parsed = parseCallRecord(formatCallRecord({ ...call, userAgent: '\u{1f4de}'.repeat(100) }));
  expect(parsed).toMatchObject({ userAgent: '\u{1f4de}'.repeat(21) });
});

describe('what is no call is said to be none', () => {
  const changed = (changes: object) => JSON.stringify({ ...JSON.parse(line), ...changes });
  test.each([
    ['', 'expected a call as a JSON object'],
    ['not a call', 'expected a call as a JSON object'],
    [line.slice(0, 100), 'expected a call as a JSON object'],
    ['[1]', 'expected a call as a JSON object'],
    ['null', 'expected a call as a JSON object'],
    ['{}', 'id: expected 1 to 64 printable ASCII characters'],
    [changed({ id: 'é' }), 'id: expected 1 to 64 printable ASCII characters'],
    [changed({ start: '2026-02-30T00:00:00Z' }), 'start: expected a time like 2026-11-22T10:15:00.000Z'],
    [changed({ end: 5 }), 'end: expected a time like 2026-11-22T10:15:00.000Z'],
    [changed({ answer: undefined }), 'answer: expected a time like 2026-11-22T10:15:00.000Z'],
    [changed({ duration: -1 }), 'duration: expected seconds, not negative'],
    [changed({ dir: 'up' }), 'dir: expected one of in, out, internal'],
    [changed({ status: 'Answered' }), 'status: expected one of answered, missed, busy, cancelled, failed'],
    [changed({ ended_by: 'me' }), 'ended_by: expected one of caller, callee, timer, max-duration, restart'],
    [changed({ code: 1000 }), 'code: expected 100 to 699'],
    [changed({ from: undefined }), 'from: expected a text'],
    [changed({ ua: 3 }), 'ua: expected a text'],
    [changed({ others: ['jan', 1] }), 'others: expected a list of accounts'],
    [changed({ x: 'y'.repeat(4096) }), 'expected a line of at most 4096 octets'],
    [changed({ ua: 'y'.repeat(4096) }), 'expected a line of at most 4096 octets'],
  ])('%#: %s', (text, why) => {
    expect(parseCallRecord(text)).toBe(why);
  });

  test('keys that are not known are passed over, and times without milliseconds read', () => {
    expect(parseCallRecord(changed({ x: 1, start: '2026-11-22T10:15:00Z' }))).toEqual(call);
  });

  test('no text throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (any) => void parseCallRecord(any)));
  });
});

test('an id that a line cannot hold is our mistake', () => {
  expect(() => formatCallRecord({ ...call, id: '' })).toThrow('id');
  expect(() => formatCallRecord({ ...call, id: 'a\nb' })).toThrow('id');
});
