// Calls and what configs say of them (DESIGN §3, §4.7), each party a sipp: ~/.sr/config, groups, aliases, usrloc by hand.

import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { CallStage } from './call-stage.ts';
import type { CalleeSteps, CallerSteps } from './sipp-steps.ts';

const answers = (callee: CalleeSteps) => [
  callee.isInvited(),
  callee.answers(200),
  callee.isAcknowledged(),
  callee.isHungUp(),
];
const isAnswered = (caller: CallerSteps) => [caller.invites(), caller.isAnswered(), caller.hangsUp()];
const isRefused = (status: number) => (caller: CallerSteps) => [caller.invites(), caller.failsWith(status)];

describeNeeding(['root', 'useradd', 'unshare', 'sipp'], 'a call', () => {
  let stage: CallStage;

  beforeAll(async () => {
    stage = new CallStage();
    const { jan } = stage.accounts;
    await stage.serve([`CallingGroup ${jan.name} sip:intl*@*`]);
    const aliases = `sales: ${jan.name}, ${stage.accounts.eva.name}\n101: ${jan.name}\n`;
    writeFileSync(stage.host.path('/etc/sr/aliases'), aliases);
  });

  afterEach(() => stage.clear());

  afterAll(() => stage?.remove());

  test('goes where ForwardNoAnswer says when nobody answers, and says why', async () => {
    const { jan, eva, max } = stage.accounts;
    stage.write(eva, 'config', [`ForwardNoAnswer ${max.name}`, 'NoAnswerTimeout 1']);
    await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            callee.isCancelled({ has: { Reason: 'cause=408' } }),
            callee.refuses(487),
          ],
        },
        {
          account: max,
          steps: (callee) => [
            callee.isInvited({
              has: { 'History-Info': `${eva.name}@${realm}`, Diversion: 'reason=no-answer' },
            }),
            callee.answers(200),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
      ],
      { account: jan, to: eva, steps: isAnswered },
    );
  });

  test.each([
    ['DoNotDisturb', ['DoNotDisturb yes'], 486],
    ['Block', ['Block sip:srt*jan@*'], 603],
    ['ForwardAlways to nobody', ['ForwardAlways nobody-here'], 404],
  ])('is not put through: %s', async (_, config, status) => {
    const { jan, eva } = stage.accounts;
    stage.write(eva, 'config', config);
    await stage.play([], { account: jan, to: eva, steps: isRefused(status) });
  });

  test('that is forwarded in a circle ends at once', async () => {
    const { jan, eva, ada } = stage.accounts;
    stage.write(jan, 'config', [`ForwardAlways ${eva.name}`]);
    stage.write(eva, 'config', [`ForwardAlways ${jan.name}`]);
    const before = forwards();
    await stage.play([], { account: ada, to: jan, steps: isRefused(482) });
    expect(forwards() - before).toBe(2);
  });

  test('to somebody whose ten contacts are himself rings nowhere', async () => {
    const { jan, eva } = stage.accounts;
    const { port } = stage.server;
    const hosts = [realm, 'localhost', `127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`];
    const contacts = hosts.flatMap((host) => [
      `<sip:${eva.name}@${host}>`,
      `<sip:${eva.name}@${host};transport=tcp>`,
    ]);
    stage.write(eva, 'usrloc', contacts);
    await stage.play([], { account: jan, to: eva, steps: isRefused(480) });
    const skipped = stage.server.process.output.split('\n').filter((line) => /contact-skipped/.test(line));
    expect(skipped.length).toBe(10);
  });

  test('abroad is for those in the group, by /etc/passwd or /etc/group', async () => {
    const { jan, eva, ada } = stage.accounts;
    for (const account of [jan, ada]) {
      const { localPort, playing } = await stage.neighbour((callee) => answers(callee));
      const to = `sip:intl5@127.0.0.1:${localPort}`;
      await Promise.all([stage.play([], { account, to, steps: isAnswered }), playing.end()]);
    }
    const to = `sip:intl5@127.0.0.1:${await freePort()}`;
    await stage.play([], { account: eva, to, steps: isRefused(403) });
  });

  test('is not forwarded where the callee may not call, whatever the caller may; the log says so', async () => {
    const { jan, eva } = stage.accounts;
    const to = `sip:intl5@127.0.0.1:${await freePort()}`;
    stage.write(eva, 'config', [`ForwardAlways ${to}`]);
    await stage.play([], { account: jan, to: eva, steps: isRefused(480) });
    await stage.server.process.match(
      new RegExp(`event=refused .*CallingGroup ${jan.name}: ${eva.name} calls`),
    );
  });

  test('is forwarded with the right of the callee, which the caller need not have', async () => {
    const { jan, eva } = stage.accounts;
    const { localPort, playing } = await stage.neighbour((callee) => answers(callee));
    stage.write(jan, 'config', [`ForwardAlways sip:intl5@127.0.0.1:${localPort}`]);
    await Promise.all([stage.play([], { account: eva, to: jan, steps: isAnswered }), playing.end()]);
  });

  test('to an alias rings at all whom it names', async () => {
    const { jan, eva, max } = stage.accounts;
    await stage.play(
      [
        {
          account: jan,
          steps: (callee) => [callee.isInvited(), callee.rings(), ...answers(callee).slice(1)],
        },
        {
          account: eva,
          steps: (callee) => [callee.isInvited(), callee.rings(), callee.isCancelled(), callee.refuses(487)],
        },
      ],
      { account: max, to: 'sales', steps: isAnswered },
    );
  });

  test.each([
    ['a number of /etc/sr/aliases', () => '101'],
    ['a subaddress', () => `${stage.accounts.jan.name}+work`],
  ])('to %s rings at its user', async (_, to) => {
    const { jan, eva } = stage.accounts;
    await stage.play([{ account: jan, steps: answers }], { account: eva, to: to(), steps: isAnswered });
  });

  const forwards = () => stage.server.process.output.split('event=forwarded').length - 1;
});
