// Real phones call each other through the real server: what one plays the other hears, over each transport and family,
// whoever hangs up.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { callingBaresip } from './baresip.ts';
import { CallStage } from './call-stage.ts';
import { callingLinphonec } from './linphonec.ts';
import type { Calling, Line } from './phone.ts';
import { shareOfTone } from './tone.ts';

type Way = Pick<Line, 'transport' | 'address'>;

const udp: Way = { transport: 'udp', address: '127.0.0.1' };
const tcp: Way = { transport: 'tcp', address: '127.0.0.1' };
const udp6: Way = { transport: 'udp', address: '::1' };
const tcp6: Way = { transport: 'tcp', address: '::1' };

const phones = { baresip: callingBaresip, linphonec: callingLinphonec };
type PhoneName = keyof typeof phones;

/** No other frequency has a share worth mentioning. */
const MOSTLY = 0.8;

describeNeeding(['root', 'useradd', 'unshare', 'ip', 'baresip', 'linphonec'], 'phones', () => {
  let stage: CallStage;
  const running: Calling[] = [];

  beforeAll(async () => {
    stage = new CallStage();
    await stage.serve();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((phone) => phone.stop()));
    stage.clear();
  });

  afterAll(() => stage?.remove());

  async function phone(name: PhoneName, user: 'jan' | 'eva', way: Way, hz: number): Promise<Calling> {
    const line = { password: 'secret', domain: realm, port: stage.server.port, ...way };
    const started = await phones[name]({ ...line, user: stage.accounts[user].name }, hz);
    running.push(started);
    return started;
  }

  test.each([
    ['baresip', udp, 'baresip', udp, 'caller'],
    ['baresip', udp, 'baresip', udp, 'callee'],
    ['baresip', udp, 'baresip', tcp, 'caller'],
    ['baresip', tcp, 'baresip', udp, 'callee'],
    ['baresip', udp, 'baresip', udp6, 'caller'],
    ['baresip', udp6, 'baresip', tcp, 'callee'],
    ['baresip', tcp6, 'baresip', udp6, 'callee'],
    ['linphonec', udp, 'baresip', udp, 'caller'],
    ['linphonec', tcp, 'baresip', udp, 'callee'],
    ['baresip', udp, 'linphonec', udp, 'caller'],
    ['baresip', tcp, 'linphonec', udp, 'callee'],
    ['linphonec', udp, 'linphonec', tcp, 'callee'],
  ] as const)('%s (%o) calls %s (%o) and the %s hangs up', async (from, fromWay, to, toWay, ender) => {
    const callee = await phone(to, 'eva', toWay, 900);
    const caller = await phone(from, 'jan', fromWay, 600);
    caller.dial(`sip:${stage.accounts.eva.name}@${realm}`);
    await Promise.all([caller.established(), callee.established()]);
    const hears = (one: Calling, hz: number) =>
      expect.poll(() => shareOfTone(one.heard(), hz), { timeout: 8000 });
    await Promise.all([
      hears(callee, 600).toBeGreaterThan(MOSTLY),
      hears(caller, 900).toBeGreaterThan(MOSTLY),
    ]);
    (ender === 'caller' ? caller : callee).hangUp();
    await Promise.all([caller.ended(), callee.ended()]);
    expect(stage.server.process.output).not.toContain('event=hop-refused');
  });
});
