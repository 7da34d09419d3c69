// What calls add up to. Pure.

import type { CallRecord } from '../home/acct.ts';

/** Sums over calls; `addCall` changes them in place. */
export interface CallSums {
  calls: number;
  answered: number;
  missed: number;
  busy: number;
  cancelled: number;
  failed: number;
  /** Of all that were answered together. */
  durationMs: number;
  longestMs: number;
}

/** The sums of no call. */
export function noCalls(): CallSums {
  return { calls: 0, answered: 0, missed: 0, busy: 0, cancelled: 0, failed: 0, durationMs: 0, longestMs: 0 };
}

/** Adds a call. */
export function addCall(sums: CallSums, call: CallRecord): void {
  sums.calls += 1;
  sums[call.status] += 1;
  sums.durationMs += call.durationMs;
  if (call.durationMs > sums.longestMs) sums.longestMs = call.durationMs;
}

/** The mean duration of those that were answered; 0 where none was. */
export function averageMs(sums: CallSums): number {
  return sums.answered === 0 ? 0 : Math.round(sums.durationMs / sums.answered);
}

/** Minutes with one decimal; halves go up, which a quotient of 60 alone would not let them (0.85 is less than that). */
export function formatMinutes(ms: number): string {
  return (Math.round(ms / 6000) / 10).toFixed(1);
}

/** A duration as people read it: 0:07, 12:34, 1:02:03; rounded to seconds. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const end = `:${String(seconds % 60).padStart(2, '0')}`;
  return hours === 0 ? `${minutes}${end}` : `${hours}:${String(minutes).padStart(2, '0')}${end}`;
}
