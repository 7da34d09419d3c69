// The INVITE server transaction (RFC 3261 §17.2.1 as amended by RFC 6026 §7.1). Pure.

import {
  type Handler,
  resend,
  send,
  sendTrying,
  start,
  stop,
  timeout,
  to,
  toUser,
  transportError,
} from './machine.ts';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

export type InviteServerEvent =
  /** The INVITE came again. */
  | 'request'
  | 'ack'
  /** The user answers 1xx, 2xx, or 3xx to 6xx. */
  | 'provisional'
  | 'success'
  | 'failure'
  | 'transportError'
  | 'timerTrying'
  | 'timerG'
  | 'timerH'
  | 'timerI'
  | 'timerL';

const trying = to('proceeding', sendTrying);
const ring = to('proceeding', stop('timerTrying'), send);
const repeatRing = to('proceeding', resend);
const accept = to('accepted', stop('timerTrying'), send, start('timerL', '64t1'));
const refuse = to('completed', stop('timerTrying'), send, start('timerG', 't1'), start('timerH', '64t1'));
const refuseReliable = to('completed', stop('timerTrying'), send, start('timerH', '64t1'));
const repeatRefusal = to('completed', resend);
const retransmitRefusal = to('completed', resend, start('timerG', 'doubledToT2'));
const noAck = to('terminated', timeout);
const confirm = to('confirmed', stop('timerG'), stop('timerH'), start('timerI', 't4'));
const repeatAcceptance = to('accepted', send);
const ackToUser = to('accepted', toUser);
const proceedingUnsent = to('proceeding', transportError);
const completedUnsent = to('completed', transportError);
const acceptedUnsent = to('accepted', transportError);
const terminate = to('terminated');

/** The state after the INVITE was given to the user. */
export const inviteServerStart = to('proceeding', start('timerTrying', 'trying'));

/**
 * A transport error changes no state (RFC 6026 §7.1). The user owes every INVITE a final response; retransmissions of
 * a 2xx, and the ACK for it, are his.
 */
export const inviteServer = {
  proceeding: (event, reliable) => {
    if (event === 'request') return repeatRing;
    if (event === 'provisional') return ring;
    if (event === 'success') return accept;
    if (event === 'failure') return reliable ? refuseReliable : refuse;
    if (event === 'timerTrying') return trying;
    return event === 'transportError' ? proceedingUnsent : undefined;
  },
  completed: (event, reliable) => {
    if (event === 'request') return repeatRefusal;
    if (event === 'ack') return reliable ? terminate : confirm;
    if (event === 'timerG') return retransmitRefusal;
    if (event === 'timerH') return noAck;
    return event === 'transportError' ? completedUnsent : undefined;
  },
  confirmed: (event) => (event === 'timerI' ? terminate : undefined),
  accepted: (event) => {
    if (event === 'success') return repeatAcceptance;
    if (event === 'ack') return ackToUser;
    if (event === 'timerL') return terminate;
    return event === 'transportError' ? acceptedUnsent : undefined;
  },
  terminated: () => undefined,
} satisfies Record<InviteServerState, Handler<InviteServerState, InviteServerEvent>>;
