// The time a user asks for: `today`, `-7d`, `2026-11`, `2026-11-22T10:15`, in the zone of the process. Pure: time comes in.

import { formatDay, formatLocal, localTime } from './local-time.ts';

/** From `since` up to `until`, which is not part of it; milliseconds since 1970, or infinite. */
export interface Period {
  readonly since: number;
  readonly until: number;
}

export const ALWAYS: Period = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** What a time is expected to look like, for messages. */
export const TIME_FORMS = 'now, today, yesterday, -7d, 2026, 2026-11, 2026-11-22 or 2026-11-22T10:15';

const HOUR_MS = 3_600_000;

/**
 * Reads a time as the period that it names; one of length 0 for a point in time. `-2h` and `-30min` are so long ago,
 * `-7d` and `-2w` the same time of day so many days ago. Undefined for anything else and for days that don't exist.
 */
export function parsePeriod(text: string, now: number): Period | undefined {
  const today = localTime(now);
  switch (text) {
    case 'now':
      return { since: now, until: now };
    case 'today':
      return days(today.year, today.month, today.day, 1);
    case 'yesterday':
      return days(today.year, today.month, today.day - 1, 1);
  }
  const ago = /^-(\d{1,6})(min|h|d|w)$/.exec(text);
  if (ago !== null) return point(timeAgo(Number(ago[1]), ago[2] as string, now));
  return parseDate(text) ?? parseDateTime(text);
}

/** This year, month or day, or the one that `text` names as YYYY, YYYY-MM or YYYY-MM-DD; undefined where it names none. */
export function parseCalendar(
  unit: 'year' | 'month' | 'day',
  text: string | undefined,
  now: number,
): Period | undefined {
  const { year, month, day } = localTime(now);
  if (text === undefined) {
    if (unit === 'day') return days(year, month, day, 1);
    return unit === 'month' ? months(year, month, 1) : months(year, 1, 12);
  }
  if (text.length !== { year: 4, month: 7, day: 10 }[unit]) {
    return unit === 'day' && (text === 'today' || text === 'yesterday') ? parsePeriod(text, now) : undefined;
  }
  return parseDate(text);
}

/** What is in both periods; empty where they don't meet. */
export function intersect(one: Period, other: Period): Period {
  return { since: Math.max(one.since, other.since), until: Math.min(one.until, other.until) };
}

/** A period as people read it, by days where it is one of whole days; empty for all the time. */
export function formatPeriod({ since, until }: Period): string {
  const first = Number.isFinite(since) ? formatEnd(since) : undefined;
  // The last day of it, not the one on which it is over.
  const isMidnight = Number.isFinite(until) && formatLocal(until).endsWith(' 00:00:00');
  const last = Number.isFinite(until)
    ? isMidnight
      ? formatDay(localTime(until - 1))
      : formatLocal(until)
    : undefined;
  if (first === undefined) return last === undefined ? '' : `until ${last}`;
  if (last === undefined) return `since ${first}`;
  return first === last ? first : `${first} to ${last}`;
}

function formatEnd(at: number): string {
  const text = formatLocal(at);
  return text.endsWith(' 00:00:00') ? formatDay(localTime(at)) : text;
}

function parseDate(text: string): Period | undefined {
  const found = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text);
  if (found === null) return undefined;
  const year = Number(found[1]);
  if (found[2] === undefined) return year < 1970 ? undefined : months(year, 1, 12);
  const month = Number(found[2]);
  const day = found[3] === undefined ? undefined : Number(found[3]);
  if (!isDay(year, month, day ?? 1)) return undefined;
  return day === undefined ? months(year, month, 1) : days(year, month, day, 1);
}

/** `2026-11-22T10:15`, with seconds or without, local time or with a zone; a blank may stand for the T. */
function parseDateTime(text: string): Period | undefined {
  const found =
    /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Number((found[7] ?? '').padEnd(3, '0'));
  const zone = found[8];
  if (zone === undefined) return point(new Date(year, month - 1, day, hour, minute, second, ms).getTime());
  return point(Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs(zone));
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const size = Number(digits.slice(0, 2)) * HOUR_MS + Number(digits.slice(2)) * 60_000;
  return zone.startsWith('-') ? -size : size;
}

function timeAgo(count: number, unit: string, now: number): number {
  if (unit === 'min') return now - count * 60_000;
  if (unit === 'h') return now - count * HOUR_MS;
  const date = new Date(now);
  date.setDate(date.getDate() - count * (unit === 'w' ? 7 : 1));
  return date.getTime();
}

function days(year: number, month: number, day: number, count: number): Period {
  return { since: midnight(year, month, day), until: midnight(year, month, day + count) };
}

function months(year: number, month: number, count: number): Period {
  return { since: midnight(year, month, 1), until: midnight(year, month + count, 1) };
}

/** When a day begins; what lies outside of a month or year counts on. */
function midnight(year: number, month: number, day: number): number {
  return new Date(year, month - 1, day).getTime();
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function point(at: number): Period {
  return { since: at, until: at };
}
