import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCalendar, parsePeriod } from '../../src/accounting/period.ts';
import { useTimeZone } from './time-zone.ts';

useTimeZone('Europe/Berlin');

/** Noon on the Sunday on which the clocks of Berlin go back from 3:00 to 2:00. */
const now = Date.parse('2026-10-25T12:00:00+01:00');
const iso = (ms: number) => new Date(ms).toISOString();
const parsed = (text: string) => {
  const period = parsePeriod(text, now);
  return period && [iso(period.since), iso(period.until)];
};

describe('a time is a period of the local zone', () => {
  test.each([
    ['today', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['yesterday', '2026-10-23T22:00:00.000Z', '2026-10-24T22:00:00.000Z'],
    ['2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['2026-10', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
    ['2026-12', '2026-11-30T23:00:00.000Z', '2026-12-31T23:00:00.000Z'],
    ['2026', '2025-12-31T23:00:00.000Z', '2026-12-31T23:00:00.000Z'],
  ])('%s', (text, since, until) => {
    expect(parsed(text)).toEqual([since, until]);
  });

  test.each([
    ['now', '2026-10-25T11:00:00.000Z'],
    ['-1d', '2026-10-24T10:00:00.000Z'],
    ['-1w', '2026-10-18T10:00:00.000Z'],
    ['-24h', '2026-10-24T11:00:00.000Z'],
    ['-90min', '2026-10-25T09:30:00.000Z'],
    ['2026-10-25T04:00', '2026-10-25T03:00:00.000Z'],
    ['2026-10-25 01:30:15', '2026-10-24T23:30:15.000Z'],
    ['2026-10-25T01:30:15.5Z', '2026-10-25T01:30:15.500Z'],
    ['2026-10-25T01:30+05:30', '2026-10-24T20:00:00.000Z'],
    ['2026-10-25T01:30-0800', '2026-10-25T09:30:00.000Z'],
  ])('%s is a point in time', (text, at) => {
    expect(parsed(text)).toEqual([at, at]);
  });

  test.each([
    '',
    'tomorrowish',
    '7d',
    '-7m',
    '2026-13',
    '2026-02-30',
    '26-01-01',
    '2026-1-1',
    '2026-10-25T24:00',
    '1969',
  ])('%s is none', (text) => {
    expect(parsePeriod(text, now)).toBeUndefined();
  });

  test('no text throws, and every period has its end after its beginning', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^-?\d{1,4}(-\d\d){0,2}(T\d\d:\d\d)?(min|h|d|w)?$/));
    fc.assert(
      fc.property(text, (any) => {
        const period = parsePeriod(any, now);
        if (period !== undefined) expect(period.until).toBeGreaterThanOrEqual(period.since);
      }),
    );
  });
});

describe('a year, month or day', () => {
  const named = (unit: 'year' | 'month' | 'day', text?: string) => {
    const period = parseCalendar(unit, text, now);
    return period && [iso(period.since), iso(period.until)];
  };

  test('without a value it is the current one', () => {
    expect(named('day')).toEqual(parsed('2026-10-25'));
    expect(named('month')).toEqual(parsed('2026-10'));
    expect(named('year')).toEqual(parsed('2026'));
  });

  test('a value names one of that kind only', () => {
    expect(named('month', '2026-02')).toEqual(parsed('2026-02'));
    expect(named('day', 'yesterday')).toEqual(parsed('yesterday'));
    for (const [unit, text] of [
      ['month', '2026'],
      ['month', 'today'],
      ['day', '2026-02'],
      ['year', '2026-02'],
      ['month', '2026-00'],
    ] as const)
      expect(named(unit, text), text).toBeUndefined();
  });
});
