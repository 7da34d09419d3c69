import { expect, test } from 'vitest';
import { parseSince } from '../../src/cli/since.ts';
import { formatDuration } from '../../src/cli/sipctl/session-view.ts';

const now = new Date(2026, 10, 22, 10, 15, 30).getTime();

test.each([
  ['today', new Date(2026, 10, 22)],
  ['yesterday', new Date(2026, 10, 21)],
  ['2026-11-20', new Date(2026, 10, 20)],
  ['2026-11-20T08:05', new Date(2026, 10, 20, 8, 5)],
  ['2026-11-20 08:05:09', new Date(2026, 10, 20, 8, 5, 9)],
  ['2026-11-20T08:05:09Z', new Date(Date.UTC(2026, 10, 20, 8, 5, 9))],
  ['-30m', new Date(now - 30 * 60_000)],
  ['-12h', new Date(now - 12 * 3_600_000)],
  ['-7d', new Date(now - 7 * 86_400_000)],
] as const)('%s', (text, time) => {
  expect(parseSince(text, now)).toBe(time.getTime());
});

test.each([
  '',
  'soon',
  '7d',
  '-7',
  '2026-02-30',
  '2026-13-01',
  '2026-11-20T24:00',
  '2026-11-20T08:60',
  '2026-11-20T8:05',
])('not %j', (text) => {
  expect(parseSince(text, now)).toBeUndefined();
});

test.each([
  [0, '00:00:00'],
  [3_723_999, '01:02:03'],
  [86_400_000 + 3_723_000, '1+01:02:03'],
])('%i ms last %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
