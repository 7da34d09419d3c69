import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  inviteClient,
  inviteClientStart,
  inviteClientStartReliable,
} from '../../src/transaction/invite-client.ts';
import { inviteServer, inviteServerStart } from '../../src/transaction/invite-server.ts';
import type { Handler, TimerName, Transition } from '../../src/transaction/machine.ts';
import {
  nonInviteClient,
  nonInviteClientStart,
  nonInviteClientStartReliable,
} from '../../src/transaction/non-invite-client.ts';
import { nonInviteServer, nonInviteServerStart } from '../../src/transaction/non-invite-server.ts';

type Machine = Readonly<Record<string, Handler<string, string>>>;

interface Case {
  readonly name: string;
  readonly machine: Machine;
  readonly start: Transition<string>;
  readonly reliable: boolean;
  readonly events: readonly string[];
  /** What the user owes: without it the machine waits for ever. */
  readonly owed?: string;
}

const answers = ['provisional', 'success', 'failure', 'transportError'];
const cases: Case[] = [true, false].flatMap((reliable): Case[] => [
  {
    name: 'INVITE server',
    machine: inviteServer as Machine,
    start: inviteServerStart,
    reliable,
    events: [...answers, 'request', 'ack'],
    owed: 'failure',
  },
  {
    name: 'non-INVITE server',
    machine: nonInviteServer as Machine,
    start: nonInviteServerStart,
    reliable,
    events: ['provisional', 'final', 'transportError', 'request'],
  },
  {
    name: 'INVITE client',
    machine: inviteClient as Machine,
    start: reliable ? inviteClientStartReliable : inviteClientStart,
    reliable,
    events: [...answers, 'cancel'],
    owed: 'cancel',
  },
  {
    name: 'non-INVITE client',
    machine: nonInviteClient as Machine,
    start: reliable ? nonInviteClientStartReliable : nonInviteClientStart,
    reliable,
    events: ['provisional', 'final', 'transportError'],
  },
]);

const allTimers: TimerName[] = [
  'timerA',
  'timerB',
  'timerD',
  'timerE',
  'timerF',
  'timerG',
  'timerH',
  'timerI',
  'timerJ',
  'timerK',
  'timerL',
  'timerM',
  'timerTrying',
  'timerCancel',
  'timerExpire',
];
const retransmissions = ['timerA', 'timerE', 'timerG'];

/** Walks a machine and knows which of its timers run. */
function walk({ machine, start, reliable }: Case) {
  const running = new Set<TimerName>();
  let state = '';
  const take = (transition: Transition<string> | undefined): Transition<string> | undefined => {
    if (transition === undefined) return undefined;
    state = transition.state;
    for (const effect of transition.effects) {
      if (effect.type === 'start') running.add(effect.timer);
      if (effect.type === 'stop') running.delete(effect.timer);
    }
    if (state === 'terminated') running.clear();
    return transition;
  };
  take(start);
  return {
    state: () => state,
    running,
    event: (event: string) => {
      running.delete(event as TimerName);
      return take(machine[state]?.(event, reliable));
    },
  };
}

describe.each(cases)('$name transaction, reliable: $reliable (§17)', (each) => {
  test('ends after any events, when what is owed is given and silence follows', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...each.events)), (events) => {
        const machine = walk(each);
        for (const event of events) machine.event(event);
        if (each.owed !== undefined) machine.event(each.owed);
        // Silence: the timers that run fire, those that retransmit last of all.
        for (let fired = 0; machine.running.size > 0 && fired < 20; fired += 1) {
          const names = [...machine.running];
          machine.event(names.find((name) => !retransmissions.includes(name)) ?? (names[0] as string));
        }
        expect(machine.state()).toBe('terminated');
      }),
    );
  });

  test('changes nothing on events of no meaning, and nothing at all once terminated', () => {
    for (const [state, handler] of Object.entries(each.machine)) {
      expect(handler('nonsense', each.reliable)).toBeUndefined();
      if (state !== 'terminated') continue;
      for (const event of [...each.events, ...allTimers])
        expect(handler(event, each.reliable)).toBeUndefined();
    }
  });

  test('knows what to do when any timer of its own fires', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...each.events)), fc.nat(), (events, pick) => {
        const machine = walk(each);
        for (const event of events) machine.event(event);
        const names = [...machine.running];
        if (names.length === 0) return;
        expect(machine.event(names[pick % names.length] as string)).toBeDefined();
      }),
    );
  });

  test('retransmits by itself over unreliable transports only', () => {
    const started = Object.values(each.machine).flatMap((handler) =>
      each.events.flatMap((event) => handler(event, each.reliable)?.effects ?? []),
    );
    const names = [...started, ...each.start.effects].flatMap((effect) =>
      effect.type === 'start' ? [effect.timer] : [],
    );
    const expected = !each.reliable && each.name !== 'non-INVITE server';
    expect(names.some((name) => retransmissions.includes(name))).toBe(expected);
  });
});
