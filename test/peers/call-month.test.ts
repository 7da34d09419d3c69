// A scripted month of calls, each party a sipp (sr_acct(5), sipacct(1)): March 2026 in Berlin. What is in the files of users
// and of root is what was played and nothing else, and what sipacct says of it is what awk adds up from the same files.

import { renameSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Account } from '../host/accounts.ts';
import { describeNeeding } from '../host/required.ts';
import { answered, between, ofBoth, unanswered, uriOf } from './call-lines.ts';
import { CallMonth, type Played, receives } from './call-month.ts';
import { addedByAwk, sipacct } from './call-month-figures.ts';
import { ends } from './call-stage.ts';
import { Party, type Playing } from './sipp-party.ts';
import {
  awaitsCue,
  type CalleeSteps,
  type CallerSteps,
  calleeSteps,
  callerSteps,
  hears,
} from './sipp-steps.ts';

const config = ['MaxCallDuration 2h', 'BranchTimeout 2', 'TimerT1 50', 'AllowUnauthenticated yes'];

/** A phone that rings, and answers on a cue; then it hears BYE, sends it on a cue, or does nothing more. */
const answers = (callee: CalleeSteps) => [
  ...[callee.isInvited(), callee.rings(), awaitsCue()],
  ...[callee.answers(200), callee.isAcknowledged()],
];
const answersAndIsHungUp = (callee: CalleeSteps) => [...answers(callee), callee.isHungUp()];
const answersAndHangsUp = (callee: CalleeSteps) => [...answers(callee), awaitsCue(), callee.hangsUp()];
const answersAndStays = (callee: CalleeSteps) => [...answers(callee), awaitsCue()];
const refuses = (status: number) => (callee: CalleeSteps) => [
  ...[callee.isInvited(), callee.rings(), awaitsCue(), callee.refuses(status)],
];
const isCancelled = (callee: CalleeSteps) => [
  ...[callee.isInvited(), callee.rings(), callee.isCancelled(), callee.refuses(487)],
];

/** The caller's side of that. */
const speaks = (caller: CallerSteps) => [caller.invites(), caller.isAnswered()];
const speaksAndIsHungUp = (caller: CallerSteps, callee: CalleeSteps) => [
  ...speaks(caller),
  callee.isHungUp(),
];
const speaksAndHangsUp = (caller: CallerSteps) => [...speaks(caller), awaitsCue(), caller.hangsUp()];
const speaksAndStays = (caller: CallerSteps) => [...speaks(caller), awaitsCue()];
const isRefused = (status: number) => (caller: CallerSteps) => [caller.invites(), caller.failsWith(status)];

type Name = 'jan' | 'eva' | 'ada' | 'max';
type Plain = [
  what: string,
  at: string,
  caller: Name,
  callee: Name,
  rings: number,
  speaks: number,
  by: string,
];

describeNeeding(['root', 'useradd', 'unshare', 'sipp', 'awk'], 'a month of calls', () => {
  let month: CallMonth;
  let jan: Account;
  let eva: Account;
  let ada: Account;
  let max: Account;

  beforeAll(async () => {
    month = new CallMonth();
    ({ jan, eva, ada, max } = month.stage.accounts);
    writeFileSync(month.stage.host.path('/etc/sr/aliases'), `team: ${eva.name}, ${ada.name}\n`);
    await month.serve(config);
  });

  afterEach(() => month.stage.clear());

  afterAll(() => month?.remove());

  /** A call that is answered, and hung up by the caller or the callee. */
  async function isPlayed(...[what, at, from, to, rings, seconds, by]: Plain): Promise<void> {
    const { [from]: caller, [to]: callee } = month.stage.accounts;
    const isCallers = by === 'caller';
    const callId = what.replace(/\W+/g, '-');
    const call = await month.ring(
      callId,
      at,
      [{ account: callee, steps: isCallers ? answersAndIsHungUp : answersAndHangsUp }],
      { account: caller, to: callee, steps: isCallers ? speaksAndHangsUp : speaksAndIsHungUp },
    );
    const [phone] = call.callees as [Playing];
    await month.answer(call, rings, phone);
    await month.end(call, seconds, isCallers ? call.caller : phone);
    const root = between(callId, caller, callee, answered(at, rings, seconds, by));
    await month.records(root, ofBoth(caller, callee));
  }

  test.each<Plain>([
    ['the last of February, until March', '2026-02-28T23:58:00+01:00', 'jan', 'eva', 3, 400, 'caller'],
    ['the first, in UTC February', '2026-03-01T00:30:00+01:00', 'jan', 'eva', 4.25, 63.255, 'caller'],
    ['hung up by the callee', '2026-03-03T09:00:00+01:00', 'eva', 'jan', 11, 615.5, 'callee'],
  ])('answered: %s', isPlayed);

  test('missed: no phone is registered', async () => {
    const at = '2026-03-04T10:00:00+01:00';
    const call = await month.begin('unreachable', at, [], { account: jan, to: ada, steps: isRefused(480) });
    await ends([call.caller]);
    const outcome = { status: 'missed', code: 480, reason: 'Temporarily Unavailable' };
    await month.records(between('unreachable', jan, ada, unanswered(at, 0, outcome)), ofBoth(jan, ada));
  });

  test('missed: the phone says nothing', async () => {
    const at = '2026-03-04T10:05:00+01:00';
    const call = await month.begin(
      'silent',
      at,
      [{ account: ada, steps: (callee) => [callee.isInvited()] }],
      { account: jan, to: ada, steps: isRefused(408) },
    );
    await ends(call.callees);
    month.clock.forward(2);
    await ends([call.caller]);
    const outcome = { status: 'missed', code: 408, reason: 'Request Timeout' };
    await month.records(between('silent', jan, ada, unanswered(at, 2, outcome)), ofBoth(jan, ada));
  });

  test.each([
    ['missed: the phone has rung long enough', 480, 'missed', '2026-03-05T10:00:00+01:00'],
    ['busy', 486, 'busy', '2026-03-06T10:00:00+01:00'],
    ['declined', 603, 'failed', '2026-03-09T10:00:00+01:00'],
  ])('%s', async (_, code, status, at) => {
    const callId = `refused-${code}`;
    const callees = [{ account: eva, steps: refuses(code) }];
    const call = await month.ring(callId, at, callees, { account: ada, to: eva, steps: isRefused(code) });
    const [phone] = call.callees as [Playing];
    await month.end(call, 20, phone);
    const outcome = { status, code, reason: 'As told' };
    await month.records(between(callId, ada, eva, unanswered(at, 20, outcome)), ofBoth(ada, eva));
  });

  test('cancelled by the caller, which the callee missed', async () => {
    const at = '2026-03-10T11:00:00+01:00';
    const call = await month.ring('cancelled', at, [{ account: eva, steps: isCancelled }], {
      account: jan,
      to: eva,
      steps: (caller) => [
        ...[caller.invites(), hears(180), awaitsCue(), caller.cancels(), caller.failsWith(487)],
      ],
    });
    await month.end(call, 15, call.caller);
    const outcome = { status: 'cancelled', code: 487, reason: 'Request Terminated' };
    await month.records(between('cancelled', jan, eva, unanswered(at, 15, outcome)), {
      [jan.name]: { dir: 'out' },
      [eva.name]: { dir: 'in', status: 'missed', reason: 'As told' },
    });
  });

  test('forked to three phones of two accounts: who did not answer did not miss it', async () => {
    const at = '2026-03-12T12:00:00+01:00';
    const call = await month.ring(
      'forked',
      at,
      [
        { account: eva, steps: isCancelled },
        { account: eva, steps: answersAndIsHungUp },
        { account: ada, steps: isCancelled },
      ],
      { account: max, to: 'team', steps: speaksAndHangsUp },
    );
    await month.answer(call, 8, call.callees[1] as Playing);
    await month.end(call, 125.004, call.caller);
    const record = { ...answered(at, 8, 125.004, 'caller'), to: uriOf('team'), others: [ada.name] };
    const elsewhere = { status: 'cancelled', code: 200, reason: 'Call completed elsewhere', duration: 0 };
    await month.records(between('forked', max, eva, record), {
      ...ofBoth(max, eva),
      [ada.name]: { dir: 'in', callee: ada.name, ...elsewhere, answer: undefined, ended_by: undefined },
    });
  });

  test('forwarded', async () => {
    month.stage.write(max, 'config', [`ForwardAlways ${eva.name}`]);
    const at = '2026-03-13T12:00:00+01:00';
    const callees = [{ account: eva, steps: answersAndIsHungUp }];
    const call = await month.ring('forwarded', at, callees, {
      ...{ account: jan, to: max },
      steps: speaksAndHangsUp,
    });
    await month.answer(call, 5, call.callees[0] as Playing);
    await month.end(call, 69, call.caller);
    const more = { to: uriOf(max), forwarded_by: max.name, others: [max.name] };
    await month.records(between('forwarded', jan, eva, { ...answered(at, 5, 69, 'caller'), ...more }), {
      ...ofBoth(jan, eva),
      [max.name]: { dir: 'in' },
    });
  });

  test('transferred by REFER, when the log was rotated: two calls', async () => {
    const log = month.stage.host.path('/var/log/sr/acct');
    renameSync(log, `${log}.1`);
    const at = '2026-03-16T14:00:00+01:00';
    const first = await month.ring(
      'transferred',
      at,
      [
        {
          account: eva,
          steps: (callee) => [
            ...[...answers(callee), awaitsCue(), callee.refers(uriOf(ada))],
            ...[callee.isNotified(), callee.hangsUp()],
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller, callee) => [
          ...[...speaks(caller), callee.isReferred(), awaitsCue()],
          ...[caller.notifies(), callee.isHungUp()],
        ],
      },
    );
    const [evas] = first.callees as [Playing];
    await month.answer(first, 6, evas);
    month.clock.forward(40);
    await evas.cue('transferred');
    await receives(evas, 'SIP/2.0 202');
    const later = '2026-03-16T14:00:47+01:00';
    const second = await month.ring('transfer', later, [{ account: ada, steps: answersAndHangsUp }], {
      ...{ account: jan, to: ada, fields: [`Referred-By: <${uriOf(eva)}>`] },
      steps: speaksAndIsHungUp,
    });
    const [adas] = second.callees as [Playing];
    await month.answer(second, 9, adas);
    await month.end(first, 1, first.caller);
    await month.records(between('transferred', jan, eva, answered(at, 6, 51, 'callee')), ofBoth(jan, eva));
    await month.end(second, 90, adas);
    await month.records(between('transfer', jan, ada, answered(later, 9, 91, 'callee')), ofBoth(jan, ada));
  });

  test('the caller is dead, and nobody says BYE: it ends by MaxCallDuration', async () => {
    const at = '2026-03-17T08:00:00+01:00';
    const callees = [{ account: eva, steps: answersAndStays }];
    const call = await month.ring('dead-caller', at, callees, {
      ...{ account: jan, to: eva },
      steps: speaksAndStays,
    });
    const [phone] = call.callees as [Playing];
    await month.answer(call, 2, phone);
    await call.caller.die();
    month.clock.forward(7300);
    await month.records(
      between('dead-caller', jan, eva, answered(at, 2, 7200, 'max-duration')),
      ofBoth(jan, eva),
    );
    await phone.die();
  });

  test('the callee is dead, and nobody says BYE: it ends when the session is not refreshed', async () => {
    const at = '2026-03-18T08:00:00+01:00';
    const timer = ['Session-Expires: 1800;refresher=uac'];
    const call = await month.ring(
      'dead-callee',
      at,
      [
        {
          account: eva,
          steps: (callee) => [
            ...[callee.isInvited(), callee.rings(), awaitsCue(), callee.answers(200, timer)],
            ...[callee.isAcknowledged(), callee.isReinvited(timer), awaitsCue()],
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [...speaksAndStays(caller), caller.reinvites(), awaitsCue()],
      },
    );
    const [phone] = call.callees as [Playing];
    await month.answer(call, 2, phone);
    month.clock.forward(900);
    await call.caller.cue('dead-callee');
    await receives(phone, 'ACK ', 2);
    await phone.die();
    month.clock.forward(1801);
    await month.records(
      between('dead-callee', jan, eva, answered(at, 2, 900 + 1800, 'timer')),
      ofBoth(jan, eva),
    );
    await call.caller.die();
  });

  test('one is dead, and the other hangs up all the same', async () => {
    const at = '2026-03-19T08:00:00+01:00';
    const callees = [{ account: eva, steps: answersAndStays }];
    const deafCallee = await month.ring('deaf-callee', at, callees, {
      ...{ account: jan, to: eva },
      steps: (caller) => [...speaksAndStays(caller), caller.hangsUpInVain()],
    });
    const deafCaller = await month.ring(
      'deaf-caller',
      at,
      [{ account: max, steps: (callee) => [...answersAndStays(callee), callee.hangsUpInVain()] }],
      { account: ada, to: max, steps: speaksAndStays },
    );
    const [[evas], [maxs]] = [deafCallee.callees, deafCaller.callees] as [[Playing], [Playing]];
    await month.answer(deafCallee, 2, evas);
    await month.answer(deafCaller, 1, maxs);
    await Promise.all([evas.die(), deafCaller.caller.die()]);
    month.clock.forward(75);
    await deafCallee.caller.cue('deaf-callee');
    await ends([deafCallee.caller]);
    month.clock.forward(5);
    await maxs.cue('deaf-caller');
    await ends([maxs]);
    await month.records(between('deaf-callee', jan, eva, answered(at, 2, 76, 'caller')), ofBoth(jan, eva));
    await month.records(between('deaf-caller', ada, max, answered(at, 3, 80, 'callee')), ofBoth(ada, max));
  });

  test('the server is killed: one call goes on, one is not heard of again, one rang', async () => {
    const at = '2026-03-24T16:00:00+01:00';
    const goesOn = await month.ring('goes-on', at, [{ account: eva, steps: answersAndIsHungUp }], {
      ...{ account: jan, to: eva },
      steps: speaksAndHangsUp,
    });
    const isLost = await month.ring('is-lost', at, [{ account: max, steps: answersAndStays }], {
      ...{ account: ada, to: max },
      steps: speaksAndStays,
    });
    await month.answer(goesOn, 5, goesOn.callees[0] as Playing);
    await month.answer(isLost, 5, isLost.callees[0] as Playing);
    const later = '2026-03-24T16:01:00+01:00';
    const rang = await month.ring('rang', later, [{ account: jan, steps: answersAndStays }], {
      ...{ account: max, to: jan },
      steps: speaksAndStays,
    });
    month.clock.forward(30);
    await month.noted();
    await month.stage.server.kill();
    month.clock.forward(60);
    await month.serve(config);
    const failed = { status: 'failed', ended_by: 'restart' };
    await month.records(between('rang', max, jan, unanswered(later, 30, failed)), ofBoth(max, jan));
    await month.end(goesOn, 10, goesOn.caller);
    await month.records(between('goes-on', jan, eva, answered(at, 5, 155, 'caller')), ofBoth(jan, eva));
    month.clock.forward(7200);
    await month.records(between('is-lost', ada, max, answered(at, 10, 80, 'restart')), ofBoth(ada, max));
    const left = [isLost, rang].flatMap(({ caller, callees }) => [caller, ...callees]);
    await Promise.all(left.map((party) => party.die()));
  });

  test('to somebody elsewhere', async () => {
    const at = '2026-03-26T10:00:00+01:00';
    const { localPort, playing } = await month.stage.neighbour(answersAndIsHungUp);
    const to = `sip:dad@127.0.0.1:${localPort}`;
    const { caller } = await month.begin('abroad', at, [], { account: ada, to, steps: speaksAndHangsUp });
    await receives(caller, 'SIP/2.0 180');
    const call: Played = { callId: 'abroad', callees: [playing], caller };
    await month.answer(call, 10, playing);
    await month.end(call, 33.3, caller);
    const { callee: _, ...root } = between('abroad', ada, ada, answered(at, 10, 33.3, 'caller'));
    await month.records({ ...root, dir: 'out', to }, { [ada.name]: { dir: 'out' } });
  });

  test('from somebody elsewhere', async () => {
    const at = '2026-03-27T10:00:00+01:00';
    month.clock.set(at);
    const { port } = month.stage.server;
    const from = 'sip:dad@elsewhere.test';
    const [his, hers] = [callerSteps('dad', uriOf(max), { from }), calleeSteps(max.name)];
    const phone = await Party.registered({ user: max.name, port });
    const callee = await phone.plays(...answersAndHangsUp(hers));
    const stranger = await Party.create({ port, callId: 'stranger' });
    const caller = await stranger.plays(his.invitesOpenly(), his.isAnswered(), hers.isHungUp());
    try {
      await receives(caller, 'SIP/2.0 180');
      const call: Played = { callId: 'stranger', callees: [callee], caller };
      await month.answer(call, 3, callee);
      await month.end(call, 62, callee);
    } finally {
      for (const party of [callee, caller]) party.remove();
    }
    const { caller: _, ...root } = between('stranger', max, max, answered(at, 3, 62, 'callee'));
    await month.records({ ...root, dir: 'in', from }, { [max.name]: { dir: 'in' } });
  });

  test.each<Plain>([
    ['the night summer time begins', '2026-03-29T01:57:00+01:00', 'ada', 'jan', 1, 300, 'caller'],
    ['the last of March, until April', '2026-03-31T23:59:50+02:00', 'eva', 'jan', 12, 700, 'callee'],
    ['April, in UTC March', '2026-04-01T00:30:00+02:00', 'eva', 'jan', 1, 2000, 'caller'],
  ])('answered: %s', isPlayed);

  test('no file has any other record', () => {
    expect(month.files('root')).toHaveLength(2);
    month.holdsNothingElse();
  });

  test.each(['jan', 'eva', 'ada', 'max', 'all'] as const)('sipacct reports what awk adds up: %s', (name) => {
    const account = name === 'all' ? undefined : month.stage.accounts[name];
    const owner = account?.name;
    for (const by of ['day', 'user'] as const) {
      const words = ['report', '--month', '2026-03', ...(by === 'day' ? [] : ['--by', by])];
      const report = [...words, ...(account === undefined ? ['--all'] : [])];
      const awk = (form: 'csv' | 'table') => addedByAwk(month, '2026-03', { by, form, owner });
      const [head, ...rows] = linesOf(sipacct(month, [...report, '--format', 'csv'], account).stdout);
      expect(head).toBe(`${by},calls,answered,missed,busy,cancelled,failed,seconds,minutes,average,longest`);
      expect(rows.sort()).toEqual(awk('csv'));
      const [titles, ...cells] = linesOf(sipacct(month, report, account).stdout);
      expect(titles).toBe(`${by.toUpperCase()} CALLS ANSWERED MISSED MINUTES AVERAGE LONGEST`);
      expect([cells.pop()]).toEqual(addedByAwk(month, '2026-03', { by: 'total', form: 'table', owner }));
      expect(cells.sort()).toEqual(awk('table'));
    }
  });

  test('sipacct verify finds all copies as they should be', () => {
    for (const user of [jan, eva, ada, max].map(({ name }) => name)) {
      const { status, stdout, stderr } = sipacct(month, ['verify', '--user', user, '--json']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const calls = month.countOf(user);
      const users = [{ user, calls, missing: 0, altered: 0, foreign: 0 }];
      expect(JSON.parse(stdout)).toEqual({ users, differences: [] });
    }
  });
});

/** Lines with one blank between their columns. */
function linesOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}
