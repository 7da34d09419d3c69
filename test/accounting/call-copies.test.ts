import { describe, expect, test } from 'vitest';
import { differingKeys, expectedCopies } from '../../src/accounting/call-copies.ts';
import { call } from './call.ts';

/** eva calls jan and tom, and jan answers. */
const log = call('2026-11-01T10:00:00Z', {
  direction: 'internal',
  from: 'sip:eva@x',
  caller: 'eva',
  callee: 'jan',
  others: ['tom'],
  code: 200,
  endedBy: 'callee',
  peerIp: '192.0.2.7',
});
const copy = { ...log, others: undefined };
const evas = { ...copy, direction: 'out' } as const;
const jans = { ...copy, direction: 'in' } as const;
const toms = {
  ...jans,
  callee: 'tom',
  status: 'cancelled',
  answer: undefined,
  durationMs: 0,
  endedBy: undefined,
} as const;

test('the caller and all who were called have a copy', () => {
  expect(expectedCopies(log)).toEqual([
    { user: 'eva', direction: 'out' },
    { user: 'jan', direction: 'in' },
    { user: 'tom', direction: 'in' },
  ]);
  expect(expectedCopies({ ...log, caller: undefined, callee: undefined, others: undefined })).toEqual([]);
  expect(expectedCopies({ ...log, callee: 'eva', others: undefined })).toHaveLength(2);
});

test('the copies of a call differ from the log in nothing, also that of him who did not answer', () => {
  expect(differingKeys(log, evas, 'eva')).toEqual([]);
  expect(differingKeys(log, jans, 'jan')).toEqual([]);
  expect(differingKeys(log, toms, 'tom')).toEqual([]);
  const hidden = { ...jans, from: 'sip:anonymous@anonymous.invalid', caller: undefined, peerIp: undefined };
  expect(differingKeys(log, hidden, 'jan')).toEqual([]);
});

test('of a call that was sent on and answered elsewhere, he who sent it on has a copy that was not answered', () => {
  const sentOn = { ...log, forwardedBy: 'jan', others: undefined };
  expect(differingKeys(sentOn, { ...toms, callee: 'jan', forwardedBy: 'jan' }, 'jan')).toEqual([]);
  expect(differingKeys(sentOn, { ...jans, durationMs: 1 }, 'jan')).toEqual(['duration']);
});

describe('what is changed shows', () => {
  test.each([
    ['eva', evas, { durationMs: 1000 }, 'duration'],
    ['eva', evas, { status: 'missed', answer: undefined }, 'status'],
    ['eva', evas, { from: 'sip:anonymous@anonymous.invalid' }, 'from'],
    ['jan', jans, { start: 0 }, 'start'],
    ['jan', jans, { end: 0 }, 'end'],
    ['jan', jans, { to: 'sip:x@x' }, 'to'],
    ['jan', jans, { from: 'sip:x@x' }, 'from'],
    ['jan', jans, { callId: 'x' }, 'callid'],
    ['jan', jans, { status: 'missed', answer: undefined, durationMs: 0 }, 'status'],
    ['tom', toms, { status: 'answered', answer: 1, durationMs: 5 }, 'answer'],
    ['tom', toms, { durationMs: 5 }, 'duration'],
    ['bob', jans, {}, 'dir'],
    ['jan', evas, {}, 'dir'],
  ] as const)('%s: %#', (user, right, changes, key) => {
    expect(differingKeys(log, { ...right, ...changes }, user)).toContain(key);
  });
});
