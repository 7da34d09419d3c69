// sipctl trace: SIP messages as they pass, a line each, or a capture file.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { ControlClient } from '../../control/client.ts';
import type { TraceRecord } from '../../control/trace-record.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { jsonText, type Style } from '../report.ts';
import { clockOf, createLadder } from './ladder.ts';
import { pcapHeader, pcapRecord } from './pcap.ts';
import { ask, withServer } from './server-connection.ts';

const STDOUT = 1;
/** Told apart on dark and light ground alike. */
const DIALOG_STYLES: readonly Style[] = ['green', 'yellow', 'blue', 'magenta', 'cyan', 'red'];

/** Runs `sipctl trace`. */
export function run(context: Context): Promise<number> {
  return withServer(context, trace);
}

async function trace(client: ControlClient, context: Context): Promise<number | Refusal> {
  const count = textOption(context, 'c');
  if (count !== undefined && !/^[1-9]\d{0,8}$/.test(count))
    return refusal(sysExit.EX_DATAERR, `-c ${count}: expected a number of messages`);
  const path = textOption(context, 'pcap');
  const file = openCapture(path);
  if (isRefusal(file)) return file;
  const show = path === '-' ? () => {} : shower(context);
  let left = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
  let lost = 0;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    const end = () => resolve('interrupted');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
    client.onNotification = (method, params) => {
      if (method === 'trace-lost') lost += Number(params.count);
      if (method !== 'trace' || left <= 0) return;
      const record = params as unknown as TraceRecord;
      show(record);
      if (file !== undefined) capture(file, record);
      left -= 1;
      if (left <= 0) end();
      else if (process.stdout.writableNeedDrain) {
        client.pause();
        process.stdout.once('drain', () => client.resume());
      }
    };
  });
  const { about } = context.arguments;
  const begun = await ask(client, 'trace', { about, whole: file !== undefined || context.report.json });
  if (isRefusal(begun)) return begun;
  if (path !== '-')
    context.report.error(`tracing ${about ?? 'everything that you may see'}; interrupt to end`);
  const ended = await Promise.race([interrupted, client.closed]);
  if (file !== undefined && file !== STDOUT) closeSync(file);
  if (lost > 0) context.report.warning(`${lost} messages were lost: they came faster than they were read`);
  return ended === 'interrupted'
    ? sysExit.EX_OK.code
    : refusal(sysExit.EX_UNAVAILABLE, 'the server closed the connection');
}

/** The file is the reader's alone: whom somebody calls is nobody else's business. */
function openCapture(path: string | undefined): number | undefined | Refusal {
  if (path === undefined) return undefined;
  try {
    const file = path === '-' ? STDOUT : openSync(path, 'w', 0o600);
    writeSync(file, pcapHeader());
    return file;
  } catch (error) {
    return refusal(sysExit.EX_CANTCREAT, `${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function capture(file: number, { time, source, destination, octets = '' }: TraceRecord): void {
  const record = pcapRecord(time, source, destination, octets);
  if (record === undefined) return;
  if (file === STDOUT) process.stdout.write(record);
  else writeSync(file, record);
}

/** On a terminal a ladder, each dialog in the next colour when its first message is seen; else a line a message. */
function shower({ report }: Context): (record: TraceRecord) => void {
  const ladder = report.columns === undefined ? undefined : createLadder(report.columns);
  const colors = new Map<string, number>();
  let next = 0;
  return (record) => {
    if (report.json) {
      process.stdout.write(`${jsonText(record)}\n`);
      return;
    }
    const color = colors.get(record.callId) ?? next++;
    if (colors.size > 10_000) colors.clear();
    colors.set(record.callId, color);
    const style = DIALOG_STYLES[color % DIALOG_STYLES.length] as Style;
    const lines = ladder?.(record) ?? [lineOf(record)];
    report.lines(lines.map((text, index) => [index < lines.length - 1 ? text : { text, style }]));
  };
}

function lineOf({ time, transport, source, destination, line }: TraceRecord): string {
  return `${clockOf(time)}  ${source.padEnd(21)} → ${destination.padEnd(21)}  ${transport}  ${line}`;
}
