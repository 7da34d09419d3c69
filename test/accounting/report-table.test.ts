import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCallReport } from '../../src/accounting/call-report.ts';
import { formatDuration, formatMinutes } from '../../src/accounting/call-sums.ts';
import { cutToWidth, displayWidth, padToWidth } from '../../src/accounting/display-width.ts';
import { localTime } from '../../src/accounting/local-time.ts';
import { bar, reportTable, shownText, shownUri } from '../../src/accounting/report-table.ts';
import { call } from './call.ts';
import { useTimeZone } from './time-zone.ts';

useTimeZone('UTC');

function peers(...from: string[]) {
  const report = createCallReport('peer', 'jan');
  for (const one of from.map((uri) => call('2026-11-01T10:00:00Z', { from: uri })))
    report.add(one, localTime(one.start));
  return report;
}

test('into a pipe a table is text alone', () => {
  const lines = reportTable(peers('sip:eva@example.net', 'sip:eva@example.net', 'sip:tom@x'), undefined);
  expect(lines.map(({ text, bar: drawn }) => text + drawn)).toEqual([
    'PEER             CALLS  ANSWERED  MISSED  MINUTES  AVERAGE  LONGEST',
    'eva@example.net      2         2       0      2.0     1:00     1:00',
    'tom@x                1         1       0      1.0     1:00     1:00',
    'Total                3         3       0      3.0     1:00     1:00',
  ]);
});

test.each([80, 120, 60, 20])(
  'on a terminal of %i columns no line is wider, whatever the names',
  (columns) => {
    const long = `sip:${'x'.repeat(300)}@example.net`;
    const report = peers(
      long,
      long,
      long,
      'sip:\u7530\u4e2d\u592a\u90ce@example.net',
      'sip:\u{1f4de}@x',
      'sip:a@x',
    );
    const lines = reportTable(report, columns);
    const widths = lines.map(({ text, bar: drawn }) => displayWidth(text + drawn));
    // Figures are never cut.
    expect(Math.max(...widths)).toBeLessThanOrEqual(Math.max(columns, 67));
    const ends = lines.filter(({ type }) => type !== 'rule').map(({ text }) => displayWidth(text));
    expect(new Set(ends).size).toBe(1);
  },
);

test('bars: the most fills the room, a little shows, nothing shows nothing', () => {
  expect(bar(10, 10, 6)).toBe('▇▇▇▇▇▇');
  expect(bar(5, 10, 6)).toBe('▇▇▇');
  expect(bar(1, 1000, 6)).toBe('▁');
  expect(bar(55, 100, 4)).toBe('▇▇▁');
  expect(bar(0, 10, 6)).toBe('');
  expect(bar(0, 0, 6)).toBe('');
});

test('durations', () => {
  expect([0, 499, 500, 59_499, 59_999, 3_599_000, 3_600_000, 360_000_000].map(formatDuration)).toEqual(
    '0:00 0:00 0:01 0:59 1:00 59:59 1:00:00 100:00:00'.split(' '),
  );
});

test('minutes are rounded as in CSV: halves go up', () => {
  expect([0, 2999, 3000, 9000, 51_000, 69_000, 75_000, 7_200_000].map(formatMinutes)).toEqual(
    '0.0 0.0 0.1 0.2 0.9 1.2 1.3 120.0'.split(' '),
  );
});

test('widths of a terminal: wide, narrow, combining', () => {
  expect(['abc', 'é', 'e\u0301', '\u7530\u4e2d', '\u{1f4de}', '\uff21', '\u200b'].map(displayWidth)).toEqual([
    3, 1, 1, 4, 2, 2, 0,
  ]);
  expect(cutToWidth('\u7530\u4e2d\u592a', 4)).toBe('\u7530…');
  expect(padToWidth('\u7530', 4, 'right')).toBe('  \u7530');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
      expect(displayWidth(cutToWidth(text, width))).toBeLessThanOrEqual(width);
      expect(displayWidth(padToWidth(cutToWidth(text, width), width))).toBe(width);
    }),
  );
});

test("a phone's text stays in its line and steers nothing", () => {
  expect(shownUri('sip:a\n\x1b[2J\u202e\u009b@x')).toBe('a\\x0a\\x1b[2J\\x202e\\x9b@x');
  expect(shownText('sip:a')).toBe('sip:a');
});
