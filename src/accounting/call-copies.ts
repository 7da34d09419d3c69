// A user's copies beside the log of the host, which has every call once (sr_acct(5)). Pure.

import type { CallDirection, CallRecord } from '../home/acct.ts';

/** A copy that the log says there is. */
export interface ExpectedCopy {
  readonly user: string;
  readonly direction: CallDirection;
}

/** What a call from somebody who hides himself has for From in the copies of the called. */
const ANONYMOUS = 'sip:anonymous@anonymous.invalid';

/** Who has a copy of a call of the log: who called, and all who were called. */
export function expectedCopies({ caller, callee, others }: CallRecord): ExpectedCopy[] {
  const copies: ExpectedCopy[] = [];
  if (caller !== undefined) copies.push({ user: caller, direction: 'out' });
  for (const user of new Set([callee, ...(others ?? [])]))
    if (user !== undefined) copies.push({ user, direction: 'in' });
  return copies;
}

/**
 * The keys in which the copy of `user` says something else than the log. The called see how the call ended for them; but
 * that it was answered, and for how long, is as the log has it.
 */
export function differingKeys(log: CallRecord, copy: CallRecord, user: string): string[] {
  const differing: string[] = [];
  const same = (key: string, one: unknown, other: unknown) => {
    if (one !== other) differing.push(key);
  };
  same('start', log.start, copy.start);
  same('end', log.end, copy.end);
  same('to', log.to, copy.to);
  same('callid', log.callId, copy.callId);
  if (copy.direction === 'out' || copy.from !== ANONYMOUS) {
    same('from', log.from, copy.from);
    same('caller', log.caller, copy.caller);
    same('peer_ip', log.peerIp, copy.peerIp);
    same('ua', log.userAgent, copy.userAgent);
  }
  const isAll = copy.direction === 'out' || copy.status === 'answered' || answeredBy(log, user);
  if (isAll) {
    same('status', log.status, copy.status);
    same('answer', log.answer, copy.answer);
    same('duration', log.durationMs, copy.durationMs);
    same('code', log.code, copy.code);
    same('ended_by', log.endedBy, copy.endedBy);
  } else {
    same('answer', undefined, copy.answer);
    same('duration', 0, copy.durationMs);
  }
  if (copy.direction === 'out' ? log.caller !== user : !mayBeCalled(log, user)) differing.push('dir');
  return differing;
}

/** A call that was sent on may have been answered elsewhere, where the log names who was called first. */
function answeredBy({ callee, status, forwardedBy }: CallRecord, user: string): boolean {
  return callee === user && status === 'answered' && forwardedBy === undefined;
}

/** A caller may be among those he called, which the log does not say again. */
function mayBeCalled({ caller, callee, others, forwardedBy }: CallRecord, user: string): boolean {
  return [caller, callee, forwardedBy, ...(others ?? [])].includes(user);
}
