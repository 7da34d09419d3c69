// How many may trace at once.

import { expect, test } from 'vitest';
import type { Call } from '../../src/control/dispatch.ts';
import { createTracer } from '../../src/server/trace.ts';
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
