// The non-INVITE client transaction (RFC 3261 §17.1.2). Pure.

import { type Handler, resend, send, start, stop, timeout, to, toUser, transportError } from './machine.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export type NonInviteClientEvent =
  /** A response came: 1xx, or any other. */
  'provisional' | 'final' | 'transportError' | 'timerE' | 'timerF' | 'timerK';

const retransmit = to('trying', resend, start('timerE', 'doubledToT2'));
const retransmitSlowly = to('proceeding', resend, start('timerE', 't2'));
const noAnswer = to('terminated', timeout);
const unreachable = to('terminated', transportError);
const provisional = to('proceeding', toUser);
const complete = to('completed', stop('timerE'), stop('timerF'), start('timerK', 't4'), toUser);
const completeReliable = to('terminated', toUser);
const terminate = to('terminated');

/** The state after the user asked for it; over unreliable transports the request is retransmitted. */
export const nonInviteClientStart = to('trying', send, start('timerE', 't1'), start('timerF', '64t1'));
/** The same over reliable transports. */
export const nonInviteClientStartReliable = to('trying', send, start('timerF', '64t1'));

/** Over reliable transports timer K is zero. */
export const nonInviteClient = {
  trying: (event, reliable) => {
    if (event === 'provisional') return provisional;
    if (event === 'final') return reliable ? completeReliable : complete;
    if (event === 'timerE') return retransmit;
    if (event === 'timerF') return noAnswer;
    return event === 'transportError' ? unreachable : undefined;
  },
  proceeding: (event, reliable) => {
    if (event === 'provisional') return provisional;
    if (event === 'final') return reliable ? completeReliable : complete;
    if (event === 'timerE') return retransmitSlowly;
    if (event === 'timerF') return noAnswer;
    return event === 'transportError' ? unreachable : undefined;
  },
  completed: (event) => (event === 'timerK' ? terminate : undefined),
  terminated: () => undefined,
} satisfies Record<NonInviteClientState, Handler<NonInviteClientState, NonInviteClientEvent>>;
