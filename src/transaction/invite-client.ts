// The INVITE client transaction (RFC 3261 §17.1.1 as amended by RFC 6026 §7.2; CANCEL §9.1). Pure.

import {
  type Handler,
  resend,
  send,
  sendAck,
  sendCancel,
  start,
  stop,
  timeout,
  to,
  toUser,
  transportError,
} from './machine.ts';

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

export type InviteClientEvent =
  /** A response came: 1xx, 2xx, or 3xx to 6xx. */
  | 'provisional'
  | 'success'
  | 'failure'
  /** The user gives up. */
  | 'cancel'
  | 'transportError'
  | 'timerA'
  | 'timerB'
  | 'timerD'
  | 'timerM'
  | 'timerCancel';

const retransmit = to('calling', resend, start('timerA', 'doubled'));
const noAnswer = to('terminated', timeout);
const unreachable = to('terminated', transportError);
const firstRing = to('proceeding', stop('timerA'), stop('timerB'), toUser);
const ring = to('proceeding', toUser);
const cancel = to('proceeding', sendCancel, start('timerCancel', '64t1'));
const accepted = to(
  'accepted',
  stop('timerA'),
  stop('timerB'),
  stop('timerCancel'),
  start('timerM', '64t1'),
  toUser,
);
const refused = to(
  'completed',
  stop('timerA'),
  stop('timerB'),
  stop('timerCancel'),
  sendAck,
  start('timerD', 'd'),
  toUser,
);
const refusedReliable = to('terminated', sendAck, toUser);
const acceptedAgain = to('accepted', toUser);
const refusedAgain = to('completed', sendAck);
const terminate = to('terminated');

/** The state after the user asked for it; over unreliable transports the INVITE is retransmitted. */
export const inviteClientStart = to('calling', send, start('timerA', 't1'), start('timerB', '64t1'));
/** The same over reliable transports. */
export const inviteClientStartReliable = to('calling', send, start('timerB', '64t1'));

/** Over reliable transports timer D is zero. CANCEL waits for a provisional response (RFC 3261 §9.1). */
export const inviteClient = {
  calling: (event, reliable) => {
    if (event === 'provisional') return firstRing;
    if (event === 'success') return accepted;
    if (event === 'failure') return reliable ? refusedReliable : refused;
    if (event === 'timerA') return retransmit;
    if (event === 'timerB') return noAnswer;
    return event === 'transportError' ? unreachable : undefined;
  },
  proceeding: (event, reliable) => {
    if (event === 'provisional') return ring;
    if (event === 'success') return accepted;
    if (event === 'failure') return reliable ? refusedReliable : refused;
    if (event === 'cancel') return cancel;
    return event === 'timerCancel' ? noAnswer : undefined;
  },
  completed: (event) => {
    if (event === 'failure') return refusedAgain;
    if (event === 'timerD') return terminate;
    return event === 'transportError' ? unreachable : undefined;
  },
  accepted: (event) => {
    if (event === 'success') return acceptedAgain;
    return event === 'timerM' ? terminate : undefined;
  },
  terminated: () => undefined,
} satisfies Record<InviteClientState, Handler<InviteClientState, InviteClientEvent>>;
