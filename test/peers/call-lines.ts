// What records of calls must be, by the keys of sr_acct(5).

import type { Account } from '../host/accounts.ts';
import { realm } from '../host/passwords.ts';

/** A record. */
export type Line = Readonly<Record<string, unknown>>;

/** What copies of a call differ in from root's, by the account that has them; in `dir` in any case. */
export type Copies = Readonly<Record<string, Line & { readonly dir: 'in' | 'out' }>>;

/** The address of an account or of an alias. */
export function uriOf(account: Account | string): string {
  return `sip:${typeof account === 'string' ? account : account.name}@${realm}`;
}

/** Root's record of a call between two accounts; `rest` says more, or otherwise. */
export function between(callid: string, caller: Account, callee: Account, rest: Line): Line {
  const uris = { from: uriOf(caller), to: uriOf(callee) };
  const accounts = { caller: caller.name, callee: callee.name };
  return { callid, dir: 'internal', ...uris, ...accounts, peer_ip: '127.0.0.1', ...rest };
}

/** The copies of two who see the same. */
export function ofBoth(caller: Account, callee: Account): Copies {
  return { [caller.name]: { dir: 'out' }, [callee.name]: { dir: 'in' } };
}

/** It began at a time, rang and was spoken in for so many seconds. */
export function answered(at: string, rings: number, speaks: number, endedBy: string): Line {
  const times = { start: time(at, 0), answer: time(at, rings), end: time(at, rings + speaks) };
  return { ...times, duration: speaks, status: 'answered', code: 200, reason: 'OK', ended_by: endedBy };
}

/** It began at a time, and was over after so many seconds. */
export function unanswered(at: string, rings: number, outcome: Line): Line {
  return { start: time(at, 0), end: time(at, rings), duration: 0, ...outcome };
}

function time(at: string, seconds: number): string {
  return new Date(Date.parse(at) + Math.round(seconds * 1000)).toISOString();
}
