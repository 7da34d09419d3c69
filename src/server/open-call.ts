// A call that has not ended, as plain values that a journal can keep, and the records that come of it (DESIGN §2). Pure.

import type { CallDirection, CallEnder, CallRecord, CallStatus } from '../home/acct.ts';
import { fromOctets } from '../message/octets.ts';
import type { CallDialog, CallParty } from './call-party.ts';

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
  /** Those that have not ended. */
  dialogs: CallDialog[];
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
  /** Whose share of open calls it takes: the account's, or a stranger's network's; undefined: nobody's. */
  readonly share?: string | undefined;
  /** Accounting in the caller's settings. */
  readonly isCallerKept: boolean;
  /** Whether root's copy gets it: a call that comes by here once more is there once. */
  readonly isLogged: boolean;
  readonly party: CallParty;
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
  const callee = answer?.by ?? called[0]?.name;
  const { forwardedBy } = end;
  if (call.isLogged) {
    const direction = caller === undefined ? 'in' : callee === undefined ? 'out' : 'internal';
    const others = called.map(({ name }) => name).filter((name) => name !== callee && name !== caller);
    const view = { direction, callee, forwardedBy, others, isAnonymous: false } as const;
    copies.push({ user: undefined, record: recordOf(call, end, end, view), mayLack: false });
  }
  if (caller !== undefined && call.isCallerKept) {
    const view = { direction: 'out', callee, forwardedBy, others: undefined, isAnonymous: false } as const;
    copies.push({ user: caller, record: recordOf(call, end, end, view), mayLack: false });
  }
  for (const { name, isKept, hasFiles, outcome = end, forwardedBy: by } of called) {
    if (!isKept) continue;
    const { isAnonymous } = call;
    const he = outcome.status === 'answered' ? callee : name;
    const view = { direction: 'in', callee: he, forwardedBy: by, others: undefined, isAnonymous } as const;
    copies.push({ user: name, record: recordOf(call, end, outcome, view), mayLack: !hasFiles });
  }
  return copies;
}

/** In what the copies of a call differ, besides its outcome. */
interface View {
  readonly direction: CallDirection;
  readonly callee: string | undefined;
  readonly forwardedBy: string | undefined;
  readonly others: readonly string[] | undefined;
  /** Who called is not said. */
  readonly isAnonymous: boolean;
}

/** Written out: copies of objects of many fields are slow to make. */
function recordOf(call: OpenCall, { at, endedBy }: CallEnd, outcome: Outcome, view: View): CallRecord {
  const { start, answer, userAgent } = call;
  const { status, code, reason } = outcome;
  const { isAnonymous } = view;
  const answeredAt = status === 'answered' ? answer?.at : undefined;
  const end = Math.max(at, answer?.at ?? start);
  return {
    id: call.id,
    start,
    answer: answeredAt,
    end,
    durationMs: answeredAt === undefined ? 0 : end - answeredAt,
    direction: view.direction,
    from: isAnonymous ? 'sip:anonymous@anonymous.invalid' : fromOctets(call.from),
    to: fromOctets(call.to),
    callId: fromOctets(call.callId),
    status,
    code,
    reason: reason === undefined ? undefined : fromOctets(reason),
    endedBy: answer === undefined || answeredAt !== undefined ? endedBy : undefined,
    caller: isAnonymous ? undefined : call.caller,
    callee: view.callee,
    forwardedBy: view.forwardedBy,
    others: view.others,
    peerIp: isAnonymous ? undefined : call.peerIp,
    userAgent: userAgent === undefined || isAnonymous ? undefined : fromOctets(userAgent),
  };
}
