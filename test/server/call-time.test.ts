// What time does to a call: Match time by the user's clock, and timer C (RFC 3261 §16.8), both with the clock in the
// test's hand.

import { afterEach, expect, test, vi } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import { Phone, registeredPhone } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const aor = `sip:jan@${realm}`;
let server: TestServer;

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await server.stop();
});

test.each([
  ['before the hours begin', '2026-11-23T07:59:00Z', 'rings'],
  ['when they begin', '2026-11-23T08:00:00Z', 486],
  ['when they end', '2026-11-23T16:00:00Z', 'rings'],
  ['on a Sunday', '2026-11-22T10:00:00Z', 'rings'],
] as const)('Match time goes by the zone of the user: %s', async (_, at, outcome) => {
  server = await TestServer.start();
  server.write('config', 'TimeZone Europe/Berlin\nMatch time Mon-Fri,09:00-17:00\nDoNotDisturb yes\n');
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent(), server.user);
  server.nowMs = Date.parse(at);
  const calling = caller.invite(aor);
  if (outcome === 'rings') await callee.answer(await callee.next('INVITE'), 600);
  const { status } = await calling;
  expect(status).toBe(outcome === 'rings' ? 600 : outcome);
});

test('timer C ends what rings for longer: CANCEL to the phone, 408 to the caller', async () => {
  server = await TestServer.start({ config: ['TimerC 181'] });
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent('udp', undefined, 400_000), server.user);
  const calling = caller.invite(aor);
  const invite = await callee.next('INVITE');
  const advance = takeTheClock();
  await callee.answer(invite, 180);
  await caller.nextResponse(180, 'INVITE');
  advance(180_000);
  await callee.answer(invite, 183);
  await caller.nextResponse(183, 'INVITE');
  // A provisional response starts it anew (§16.7 step 2).
  advance(180_000);
  await callee.answer(invite, 182);
  await caller.nextResponse(182, 'INVITE');
  // What came before the answer to an OPTIONS is here by now: nothing.
  await callee.agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
  const next = callee.agent.nextMessage(1);
  advance(2);
  await expect(next).rejects.toThrow();
  advance(183_000);
  const cancel = await callee.next('CANCEL');
  expect(fieldValue(cancel.request, 'reason')).toContain('cause=408');
  await callee.answer(cancel, 200);
  await callee.answer(invite, 487);
  expect((await calling).status).toBe(408);
});

/** Timers and the steady clock go on only as the answered function says, from where they are. */
function takeTheClock(): (ms: number) => void {
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return (ms) => {
    aheadMs += ms;
    vi.advanceTimersByTime(ms);
  };
}
