// Debian's Kamailio as the neighbour: calls of ours go to its domain, calls of its come to our users, and what it sends
// back comes back as a spiral or a loop.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { CallStage, ends } from './call-stage.ts';
import { Party } from './sipp-party.ts';
import { type CalleeSteps, calleeSteps, callerSteps } from './sipp-steps.ts';

/** Its own address, so that it alone is trusted. */
const address = '127.0.0.2';

const configuration = (port: number, peerPort: number, serverPort: number, eva: string) => `#!KAMAILIO
ser_kill_timeout=5
debug=1
log_stderror=yes
children=1
listen=udp:${address}:${port}
mpath="${readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/kamailio/modules/`)
  .find((path) => existsSync(path))}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
request_route {
  if (has_totag()) {
    loose_route();
    t_relay();
    exit;
  }
  record_route();
  if ($rU == "peer") $ru = "sip:peer@127.0.0.1:${peerPort}";
  else if ($rU == "spiral") $ru = "sip:${eva}@${realm}";
  if ($rU != "peer") $du = "sip:127.0.0.1:${serverPort}";
  t_relay();
}
`;

const answers = (callee: CalleeSteps, isCallersBye: boolean) => [
  callee.isInvited(),
  callee.rings(),
  callee.answers(200),
  callee.isAcknowledged(),
  isCallersBye ? callee.isHungUp() : callee.hangsUp(),
];

describeNeeding(['root', 'useradd', 'unshare', 'sipp', 'kamailio'], 'Kamailio', () => {
  let stage: CallStage;
  let kamailio: Background | undefined;
  let port: number;
  let peerPort: number;
  const directory = mkdtempSync(join(tmpdir(), 'sr-kamailio-'));

  beforeAll(async () => {
    stage = new CallStage();
    await stage.serve([`TrustedPeers ${address}/32`]);
    port = await freePort();
    peerPort = await freePort();
    const file = join(directory, 'kamailio.cfg');
    writeFileSync(file, configuration(port, peerPort, stage.server.port, stage.accounts.eva.name));
    kamailio = new Background(['kamailio', '-DD', '-f', file, '-Y', directory, '-m', '64', '-M', '8']);
    await kamailio.match(/Listening on/);
  });

  afterEach(() => stage.clear());

  afterAll(async () => {
    await kamailio?.stop();
    await stage?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each([
    ['caller', true],
    ['callee', false],
  ])('takes a call to its user; the %s hangs up', async (_, isCallersBye) => {
    const { playing } = await stage.neighbour((callee) => answers(callee, isCallersBye), {
      proxies: 2,
      localPort: peerPort,
    });
    const call = stage.play([], {
      account: stage.accounts.jan,
      to: `sip:peer@${address}:${port}`,
      steps: (caller, callee) => [
        caller.invites(),
        caller.isAnswered(),
        isCallersBye ? caller.hangsUp() : callee.isHungUp(),
      ],
    });
    await Promise.all([call, playing.end()]);
  });

  test.each([
    ['caller', true],
    ['callee', false],
  ])('brings a call to a user of ours; the %s hangs up', async (_, isCallersBye) => {
    const { eva } = stage.accounts;
    const phone = await Party.registered({ user: eva.name, port: stage.server.port });
    const callee = await phone.plays(...answers(calleeSteps(eva.name, 2), isCallersBye));
    const caller = callerSteps('peer', `sip:${eva.name}@${realm}`, { from: 'sip:peer@neighbour.test' });
    const party = await Party.create({ server: address, port });
    const peer = await party.plays(
      caller.invitesOpenly(),
      caller.isAnswered(),
      isCallersBye ? caller.hangsUp() : calleeSteps('peer').isHungUp(),
    );
    await ends([callee, peer]);
    for (const playing of [callee, peer]) playing.remove();
  });

  test('sends a call back to another of us: a spiral, which passes', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play([{ account: eva, proxies: 3, steps: (callee) => answers(callee, true) }], {
      account: jan,
      to: `sip:spiral@${address}:${port}`,
      steps: (caller) => [caller.invites(), caller.isAnswered(), caller.hangsUp()],
    });
  });

  test('sends a call back as it was: a loop, which ends', async () => {
    await stage.play([], {
      account: stage.accounts.jan,
      to: `sip:loop@${address}:${port}`,
      steps: (caller) => [caller.invites(), caller.failsWith(482)],
    });
  });
});
