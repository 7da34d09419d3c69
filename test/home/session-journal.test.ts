import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  foldSessions,
  formatSessionEvent,
  lastBatch,
  parseSessionJournal,
  type SessionBegin,
  type SessionEvent,
} from '../../src/home/session-journal.ts';

const begin: SessionBegin = {
  type: 'in',
  line: 'sip/AbC-_123',
  at: 1000,
  user: 'jan',
  key: 'usip:jan@192.0.2.7',
  contact: 'sip:jan@192.0.2.7',
  source: '192.0.2.7',
  device: 'Linphone/5.0 "desk"',
  until: 3_601_000,
  pid: 42,
  inWtmp: true,
  batch: 7,
};
const stop: SessionEvent = { type: 'out', line: begin.line, at: 2000, why: 'expired', batch: 8 };

const read = (events: readonly SessionEvent[]) =>
  parseSessionJournal(events.map((event) => `${formatSessionEvent(event)}\n`).join(''), 'sessions');

test('an event reads back as it was written, whatever its texts hold', () => {
  const octets = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(
    fc.property(octets, octets, octets, (user, key, device) => {
      const event = { ...begin, user, key, device };
      expect(formatSessionEvent(event)).not.toMatch(/[\0-\x1f]/);
      expect(read([event, stop])).toEqual({ events: [event, stop], faults: [] });
    }),
  );
});

test('a line that cannot be read is named and costs no other; a torn last one does not count', () => {
  const whole = formatSessionEvent(begin);
  const { events, faults } = parseSessionJournal(
    `garbage\n${whole}\n[1]\n{"in":1}\n${whole.slice(0, 40)}`,
    'sessions',
  );
  expect(events).toEqual([begin]);
  expect(faults.map(({ line }) => line)).toEqual([1, 3, 4]);
});

describe('sessions', () => {
  const { type: _type, batch: _batch, ...session } = begin;

  test('end with their line', () => {
    expect(foldSessions([begin, stop])).toEqual([{ ...session, end: { at: 2000, why: 'expired' } }]);
    expect(foldSessions([begin, { ...stop, line: 'sip/other' }])).toEqual([session]);
  });

  test('are one where the journal was begun anew', () => {
    expect(foldSessions([begin, { ...begin, until: 9_000_000, batch: 0 }, stop])).toEqual([
      { ...session, end: { at: 2000, why: 'expired' } },
    ]);
  });

  test('end at the latest when their line begins again', () => {
    const again = foldSessions([begin, { ...begin, at: 5000 }]);
    expect(again.map(({ end }) => end)).toEqual([{ at: 5000, why: undefined }, undefined]);
  });

  test('never end before they began', () => {
    expect(foldSessions([begin, { ...stop, at: 1 }])[0]?.end?.at).toBe(1000);
  });
});

test('the events written last, and none of a journal just begun anew', () => {
  expect(lastBatch([begin, stop])).toEqual([stop]);
  expect(lastBatch([{ ...begin, batch: 0 }])).toEqual([]);
  expect(lastBatch([])).toEqual([]);
});
