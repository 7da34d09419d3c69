// Points in time as they stand in usrloc: ISO 8601, UTC, milliseconds only where there are any. Pure.

/** The last millisecond of the year 9999. */
const LATEST_MS = 253402300799999;

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
/** The date last formatted: toISOString costs more than all the rest of a usrloc line. */
let lastDay = 0;
let lastDate = '1970-01-01T';

/** Formats milliseconds since 1970; what lies outside the years 1970 to 9999 becomes the nearest, NaN the first. */
export function formatInstant(ms: number): string {
  const inside = ms > 0 ? Math.min(Math.floor(ms), LATEST_MS) : 0;
  const day = Math.floor(inside / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 11);
    lastDay = day;
  }
  const rest = inside - day * DAY_MS;
  const seconds = Math.floor(rest / 1000);
  const fraction = rest - seconds * 1000;
  const minutes = Math.floor(seconds / 60);
  const hour = TWO_DIGITS[Math.floor(minutes / 60)];
  const text = `${lastDate}${hour}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
  return fraction === 0 ? `${text}Z` : `${text}.${String(fraction).padStart(3, '0')}Z`;
}

/** Parses what `formatInstant` writes; undefined for anything else and for days that don't exist. */
export function parseInstant(text: string): number | undefined {
  const length = text.length;
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== 0x5a) return undefined;
  const year = number(text, 0, 4);
  const month = number(text, 5, 7);
  const day = number(text, 8, 10);
  const hour = number(text, 11, 13);
  const minute = number(text, 14, 16);
  const second = number(text, 17, 19);
  const ms = length === 24 ? number(text, 20, 23) : 0;
  if (!(year >= 1970 && hour < 24 && minute < 60 && second < 60 && ms >= 0)) return undefined;
  if (text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':')
    return undefined;
  if (length === 24 && text[19] !== '.') return undefined;
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The digits in [start, end) as a number, NaN where there is another character. */
function number(text: string, start: number, end: number): number {
  let result = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    result = result * 10 + digit;
  }
  return result;
}
