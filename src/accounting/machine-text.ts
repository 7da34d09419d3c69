// Figures and texts for programs: CSV (RFC 4180, lines end in \n) that no spreadsheet takes for formulas, ASCII JSON. Pure.

import type { CallRecord } from '../home/acct.ts';
import type { CallReport, ReportRow } from './call-report.ts';
import { averageMs, type CallSums } from './call-sums.ts';

type Value = string | number | undefined;

/** The figures of sums by name; durations in seconds, to the millisecond. */
function figuresOf(sums: CallSums): Record<string, number> {
  const { calls, answered, missed, busy, cancelled, failed } = sums;
  return {
    calls,
    answered,
    missed,
    busy,
    cancelled,
    failed,
    seconds: sums.durationMs / 1000,
    minutes: Math.round(sums.durationMs / 600) / 100,
    average: averageMs(sums) / 1000,
    longest: sums.longestMs / 1000,
  };
}

/** A report as one value. */
export function reportValue(report: CallReport): object {
  return { by: report.by, rows: report.rows().map(rowOf(report.by)), total: figuresOf(report.total) };
}

/** A report as one JSON object a row, without the total. */
export function reportJsonLines(report: CallReport): string[] {
  return report.rows().map((row) => asciiJson(rowOf(report.by)(row)));
}

/** A report as CSV, without the total. */
export function reportCsv(report: CallReport): string[] {
  const head = [report.by, ...Object.keys(figuresOf(report.total))];
  const rows = report.rows().map(({ key, sums }) => csvLine([key, ...Object.values(figuresOf(sums))]));
  return [csvLine(head), ...rows];
}

const columns = [
  ['id', (call) => call.id],
  ['start', (call) => isoTime(call.start)],
  ['answer', (call) => isoTime(call.answer)],
  ['end', (call) => isoTime(call.end)],
  ['duration', (call) => call.durationMs / 1000],
  ['dir', (call) => call.direction],
  ['from', (call) => call.from],
  ['to', (call) => call.to],
  ['callid', (call) => call.callId],
  ['status', (call) => call.status],
  ['code', (call) => call.code],
  ['reason', (call) => call.reason],
  ['ended_by', (call) => call.endedBy],
  ['caller', (call) => call.caller],
  ['callee', (call) => call.callee],
  ['forwarded_by', (call) => call.forwardedBy],
  ['others', (call) => call.others?.join(' ')],
  ['peer_ip', (call) => call.peerIp],
  ['ua', (call) => call.userAgent],
] as const satisfies readonly (readonly [string, (call: CallRecord) => Value])[];

/** The head of calls in CSV. */
export const callCsvHead = columns.map(([name]) => name).join(',');

/** A call as a line of CSV; the names of the columns are the keys of sr_acct(5). */
export function callCsv(call: CallRecord): string {
  return csvLine(columns.map(([, read]) => read(call)));
}

/**
 * A line of CSV. A text that a spreadsheet would take for a formula, because it begins with `=`, `+`, `-`, `@`, a tab or
 * a carriage return, gets an apostrophe before it.
 */
export function csvLine(values: readonly Value[]): string {
  return values.map((value) => (typeof value === 'string' ? csvText(value) : String(value ?? ''))).join(',');
}

function csvText(text: string): string {
  // White space and what spreadsheets pass over may stand before the formula.
  const safe = /^[\s\ufeff\u200b-\u200f]*[=+\-@\uff0b\uff0d\uff1d\uff20]|^[\t\r]/.test(text)
    ? `'${text}`
    : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** JSON in printable ASCII. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function rowOf(by: string): (row: ReportRow) => object {
  return ({ key, sums }) => ({ [by]: key, ...figuresOf(sums) });
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
