import { describe, expect, test } from 'vitest';
import { createCallReport, GROUPINGS, type Grouping } from '../../src/accounting/call-report.ts';
import { createLocalClock, formatLocal, localTime } from '../../src/accounting/local-time.ts';
import type { CallRecord } from '../../src/home/acct.ts';
import { call } from './call.ts';
import { useTimeZone } from './time-zone.ts';

useTimeZone('Europe/Berlin');

/** Keys with their numbers of calls. */
function counts(by: Grouping, calls: readonly CallRecord[], owner?: string): [string, number][] {
  const report = createCallReport(by, owner);
  for (const one of calls) report.add(one, localTime(one.start));
  return report.rows().map(({ key, sums }) => [key, sums.calls]);
}

describe('the hour of the clock on the wall', () => {
  /** One call every half hour of the UTC day. */
  const halfHours = (day: string) =>
    Array.from({ length: 48 }, (_, half) => call(iso(Date.parse(`${day}T00:15:00Z`) + half * 1_800_000)));
  const iso = (ms: number) => new Date(ms).toISOString();

  test('when clocks go back the hour that comes twice has twice the calls', () => {
    const calls = [...halfHours('2026-10-24'), ...halfHours('2026-10-25')];
    expect(counts('day', calls)).toEqual([
      ['2026-10-24', 44],
      ['2026-10-25', 50],
      ['2026-10-26', 2],
    ]);
    const sunday = calls.filter(({ start }) => localTime(start).day === 25);
    expect(counts('hour', sunday).map(([, number]) => number)).toEqual([2, 2, 4, ...Array(21).fill(2)]);
  });

  test('when they go forward there is an hour without any', () => {
    const calls = [...halfHours('2026-03-28'), ...halfHours('2026-03-29')].filter(
      ({ start }) => localTime(start).day === 29,
    );
    expect(counts('hour', calls).map(([, number]) => number)).toEqual([2, 2, 0, ...Array(21).fill(2)]);
    expect(formatLocal(Date.parse('2026-03-29T01:00:00Z'))).toBe('2026-03-29 03:00:00');
  });

  test('a clock that remembers tells the same', () => {
    const clock = createLocalClock();
    const start = Date.parse('2026-10-25T00:58:30Z');
    for (let ms = start; ms < start + 400_000; ms += 7000) expect(clock(ms)).toEqual(localTime(ms));
  });
});

describe('rows', () => {
  const calls = [
    call('2026-11-01T10:00:00Z', { from: 'sip:b@x' }),
    call('2025-12-31T23:30:00Z', { from: 'sip:a@x', status: 'missed' }),
    call('2026-11-02T10:00:00Z', { direction: 'out', to: 'sip:a@x', caller: 'jan', callee: undefined }),
  ];

  test.each<[Grouping, [string, number][]]>([
    ['year', [['2026', 3]]],
    [
      'month',
      [
        ['2026-01', 1],
        ['2026-11', 2],
      ],
    ],
    [
      'day',
      [
        ['2026-01-01', 1],
        ['2026-11-01', 1],
        ['2026-11-02', 1],
      ],
    ],
    [
      'weekday',
      [
        ['Mon', 1],
        ['Tue', 0],
        ['Wed', 0],
        ['Thu', 1],
        ['Fri', 0],
        ['Sat', 0],
        ['Sun', 1],
      ],
    ],
    [
      'peer',
      [
        ['sip:a@x', 2],
        ['sip:b@x', 1],
      ],
    ],
    [
      'direction',
      [
        ['in', 2],
        ['out', 1],
      ],
    ],
    ['user', [['jan', 3]]],
  ])('by %s', (by, rows) => {
    expect(counts(by, calls)).toEqual(rows);
  });

  test('of no call there is none', () => {
    for (const by of GROUPINGS) expect(counts(by, [])).toEqual([]);
  });

  test('a call within the host counts for each account and once in the total', () => {
    const report = createCallReport('user', undefined);
    const within = call('2026-11-01T10:00:00Z', { direction: 'internal', caller: 'eva', forwardedBy: 'tom' });
    report.add(within, localTime(within.start));
    report.add({ ...within, callee: 'eva', forwardedBy: undefined }, localTime(within.start));
    report.add({ ...within, caller: undefined, callee: undefined, forwardedBy: undefined }, localTime(0));
    expect(report.rows().map(({ key, sums }) => [key, sums.calls])).toEqual([
      ['eva', 2],
      ['-', 1],
      ['jan', 1],
      ['tom', 1],
    ]);
    expect(report.total.calls).toBe(3);
  });

  test("an account's own copies are all counted for it", () => {
    expect(counts('user', calls, 'tom')).toEqual([['tom', 3]]);
  });
});

test('sums: each status, the durations, and the longest', () => {
  const report = createCallReport('direction', 'jan');
  for (const one of [
    call('2026-11-01T10:00:00Z', { durationMs: 10_001 }),
    call('2026-11-01T10:00:00Z', { durationMs: 20_002 }),
    ...(['missed', 'busy', 'busy', 'cancelled', 'failed'] as const).map((status) =>
      call('2026-11-01T10:00:00Z', { status }),
    ),
  ])
    report.add(one, localTime(one.start));
  expect(report.total).toEqual({
    calls: 7,
    answered: 2,
    missed: 1,
    busy: 2,
    cancelled: 1,
    failed: 1,
    durationMs: 30_003,
    longestMs: 20_002,
  });
});
