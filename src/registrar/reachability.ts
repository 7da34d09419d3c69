// What keepalives say of a contact: its round-trip time, and whether it answers at all (RFC 5626 §4.4). Pure.

import type { Binding } from '../home/usrloc.ts';

/** A contact is unreachable when so many keepalives in a row were not answered. */
const MISSES = 3;
/** Round-trip times below this are all the same to anybody. */
const LEAST_RTT_MS = 10;

/** What is known of one contact. */
export interface Reachability {
  readonly rttMs: number | undefined;
  /** Milliseconds since 1970; undefined: it answers, as far as is known. */
  readonly unreachableSince: number | undefined;
  /** How many keepalives in a row were not answered. */
  readonly misses: number;
}

/** What is known at first: what usrloc says. */
export function reachabilityOf({ rttMs, unreachableSince }: Binding): Reachability {
  return { rttMs, unreachableSince, misses: unreachableSince === undefined ? 0 : MISSES };
}

/** A keepalive was answered. */
export function answered(rttMs: number): Reachability {
  return { rttMs: Math.round(rttMs), unreachableSince: undefined, misses: 0 };
}

/** A keepalive was not answered. */
export function unanswered(before: Reachability, nowMs: number): Reachability {
  const misses = Math.min(before.misses + 1, MISSES);
  const since = misses < MISSES ? undefined : nowMs;
  return { rttMs: before.rttMs, unreachableSince: before.unreachableSince ?? since, misses };
}

/** Says whether usrloc should be told: of a change, of the first measurement, of half or twice the time. */
export function isNews(written: Binding, { rttMs, unreachableSince }: Reachability): boolean {
  if ((written.unreachableSince === undefined) !== (unreachableSince === undefined)) return true;
  if (rttMs === undefined) return false;
  if (written.rttMs === undefined) return true;
  const [one, other] = [Math.max(written.rttMs, LEAST_RTT_MS), Math.max(rttMs, LEAST_RTT_MS)];
  return one > 2 * other || other > 2 * one;
}
