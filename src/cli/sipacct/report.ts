// sipacct report: calls added up, as a table for people, a page, a chart, or in a form for programs (DESIGN §6).

import {
  type CallReport,
  type CallWeek,
  createCallReport,
  createCallWeek,
  type Grouping,
} from '../../accounting/call-report.ts';
import { createLocalClock } from '../../accounting/local-time.ts';
import { reportCsv, reportJsonLines, reportValue } from '../../accounting/machine-text.ts';
import { formatPeriod } from '../../accounting/period.ts';
import { reportTable, type TableLine } from '../../accounting/report-table.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal } from '../refusal.ts';
import type { Piece, Report } from '../report.ts';
import { perform } from '../sipctl/target.ts';
import { readCalls } from './calls.ts';
import { readSelection, type Selection } from './selection.ts';

/** What was added up. The days and the week are those of the HTML page. */
interface Added {
  readonly report: CallReport;
  readonly days: CallReport;
  readonly week: CallWeek;
}

/** Runs `sipacct report`. */
export function run(context: Context): Promise<number> {
  return perform(context, report);
}

async function report(context: Context): Promise<number | Refusal> {
  const selection = readSelection(context, Date.now());
  if (isRefusal(selection)) return selection;
  const owner = selection.account?.name;
  const added = {
    report: createCallReport(groupingOf(context), owner),
    days: createCallReport('day', owner),
    week: createCallWeek(),
  };
  const isPage = context.options.format === 'html';
  const clock = createLocalClock();
  const refused = await readCalls(context.report, selection, (call) => {
    const time = clock(call.start);
    added.report.add(call, time);
    if (!isPage) return;
    added.days.add(call, time);
    added.week.add(time);
  });
  if (refused !== undefined) return refused;
  await show(context, added, selection);
  return sysExit.EX_OK.code;
}

async function show({ report: output, options }: Context, added: Added, selection: Selection): Promise<void> {
  const format = output.json ? 'json' : options.format;
  const sums = added.report;
  if (format === 'json') output.value(reportValue(sums));
  else if (format === 'jsonl') printLines(output, reportJsonLines(sums));
  else if (format === 'csv') printLines(output, reportCsv(sums));
  else if (format === 'svg')
    output.print((await import('../../accounting/charts.ts')).chartOf(sums).trimEnd());
  else if (format === 'html') output.print((await pageOf(added, selection)).trimEnd());
  else output.lines(reportTable(sums, output.columns).map(pieces));
}

async function pageOf({ report: sums, days, week }: Added, { account, period }: Selection): Promise<string> {
  const { htmlPage } = await import('../../accounting/html-page.ts');
  const whose = account === undefined ? 'all accounts' : account.name;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const when = formatPeriod(period);
  return htmlPage({
    title: `Calls of ${whose}`,
    subtitle: `${when === '' ? 'All calls' : when} (${zone})`,
    report: sums,
    days,
    week: week.calls,
  });
}

function printLines(output: Report, lines: readonly string[]): void {
  if (lines.length > 0) output.print(lines.join('\n'));
}

function pieces({ type, text, bar }: TableLine): Piece[] {
  if (type === 'total') return [{ text, style: 'bold' }];
  if (type !== 'row') return [{ text, style: 'dim' }];
  return bar === '' ? [text] : [text, { text: bar, style: 'cyan' }];
}

/** What is added up by: the next smaller unit of the time that is asked for, where nothing is said. */
function groupingOf(context: Context): Grouping {
  const by = textOption(context, 'by');
  if (by !== undefined) return by as Grouping;
  if (isSet(context, 'day')) return 'hour';
  return isSet(context, 'month') ? 'day' : 'month';
}
