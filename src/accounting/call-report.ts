// Calls added up by what they have in common: `sipacct report --by`. Pure; the zone is that of the process.

import type { CallRecord } from '../home/acct.ts';
import { addCall, type CallSums, noCalls } from './call-sums.ts';
import { formatDay, formatMonth, type LocalTime, twoDigits } from './local-time.ts';

/** What calls can be added up by. */
export const GROUPINGS = ['month', 'day', 'year', 'hour', 'weekday', 'user', 'peer', 'direction'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** The sums of the calls with one key. */
export interface ReportRow {
  /** `2026-11`, `2026-11-22`, `2026`, `09`, `Mon`, an account, a URI, or a direction. */
  readonly key: string;
  readonly sums: CallSums;
}

/** A report as far as calls were added. */
export interface CallReport {
  readonly by: Grouping;
  /** Each call once, also where it is in the rows of two accounts. */
  readonly total: CallSums;
  /** Adds a call, which began at `time`. */
  add(call: CallRecord, time: LocalTime): void;
  /**
   * The rows: times in their order, all hours and weekdays if there is a call at all; others by the number of calls, the
   * most first.
   */
  rows(): readonly ReportRow[];
}

/** Begins a report. `owner` is whose copies the calls are; undefined: the host's. */
export function createCallReport(by: Grouping, owner: string | undefined): CallReport {
  const total = noCalls();
  const groups = new Map<string, CallSums>();
  const keyOf = keys[by];
  const sumsOf = (key: string): CallSums => {
    const known = groups.get(key);
    if (known !== undefined) return known;
    const sums = noCalls();
    // A copy: the key may be a slice of a chunk of the file, and would keep all of it.
    groups.set(Buffer.from(key).toString(), sums);
    return sums;
  };
  return {
    by,
    total,
    add(call, time) {
      addCall(total, call);
      if (by !== 'user') addCall(sumsOf(keyOf(call, time)), call);
      else for (const user of usersOf(call, owner)) addCall(sumsOf(user), call);
    },
    rows() {
      if (total.calls > 0) for (const key of always[by] ?? []) sumsOf(key);
      const rows = [...groups].map(([key, sums]) => ({ key, sums }));
      return rows.sort(by === 'weekday' ? byWeekday : isTime(by) ? byKey : byCalls);
    },
  };
}

/** Calls by weekday, Monday first, and hour. */
export interface CallWeek {
  readonly calls: readonly (readonly number[])[];
  /** Counts a call that began at `time`. */
  add(time: LocalTime): void;
}

/** Begins a week without calls. */
export function createCallWeek(): CallWeek {
  const calls = WEEKDAYS.map(() => new Array<number>(24).fill(0));
  return {
    calls,
    add({ weekday, hour }) {
      const day = calls[weekday - 1] as number[];
      day[hour] = (day[hour] as number) + 1;
    },
  };
}

/** The other side of a call; of one within the host, as root sees it, who was called. */
function peerOf(call: CallRecord): string {
  return call.direction === 'in' ? call.from : call.to;
}

/** The accounts a call is counted for; `-` where it has none. */
function usersOf(call: CallRecord, owner: string | undefined): Iterable<string> {
  if (owner !== undefined) return [owner];
  const users = new Set<string>();
  for (const user of [call.caller, call.callee, call.forwardedBy]) if (user !== undefined) users.add(user);
  return users.size === 0 ? ['-'] : users;
}

/** Whether rows are in the order of time. */
export function isTime(by: Grouping): boolean {
  return by !== 'user' && by !== 'peer' && by !== 'direction';
}

const keys: Readonly<Record<Grouping, (call: CallRecord, time: LocalTime) => string>> = {
  month: (_, time) => formatMonth(time),
  day: (_, time) => formatDay(time),
  year: (_, time) => String(time.year),
  hour: (_, time) => twoDigits(time.hour),
  weekday: (_, time) => WEEKDAYS[time.weekday - 1] as string,
  user: () => '-',
  peer: peerOf,
  direction: (call) => call.direction,
};

const always: Partial<Record<Grouping, readonly string[]>> = {
  hour: Array.from({ length: 24 }, (_, hour) => twoDigits(hour)),
  weekday: WEEKDAYS,
};

function byKey(one: ReportRow, other: ReportRow): number {
  return one.key < other.key ? -1 : 1;
}

function byWeekday(one: ReportRow, other: ReportRow): number {
  return weekdayOf(one) - weekdayOf(other);
}

function weekdayOf({ key }: ReportRow): number {
  return (WEEKDAYS as readonly string[]).indexOf(key);
}

function byCalls(one: ReportRow, other: ReportRow): number {
  return other.sums.calls - one.sums.calls || byKey(one, other);
}
