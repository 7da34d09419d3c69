// Days without a gap, as charts need them. Pure.

import type { ReportRow } from './call-report.ts';
import { type CallSums, noCalls } from './call-sums.ts';

const MOST_DAYS = 400;

/** The days from the first to the last, those without calls too; months where days would be too many to see. */
export function timeRows(days: readonly ReportRow[]): ['day' | 'month', readonly ReportRow[]] {
  const [first, last] = [days[0]?.key, days.at(-1)?.key];
  if (first === undefined || last === undefined) return ['day', []];
  const known = new Map(days.map(({ key, sums }) => [key, sums]));
  const count = (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1;
  if (count > MOST_DAYS) return ['month', monthRows(days)];
  const rows: ReportRow[] = [];
  for (let day = 0; day < count; day++) {
    const key = new Date(Date.parse(first) + day * 86_400_000).toISOString().slice(0, 10);
    rows.push({ key, sums: known.get(key) ?? noCalls() });
  }
  return ['day', rows];
}

function monthRows(days: readonly ReportRow[]): ReportRow[] {
  const months = new Map<string, CallSums>();
  const first = (days[0] as ReportRow).key;
  const last = (days.at(-1) as ReportRow).key;
  const month = new Date(`${first.slice(0, 7)}-01T00:00:00Z`);
  for (; month.toISOString().slice(0, 7) <= last.slice(0, 7); month.setUTCMonth(month.getUTCMonth() + 1))
    months.set(month.toISOString().slice(0, 7), noCalls());
  for (const { key, sums } of days) {
    const sum = months.get(key.slice(0, 7)) as CallSums;
    for (const name of ['calls', 'answered', 'missed', 'busy', 'cancelled', 'failed', 'durationMs'] as const)
      sum[name] += sums[name];
    sum.longestMs = Math.max(sum.longestMs, sums.longestMs);
  }
  return [...months].map(([key, sums]) => ({ key, sums }));
}
