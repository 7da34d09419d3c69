// sipacct report: calls added up, as a table for people or in a form for programs (DESIGN §6).

import { type CallReport, createCallReport, type Grouping } from '../../accounting/call-report.ts';
import { createLocalClock } from '../../accounting/local-time.ts';
import { reportCsv, reportJsonLines, reportValue } from '../../accounting/machine-text.ts';
import { reportTable, type TableLine } from '../../accounting/report-table.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal } from '../refusal.ts';
import type { Piece, Report } from '../report.ts';
import { perform } from '../sipctl/target.ts';
import { readCalls } from './calls.ts';
import { readSelection } from './selection.ts';

/** Runs `sipacct report`. */
export function run(context: Context): Promise<number> {
  return perform(context, report);
}

async function report(context: Context): Promise<number | Refusal> {
  const selection = readSelection(context, Date.now());
  if (isRefusal(selection)) return selection;
  const sums = createCallReport(groupingOf(context), selection.account?.name);
  const clock = createLocalClock();
  const refused = await readCalls(context.report, selection, (call) => sums.add(call, clock(call.start)));
  if (refused !== undefined) return refused;
  show(context, sums);
  return sysExit.EX_OK.code;
}

function show({ report: output, options }: Context, sums: CallReport): void {
  const format = output.json ? 'json' : options.format;
  if (format === 'json') output.value(reportValue(sums));
  else if (format === 'jsonl') printLines(output, reportJsonLines(sums));
  else if (format === 'csv') printLines(output, reportCsv(sums));
  else output.lines(reportTable(sums, output.columns).map(pieces));
}

function printLines(output: Report, lines: readonly string[]): void {
  if (lines.length > 0) output.print(lines.join('\n'));
}

function pieces({ type, text, bar }: TableLine): Piece[] {
  if (type === 'head') return [{ text, style: 'dim' }];
  if (type === 'rule') return [{ text, style: 'dim' }];
  if (type === 'total') return [{ text, style: 'bold' }];
  return bar === '' ? [text] : [text, { text: bar, style: 'cyan' }];
}

/** What is added up by: the next smaller unit of the time that is asked for, where nothing is said. */
function groupingOf(context: Context): Grouping {
  const by = textOption(context, 'by');
  if (by !== undefined) return by as Grouping;
  if (isSet(context, 'day')) return 'hour';
  return isSet(context, 'month') ? 'day' : 'month';
}
