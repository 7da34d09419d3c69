// Calls in which something happens (RFC 3261 §16), each party a sipp: forks, CANCEL, loss, and dialogs of all kinds.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeNeeding } from '../host/required.ts';
import { CallStage, ends } from './call-stage.ts';
import type { Playing } from './sipp-party.ts';
import { type CalleeSteps, hears, pause } from './sipp-steps.ts';

const config = ['BranchTimeout 1'];

const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"';

describeNeeding(['root', 'useradd', 'unshare', 'sipp'], 'a call', () => {
  let stage: CallStage;

  beforeAll(async () => {
    stage = new CallStage();
    await stage.serve(config);
  });

  afterEach(() => stage.clear());

  afterAll(() => stage?.remove());

  test('has re-INVITE and BYE from either side', async () => {
    const { jan, eva } = stage.accounts;
    for (const isCallersBye of [true, false])
      await stage.play(
        [
          {
            account: eva,
            steps: (callee) => [
              callee.isInvited({ has: { 'Max-Forwards': '^ *69' } }),
              callee.rings(),
              callee.answers(200),
              callee.isAcknowledged(),
              callee.isReinvited(),
              callee.reinvites(),
              isCallersBye ? callee.isHungUp() : callee.hangsUp(),
            ],
          },
        ],
        {
          account: jan,
          to: eva,
          steps: (caller, callee) => [
            caller.invites(),
            caller.isAnswered(),
            caller.reinvites(),
            callee.isReinvited(),
            isCallersBye ? caller.hangsUp() : callee.isHungUp(),
          ],
        },
      );
  });

  test('rings at all phones; those that did not answer hear that one did', async () => {
    const { jan, eva } = stage.accounts;
    const silent = {
      account: eva,
      steps: (callee: CalleeSteps) => [
        callee.isInvited(),
        callee.rings(),
        callee.isCancelled({ has: { Reason: elsewhere } }),
        callee.refuses(487),
      ],
    };
    await stage.play(
      [
        silent,
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            pause(100),
            callee.answers(200),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
        silent,
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [caller.invites(), caller.isAnswered(), caller.hangsUp()],
      },
    );
  });

  test('is answered by two phones at once: two dialogs', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            pause(100),
            callee.answers(200),
            callee.isAcknowledged(),
            pause(200),
            callee.hangsUp(),
          ],
        },
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            callee.answersTooLate(),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller, callee) => [
          caller.invites(),
          caller.isAnswered(),
          caller.isAnswered(),
          callee.isHungUp(),
          caller.hangsUp(),
        ],
      },
    );
  });

  test('is busy when all phones are', async () => {
    const { jan, eva } = stage.accounts;
    const busy = {
      account: eva,
      steps: (callee: CalleeSteps) => [callee.isInvited(), callee.rings(), callee.refuses(486)],
    };
    await stage.play([busy, busy], {
      account: jan,
      to: eva,
      steps: (caller) => [caller.invites(), caller.failsWith(486)],
    });
  });

  test('is told of another address that a phone knows', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [callee.isInvited(), callee.redirects('sip:eva@elsewhere.test')],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [
          caller.invites(),
          caller.failsWith(302, { has: { Contact: 'sip:eva@elsewhere[.]test' } }),
        ],
      },
    );
  });

  test('is given up while it rings', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            callee.isCancelled({ has: { Reason: 'Q.850;cause=16' } }),
            callee.refuses(487),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [caller.invites(), hears(180), caller.cancels(), caller.failsWith(487)],
      },
    );
  });

  test('is answered while it is given up: CANCEL and 200 cross', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            callee.answersTooLate(),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [
          caller.invites(),
          hears(180),
          caller.cancels(),
          caller.isAnswered(),
          caller.hangsUp(),
        ],
      },
    );
  });

  test('is answered late, by a phone that was given up for the next', async () => {
    const { jan, eva } = stage.accounts;
    await stage.play(
      [
        {
          account: eva,
          parameters: ';q=1.0',
          steps: (callee) => [
            callee.isInvited(),
            pause(1300),
            callee.answers(200),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
        {
          account: eva,
          parameters: ';q=0.5',
          steps: (callee) => [
            callee.isInvited(),
            callee.rings(),
            callee.isCancelled({ has: { Reason: elsewhere } }),
            callee.refuses(487),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [caller.invites(), hears(180), caller.isAnswered(), caller.hangsUp()],
      },
    );
  });

  test('stands when an ACK is lost: 200 comes again until one arrives', async () => {
    const { jan, eva } = stage.accounts;
    const [, phone] = await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            callee.answers(200),
            callee.isAcknowledged(),
            callee.isHungUp(),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [
          caller.invites(),
          caller.isAnsweredOnly(),
          pause(800),
          caller.acknowledges(),
          caller.hangsUp(),
        ],
      },
    );
    expect(countReceived(phone, 'SIP/2.0 200 OK', '2 INVITE')).toBeGreaterThan(1);
  });

  test('stands when answers are lost: each request is sent again, and each final response', async () => {
    const { jan, eva } = stage.accounts;
    const [phone, caller] = await stage.play(
      [
        {
          account: eva,
          steps: (callee) => [
            callee.isInvited(),
            pause(700),
            callee.answers(200),
            callee.isAcknowledged(),
            callee.isHungUp(700),
          ],
        },
      ],
      {
        account: jan,
        to: eva,
        steps: (caller) => [caller.invites(), caller.isAnswered(), caller.hangsUp()],
      },
    );
    expect(countReceived(phone, 'INVITE ', '2 INVITE')).toBe(2);
    expect(countReceived(phone, 'BYE ', '3 BYE')).toBe(2);
    expect(countReceived(caller, 'SIP/2.0 200 OK', '3 BYE')).toBe(1);
  });

  test('repeats its failure until the caller has heard it', async () => {
    const { jan, eva } = stage.accounts;
    const [, caller] = await stage.play(
      [{ account: eva, steps: (callee) => [callee.isInvited(), callee.refuses(486)] }],
      {
        account: jan,
        to: eva,
        steps: (caller) => [caller.invites(), caller.failsWith(486, {}, 700)],
      },
    );
    expect(countReceived(caller, 'SIP/2.0 486', '2 INVITE')).toBe(2);
  });

  test('goes by a neighbour that is a strict router, both ways', async () => {
    const { jan, eva } = stage.accounts;
    for (const isCallersBye of [true, false])
      await stage.play(
        [
          {
            account: eva,
            steps: (callee) => [
              callee.isInvited(),
              callee.answersBehindStrictRouter(),
              callee.isAcknowledged(),
              isCallersBye ? callee.isHungUpStrictly() : callee.hangsUpStrictly(),
            ],
          },
        ],
        {
          account: jan,
          to: eva,
          steps: (caller, callee) => [
            caller.invites(),
            caller.isAnswered(),
            isCallersBye ? caller.hangsUp() : callee.isHungUp(),
          ],
        },
      );
  });

  test('is ended by either side after the server was killed and started again', async () => {
    const { jan, eva } = stage.accounts;
    for (const isCallersBye of [true, false]) {
      const playing = await stage.begin(
        [
          {
            account: eva,
            steps: (callee) => [
              callee.isInvited(),
              callee.answers(200),
              callee.isAcknowledged(),
              pause(1500),
              isCallersBye ? callee.isHungUp() : callee.hangsUp(),
            ],
          },
        ],
        {
          account: jan,
          to: eva,
          steps: (caller, callee) => [
            caller.invites(),
            caller.isAnswered(),
            pause(1500),
            isCallersBye ? caller.hangsUp() : callee.isHungUp(),
          ],
        },
      );
      const [phone] = playing;
      await expect.poll(() => countReceived(phone, 'ACK ', '2 ACK'), { timeout: 5000 }).toBe(1);
      await stage.server.kill();
      expect(phone?.messages()).not.toContain('BYE');
      await stage.serve(config);
      await ends(playing);
    }
  });
});

/** How many messages a party received that begin so and have this CSeq. */
function countReceived(party: Playing | undefined, begin: string, cseq: string): number {
  const [, ...received] = (party?.messages() ?? '').split(/ message received \[\d+\] bytes :\n\n/);
  return received.filter((text) => text.startsWith(begin) && text.split('\n\n')[0]?.includes(`CSeq: ${cseq}`))
    .length;
}
