// sipacct list, missed and export: calls one by one, in the order of the file (DESIGN §6).

import { callCsv, callCsvHead } from '../../accounting/machine-text.ts';
import { type CallRecord, formatCallRecord, parseCallRecord } from '../../home/acct.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import type { Report } from '../report.ts';
import { perform } from '../sipctl/target.ts';
import { callHead, callLine } from './call-line.ts';
import { readCalls } from './calls.ts';
import { readSelection, type Selection } from './selection.ts';

/** Where calls go: `take` each, then `end`. */
interface CallOutput {
  take(call: CallRecord): void;
  end(): void;
}

/** Runs `sipacct list`, `missed` or `export`. */
export function run(context: Context): Promise<number> {
  return perform(context, list);
}

async function list(context: Context): Promise<number | Refusal> {
  const selection = readSelection(context, Date.now());
  if (isRefusal(selection)) return selection;
  const most = readCount(textOption(context, 'lines'));
  if (isRefusal(most)) return most;
  const output = outputOf(context, selection);
  const last = most === undefined ? output : lastOf(output, most);
  const onlyMissed = context.command[0] === 'missed';
  const refused = await readCalls(context.report, selection, (call) => {
    if (!onlyMissed || (call.status === 'missed' && call.direction !== 'out')) last.take(call);
  });
  if (refused !== undefined) return refused;
  last.end();
  return sysExit.EX_OK.code;
}

/** The value of `--lines`; undefined: all. */
export function readCount(text: string | undefined): number | undefined | Refusal {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  return refusal(sysExit.EX_USAGE, '--lines: expected a number of at most 6 digits');
}

function outputOf({ command, options, report }: Context, selection: Selection): CallOutput {
  const format = report.json ? 'json' : (options.format ?? (command[0] === 'export' ? 'csv' : 'text'));
  switch (format) {
    case 'json':
      return jsonOutput(report);
    case 'jsonl':
      return lineOutput(report, [], formatCallRecord);
    case 'csv':
      return lineOutput(report, [callCsvHead], callCsv);
    default:
      return textOutput(report, selection);
  }
}

const BATCH = 512;

function lineOutput(
  report: Report,
  head: readonly string[],
  format: (call: CallRecord) => string,
): CallOutput {
  let lines = [...head];
  const flush = () => {
    if (lines.length > 0) report.print(lines.join('\n'));
    lines = [];
  };
  return {
    take(call) {
      lines.push(format(call));
      if (lines.length >= BATCH) flush();
    },
    end: flush,
  };
}

/** One array, a call a line. */
function jsonOutput(report: Report): CallOutput {
  let before = '[';
  const lines = lineOutput(report, [], (call) => {
    const line = `${before}${formatCallRecord(call)}`;
    before = ',';
    return line;
  });
  return {
    take: lines.take,
    end() {
      lines.end();
      report.print(before === '[' ? '[]' : ']');
    },
  };
}

function textOutput(report: Report, { account }: Selection): CallOutput {
  const form = { isHosts: account === undefined, columns: report.columns };
  let lines = [callHead(form)];
  const flush = () => {
    report.lines(lines);
    lines = [];
  };
  return {
    take(call) {
      lines.push(callLine(call, form));
      if (lines.length >= BATCH) flush();
    },
    end: flush,
  };
}

/** Hands on the last so many calls. They are kept as lines: a call itself would keep a piece of the file. */
export function lastOf(output: CallOutput, most: number): CallOutput {
  const kept: Buffer[] = [];
  let at = 0;
  return {
    take(call) {
      if (most === 0) return;
      kept[at] = Buffer.from(formatCallRecord(call), 'latin1');
      at = (at + 1) % most;
    },
    end() {
      const start = kept.length < most ? 0 : at;
      for (let index = 0; index < kept.length; index++) {
        const line = kept[(start + index) % kept.length] as Buffer;
        output.take(parseCallRecord(line.toString('latin1')) as CallRecord);
      }
      output.end();
    },
  };
}
