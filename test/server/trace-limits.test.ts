// How many may trace at once, and what a trace keeps.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Call } from '../../src/control/dispatch.ts';
import { createTracer } from '../../src/server/trace.ts';
import type { Flow } from '../../src/transport/flow.ts';
import { createTraffic } from '../../src/transport/traffic.ts';

const filter = { user: undefined, isOwn: false, address: undefined, isWhole: false };
const callOf = (uid: number): Call => ({
  caller: { uid, name: `u${uid}`, isAdministrator: uid === 0 },
  send: () => true,
  onClosed: () => {},
});

test('however many users trace, there is room for an administrator', () => {
  const tracer = createTracer(createTraffic(), () => undefined);
  const begin = (uid: number) => tracer.begin({ ...filter, isOwn: uid !== 0, user: `u${uid}` }, callOf(uid));
  const users = Array.from({ length: 40 }, (_, index) => begin(1000 + index));
  expect(users.some((fault) => fault !== undefined)).toBe(true);
  expect([begin(0), begin(0)]).toEqual([undefined, undefined]);
});

test.each([true, false])('long Call-IDs are not kept; of his own: %s', (isOwn) => {
  const collect = collector();
  const tracer = createTracer(createTraffic(), () => undefined);
  tracer.begin({ ...filter, user: 'jan', isOwn }, callOf(1000));
  const flow = { remoteAddress: '192.0.2.1', remotePort: 5060 } as Flow;
  const before = heapAfter(collect);
  for (let count = 0; count < 1000; count++)
    tracer.reaches('jan', Buffer.alloc(50_000, `${count} `).toString('latin1'), flow);
  expect(heapAfter(collect) - before).toBeLessThan(10_000_000);
});

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function heapAfter(collect: () => void): number {
  collect();
  return process.memoryUsage().heapUsed;
}
