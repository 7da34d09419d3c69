// Prometheus' text format.

import { expect, test } from 'vitest';
import { formatPrometheus, type Statistics } from '../../src/control/statistics.ts';

const statistics: Statistics = {
  uptime: 7,
  requests: { REGISTER: 5, other: 0 },
  absorbed: 1,
  requestsSent: 2,
  responsesReceived: 3,
  responsesSent: { '2xx': 4 },
  registrations: { confirmed: 2, added: 1, removed: 0 },
  calls: 0,
  refused: {
    malformed: 0,
    'rate-limit': 9,
    overload: 0,
    'calls-at-once': 0,
    authentication: 0,
    banned: 0,
    'too-short': 0,
  },
  now: { transactions: 0, callsBeginning: 0, contacts: 1, users: 1, keptAlive: 0 },
  memory: { rss: 1000, heap: 100 },
  delay: { mean: 1.5, max: 250 },
  perSecond: { requests: 1, responsesSent: 1, registrations: 1 },
};

test('each family has its help and type before its samples, names with their units', () => {
  const text = formatPrometheus(statistics);
  expect(text).toContain(
    '# HELP sr_requests_total Requests received.\n# TYPE sr_requests_total counter\nsr_requests_total{method="REGISTER"} 5\nsr_requests_total{method="other"} 0\n',
  );
  expect(text).toContain('sr_refused_total{why="rate-limit"} 9\n');
  expect(text).toContain('# TYPE sr_contacts gauge\nsr_contacts 1\n');
  expect(text).toContain('sr_event_loop_delay_max_seconds 0.25\n');
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(text.endsWith('\n')).toBe(true);
});
