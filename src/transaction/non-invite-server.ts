// The non-INVITE server transaction (RFC 3261 §17.2.2, RFC 4320 §4.2). Pure.

import { type Handler, resend, send, start, stop, to, transportError } from './machine.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export type NonInviteServerEvent =
  /** The request came again. */
  | 'request'
  /** The user answers. */
  | 'provisional'
  | 'final'
  | 'transportError'
  | 'timerExpire'
  | 'timerJ';

const answer = to('proceeding', send);
const repeat = to('proceeding', resend);
const complete = to('completed', send, stop('timerExpire'), start('timerJ', '64t1'));
const completeReliable = to('terminated', send);
const repeatFinal = to('completed', resend);
const proceedingUnsent = to('proceeding', transportError);
const completedUnsent = to('completed', transportError);
const terminate = to('terminated');

/** The state after the request was given to the user. */
export const nonInviteServerStart = to('trying', start('timerExpire', '64t1'));

/** Over reliable transports timer J is zero. A transport error changes no state: a retransmission may get through. */
export const nonInviteServer = {
  trying: (event, reliable) => {
    if (event === 'provisional') return answer;
    if (event === 'final') return reliable ? completeReliable : complete;
    return event === 'timerExpire' ? terminate : undefined;
  },
  proceeding: (event, reliable) => {
    if (event === 'request') return repeat;
    if (event === 'provisional') return answer;
    if (event === 'final') return reliable ? completeReliable : complete;
    if (event === 'transportError') return proceedingUnsent;
    return event === 'timerExpire' ? terminate : undefined;
  },
  completed: (event) => {
    if (event === 'request') return repeatFinal;
    if (event === 'transportError') return completedUnsent;
    return event === 'timerJ' ? terminate : undefined;
  },
  terminated: () => undefined,
} satisfies Record<NonInviteServerState, Handler<NonInviteServerState, NonInviteServerEvent>>;
