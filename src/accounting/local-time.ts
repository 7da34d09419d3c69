// Points in time as the clock on the wall shows them, in the zone of the process (TZ), also where that changes. Pure.

/** A minute on the wall. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** 1 is Monday, 7 Sunday (ISO 8601). */
  readonly weekday: number;
}

const MINUTE_MS = 60_000;

/** Makes a clock that remembers the minute it was asked for last: calls come in the order of time. */
export function createLocalClock(): (ms: number) => LocalTime {
  let minute = Number.NaN;
  let time: LocalTime = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, weekday: 4 };
  return (ms) => {
    const asked = Math.floor(ms / MINUTE_MS);
    if (asked !== minute) {
      minute = asked;
      time = localTime(ms);
    }
    return time;
  };
}

/** Milliseconds since 1970 as local time. */
export function localTime(ms: number): LocalTime {
  const date = new Date(ms);
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    weekday: date.getDay() === 0 ? 7 : date.getDay(),
  };
}

/** YYYY-MM-DD. */
export function formatDay({ year, month, day }: LocalTime): string {
  return `${year}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** YYYY-MM. */
export function formatMonth({ year, month }: LocalTime): string {
  return `${year}-${twoDigits(month)}`;
}

/** YYYY-MM-DD HH:MM:SS of milliseconds since 1970. */
export function formatLocal(ms: number): string {
  const time = localTime(ms);
  const second = new Date(ms).getSeconds();
  return `${formatDay(time)} ${twoDigits(time.hour)}:${twoDigits(time.minute)}:${twoDigits(second)}`;
}

/** At least two digits. */
export function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
