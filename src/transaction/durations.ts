// How long timers run (RFC 3261 §17, table 4; RFC 6026). Pure.

import type { Delay } from './machine.ts';

/** T1, T2 and T4 of RFC 3261 §17.1.1.1, in milliseconds. */
export interface Durations {
  /** Estimated round-trip time: 500. */
  readonly t1Ms: number;
  /** The longest interval between retransmissions: 4000. */
  readonly t2Ms: number;
  /** How long a message may stay in the network: 5000. */
  readonly t4Ms: number;
}

const tryingMs = 200;
const shortestTimerDMs = 32_000;

/** The milliseconds a delay stands for, after a retransmission interval of `lastMs`. */
export function durationOf(delay: Delay, { t1Ms, t2Ms, t4Ms }: Durations, lastMs: number): number {
  switch (delay) {
    case 't1':
      return t1Ms;
    case 't2':
      return t2Ms;
    case 't4':
      return t4Ms;
    case '64t1':
      return 64 * t1Ms;
    case 'd':
      return Math.max(shortestTimerDMs, 64 * t1Ms);
    case 'doubled':
      return 2 * lastMs;
    case 'doubledToT2':
      return Math.min(2 * lastMs, t2Ms);
    case 'trying':
      return tryingMs;
  }
}
