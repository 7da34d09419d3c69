// A report for people: aligned columns, a total, and on a terminal bars. Pure.

import { type CallReport, isTime, type ReportRow } from './call-report.ts';
import { averageMs, type CallSums, formatDuration, formatMinutes } from './call-sums.ts';
import { cutToWidth, displayWidth, padToWidth } from './display-width.ts';

/** A line of the table; how it is shown is the terminal's affair. */
export interface TableLine {
  readonly type: 'head' | 'row' | 'rule' | 'total';
  readonly text: string;
  /** Drawn behind the text; empty into a pipe. */
  readonly bar: string;
}

/** The eighths of a bar that is not full, from what little there is on. */
const LEVELS = ['▁', '▂', '▃', '▅', '▇'] as const;
const LONGEST_BAR = 24;
const SHORTEST_BAR = 4;
const USUAL_BAR = 8;
const SHORTEST_NAME = 10;
const GAP = '  ';

const titles = {
  month: 'MONTH',
  day: 'DAY',
  year: 'YEAR',
  hour: 'HOUR',
  weekday: 'WEEKDAY',
  user: 'USER',
  peer: 'PEER',
  direction: 'DIRECTION',
} as const;

/**
 * Formats a report. `columns` is the width of a terminal, to which names are cut and bars are drawn; undefined: neither.
 * A report without calls is its head and total.
 */
export function reportTable(report: CallReport, columns: number | undefined): readonly TableLine[] {
  const rows = report.rows();
  const head = [titles[report.by], 'CALLS', 'ANSWERED', 'MISSED', 'MINUTES', 'AVERAGE', 'LONGEST'];
  const cells = rows.map((row) => [nameOf(row, report), ...figures(row.sums)]);
  const total = ['Total', ...figures(report.total)];
  const all = [head, ...cells, total];
  const widths = head.map((_, at) => Math.max(...all.map((line) => displayWidth(line[at] as string))));
  const figuresWidth = widths.slice(1).reduce((sum, width) => sum + width + GAP.length, 0);
  if (columns !== undefined) widths[0] = Math.min(widths[0] as number, longestName(columns - figuresWidth));
  const width = (widths[0] as number) + figuresWidth;
  const room = columns === undefined ? 0 : Math.min(LONGEST_BAR, columns - width - GAP.length - 1);
  const most = Math.max(...rows.map(({ sums }) => sums.calls));
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, at) => {
        const columnWidth = widths[at] as number;
        return at === 0
          ? padToWidth(cutToWidth(cell, columnWidth), columnWidth)
          : padToWidth(cell, columnWidth, 'right');
      })
      .join(GAP);
  const barOf = ({ sums }: ReportRow) =>
    room < SHORTEST_BAR || rows.length < 2 ? '' : `${GAP}${bar(sums.calls, most, room)}`;
  const lines: TableLine[] = [{ type: 'head', text: lineOf(head), bar: '' }];
  for (const [at, row] of rows.entries())
    lines.push({ type: 'row', text: lineOf(cells[at] as string[]), bar: barOf(row) });
  if (columns !== undefined) lines.push({ type: 'rule', text: '─'.repeat(width), bar: '' });
  lines.push({ type: 'total', text: lineOf(total), bar: '' });
  return lines;
}

/** The longest name that is shown in so many columns: a bar has its place where a name still has one. */
function longestName(columns: number): number {
  const besideBar = columns - USUAL_BAR - GAP.length - 1;
  return Math.max(SHORTEST_NAME, besideBar >= SHORTEST_NAME ? besideBar : columns);
}

/** A bar of at most `room` columns for `value` of `most`; anything above 0 shows. */
export function bar(value: number, most: number, room: number): string {
  if (value <= 0 || most <= 0) return '';
  const steps = Math.max(1, Math.round((value / most) * room * LEVELS.length));
  const rest = steps % LEVELS.length;
  const full = (LEVELS.at(-1) as string).repeat(Math.floor(steps / LEVELS.length));
  return rest === 0 ? full : full + LEVELS[rest - 1];
}

/** A URI as people say it, without `sip:`; what could steer a terminal as an escape. */
export function shownUri(uri: string): string {
  return shownText(/^sip:/i.test(uri) ? uri.slice(4) : uri);
}

/** A text in one line: control characters as `\x0a`, and none that reverses the direction of reading. */
export function shownText(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function nameOf({ key }: ReportRow, { by }: CallReport): string {
  if (isTime(by)) return key;
  return by === 'peer' ? shownUri(key) : shownText(key);
}

function figures(sums: CallSums): string[] {
  return [
    String(sums.calls),
    String(sums.answered),
    String(sums.missed),
    formatMinutes(sums.durationMs),
    formatDuration(averageMs(sums)),
    formatDuration(sums.longestMs),
  ];
}
