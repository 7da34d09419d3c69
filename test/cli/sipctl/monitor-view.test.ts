// What monitor shows, of any numbers and on any screen.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barsOf, type Interval, monitorLine, monitorScreen } from '../../../src/cli/sipctl/monitor-view.ts';
import type { Statistics } from '../../../src/control/statistics.ts';

const at = (registers: number): Statistics => ({
  uptime: 7,
  requests: { REGISTER: registers, INVITE: 0, other: 0 },
  absorbed: 0,
  requestsSent: 0,
  responsesReceived: 0,
  responsesSent: { '2xx': registers },
  registrations: { confirmed: registers, added: 1, removed: 0 },
  calls: 3,
  refused: {
    malformed: 0,
    'rate-limit': 9,
    overload: 0,
    'calls-at-once': 0,
    authentication: 0,
    banned: 0,
    'too-short': 0,
  },
  now: { transactions: 5, callsBeginning: 2, contacts: 12, users: 11, keptAlive: 4 },
  memory: { rss: 100 * 2 ** 20, heap: 100 },
  delay: { mean: 1.5, max: 250 },
  perSecond: { requests: 1, responsesSent: 1, registrations: 1 },
});
const interval: Interval = { before: at(100), now: at(130), seconds: 2 };

test('the screen has totals and rates; methods and refusals that never were are left out', () => {
  const lines = monitorScreen(interval, 'title', [0, 7.5, 15], { columns: 80, rows: 24 });
  expect(lines[0]).toBe('title');
  expect(lines).toContain('requests a second  ▁▅█ 15.0');
  expect(lines).toContain('REGISTER                     130        15.0');
  expect(lines).toContain('refused: rate-limit            9         0.0');
  expect(lines.join('\n')).not.toMatch(/INVITE|overload/);
});

test('it fits any terminal', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (columns, rows) => {
      const lines = monitorScreen(interval, 'a title', Array(300).fill(3), { columns, rows });
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
    }),
  );
});

test('a line has the rates of the interval', () => {
  expect(monitorLine(interval, new Date(0))).toBe(
    'time=1970-01-01T00:00:00.000Z requests=15.0 responses=15.0 registrations=15.0 calls=0.0 refused=0.0 contacts=12 users=11 transactions=5 rss=100 delay=1.5',
  );
});

test('a server that was started again does not count backwards, and no time is no rate', () => {
  expect(monitorLine({ ...interval, before: at(500) }, new Date(0))).toContain('requests=0.0 ');
  expect(monitorLine({ ...interval, seconds: 0 }, new Date(0))).toContain('requests=0.0 ');
});

test('bars are as high as the highest that is shown', () => {
  expect(barsOf([100, 0, 1, 2], 3)).toBe('▁▅█');
  expect(barsOf([0, 0], 9)).toBe('▁▁');
  expect(barsOf([], 9)).toBe('');
});
