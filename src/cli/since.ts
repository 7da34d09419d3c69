// Points in time as people name them on a command line: `yesterday`, `-7d`, `2026-11-22`. Pure.

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Milliseconds since 1970 of a time in the zone of the host, where it names none; undefined: it is no time. */
export function parseSince(text: string, now: number): number | undefined {
  if (text === 'today' || text === 'yesterday') {
    const day = new Date(now);
    return new Date(day.getFullYear(), day.getMonth(), day.getDate() - (text === 'today' ? 0 : 1)).getTime();
  }
  const ago = /^-(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNITS[ago[2] as string] as number);
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z)?)?$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as [
    ...[number, number, number, number, number, number],
  ];
  const fields = [year, month - 1, day, hour, minute, second] as const;
  const utc = new Date(Date.UTC(...fields));
  const isTime = utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day && hour < 24 && minute < 60;
  if (!isTime || second > 59) return undefined;
  return parts[7] === 'Z' ? utc.getTime() : new Date(...fields).getTime();
}
