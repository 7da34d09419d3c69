// The calls that are going on, as the control socket tells of them: to a party what he knows himself. Pure.

import { fromOctets } from '../message/octets.ts';
import type { OpenCall } from './open-call.ts';

/** One call; what is not known is null. */
export interface ListedCall {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly start: string;
  /** Null: it rings. */
  readonly answer: string | null;
  readonly from: string;
  readonly to: string;
  /** The account that calls. */
  readonly caller: string | null;
  /** The accounts that are called. */
  readonly called: readonly string[];
}

/** What is told at once; of more, `more` says how many. */
const MOST_CALLS = 1000;

/**
 * Lists calls, of one account where `user` is given. Whoever is no administrator is not told whom else a call rings at,
 * which the callee's settings decide, nor who calls anonymously.
 */
export function listCalls(
  open: Iterable<OpenCall>,
  user: string | undefined,
  isAdministrator: boolean,
): { readonly calls: readonly ListedCall[]; readonly more: number } {
  const calls: ListedCall[] = [];
  let more = 0;
  for (const call of open) {
    const { id, start, answer, from, to, caller, isAnonymous } = call;
    const called = call.called.map(({ name }) => name);
    if (user !== undefined && caller !== user && !called.includes(user)) continue;
    if (calls.length >= MOST_CALLS) {
      more++;
      continue;
    }
    const isHidden = isAnonymous && !isAdministrator && caller !== user;
    calls.push({
      id,
      start: new Date(start).toISOString(),
      answer: answer === undefined ? null : new Date(answer.at).toISOString(),
      from: isHidden ? 'sip:anonymous@anonymous.invalid' : fromOctets(from),
      to: fromOctets(to),
      caller: isHidden ? null : (caller ?? null),
      called: isAdministrator ? called : called.filter((name) => name === user),
    });
  }
  return { calls, more };
}
