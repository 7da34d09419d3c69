// A call that has not ended, as plain values that a journal can keep, and the records that come of it (DESIGN §2). Pure.

import type { CallEnder, CallRecord, CallStatus } from '../home/acct.ts';
import { fromOctets } from '../message/octets.ts';

/** How a call ended for one of its parties. */
export interface Outcome {
  readonly status: CallStatus;
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
}

/** An account that was called. */
export interface CalledAccount {
  readonly name: string;
  /** Accounting in his settings. */
  readonly isKept: boolean;
  /** Whether there is a ~/.sr that a record can go to. */
  readonly hasFiles: boolean;
  /** The account whose settings sent the call on to him, or from him. */
  forwardedBy?: string | undefined;
  /** Undefined: as for the caller. */
  outcome?: Outcome | undefined;
}

/** A final success. */
export interface CallAnswer {
  readonly at: number;
  readonly code: number;
  readonly reason: string;
  /** The account that answered; undefined: somebody else. */
  readonly by?: string | undefined;
  readonly forwardedBy?: string | undefined;
  /** The To tags of the dialogs that the call still consists of. */
  tags: string[];
}

/** A call. Texts are octet strings but for the names of accounts; times are milliseconds since 1970. */
export interface OpenCall {
  /** The call's in its records. */
  readonly id: string;
  /** Its own: a call that comes by here once more has the same id. */
  readonly handle: string;
  /** Call-ID and the caller's tag: what requests within its dialogs are found by. */
  readonly key: string;
  readonly start: number;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  /** The called are not told who it is (RFC 3323). */
  readonly isAnonymous: boolean;
  /** The account that called; undefined: somebody else. */
  readonly caller?: string | undefined;
  /** Accounting in the caller's settings. */
  readonly isCallerKept: boolean;
  /** Whether root's copy gets it: a call that comes by here once more is there once. */
  readonly isLogged: boolean;
  readonly peerIp: string;
  readonly userAgent?: string | undefined;
  readonly called: CalledAccount[];
  answer?: CallAnswer | undefined;
  /** Session-Expires of the last refresh (RFC 4028), in milliseconds; undefined: there is no session timer. */
  sessionMs?: number | undefined;
  /** When the session was refreshed last. */
  refreshedAt: number;
  /** Read from the journal and not heard of since: when it was last known to go on. */
  knownAt?: number | undefined;
}

/** How a call ended. */
export interface CallEnd extends Outcome {
  readonly at: number;
  readonly endedBy?: CallEnder | undefined;
  readonly forwardedBy?: string | undefined;
}

/** One copy of a record; `user` undefined: root's. */
export interface Copy {
  readonly user: string | undefined;
  readonly record: CallRecord;
  /** It need not be there: the account may have no ~/.sr. */
  readonly mayLack: boolean;
}

/** The end of a call that was answered. */
export function endOfAnswered({ answer }: OpenCall, at: number, endedBy: CallEnder): CallEnd {
  const { code, reason, forwardedBy } = answer as CallAnswer;
  return { status: 'answered', code, reason, at, endedBy, forwardedBy };
}

/** The copies of a call that has ended. None for whom nothing is kept, or where nobody is of this host. */
export function copiesOf(call: OpenCall, end: CallEnd): Copy[] {
  const { called, caller, answer } = call;
  if (caller === undefined && called.length === 0) return [];
  const copies: Copy[] = [];
  const callee = answer === undefined ? called[0]?.name : (answer.by ?? called[0]?.name);
  const base = { ...partsOf(call, end), caller, callee, forwardedBy: end.forwardedBy };
  if (call.isLogged) {
    const direction = caller === undefined ? 'in' : callee === undefined ? 'out' : 'internal';
    const others = called.map(({ name }) => name).filter((name) => name !== callee && name !== caller);
    copies.push({ user: undefined, record: { ...base, direction, others }, mayLack: false });
  }
  if (caller !== undefined && call.isCallerKept)
    copies.push({ user: caller, record: { ...base, direction: 'out' }, mayLack: false });
  const from = call.isAnonymous ? 'sip:anonymous@anonymous.invalid' : base.from;
  for (const each of called) {
    if (!each.isKept) continue;
    const { status, code, reason } = each.outcome ?? end;
    const isAnswered = status === 'answered';
    const record: CallRecord = {
      ...base,
      ...{ direction: 'in', from, status, code, reason: reason && fromOctets(reason) },
      caller: call.isAnonymous ? undefined : caller,
      callee: isAnswered ? callee : each.name,
      forwardedBy: each.forwardedBy,
      answer: isAnswered ? base.answer : undefined,
      durationMs: isAnswered ? base.durationMs : 0,
      endedBy: isAnswered ? base.endedBy : undefined,
      peerIp: call.isAnonymous ? undefined : base.peerIp,
      userAgent: call.isAnonymous ? undefined : base.userAgent,
    };
    copies.push({ user: each.name, record, mayLack: !each.hasFiles });
  }
  return copies;
}

function partsOf(call: OpenCall, { at, status, code, reason, endedBy }: CallEnd) {
  const { id, start, callId, from, to, answer, peerIp, userAgent } = call;
  const end = Math.max(at, answer?.at ?? start);
  return {
    ...{ id, start, answer: answer?.at, end, status, code, endedBy, peerIp },
    durationMs: answer === undefined ? 0 : end - answer.at,
    from: fromOctets(from),
    to: fromOctets(to),
    callId: fromOctets(callId),
    reason: reason && fromOctets(reason),
    userAgent: userAgent && fromOctets(userAgent),
  };
}
