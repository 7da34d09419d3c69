// sipctl monitor: the server's numbers once a second, redrawn in place on a terminal, as plain lines into a pipe.

import type { ControlClient } from '../../control/client.ts';
import type { Statistics } from '../../control/statistics.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { printable } from '../report.ts';
import { type Interval, monitorLine, monitorScreen, requestRate } from './monitor-view.ts';
import { ask, withServer } from './server-connection.ts';

const INTERVAL_MS = 1000;
const MOST_RATES = 500;

/** Another screen, and no cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

/** Runs `sipctl monitor`. */
export function run(context: Context): Promise<number> {
  return withServer(context, monitor);
}

async function monitor(client: ControlClient, context: Context): Promise<number | Refusal> {
  const count = textOption(context, 'c');
  if (count !== undefined && !/^[1-9]\d{0,8}$/.test(count))
    return refusal(sysExit.EX_DATAERR, `-c ${count}: expected a number of looks`);
  let left = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
  const status = await ask<{ readonly pid: number; readonly realm: string | null }>(client, 'status');
  if (isRefusal(status)) return status;
  let before = await ask<Statistics>(client, 'stats');
  if (isRefusal(before)) return before;
  let beforeMs = performance.now();
  const isScreen = process.stdout.isTTY && process.env.TERM !== 'dumb' && !context.report.json;
  const rates: number[] = [];
  const interruption = interrupted(isScreen);
  if (isScreen) process.stdout.write(ENTER);
  try {
    while (left > 0) {
      if ((await Promise.race([interruption.happened, wait(INTERVAL_MS)])) === 'interrupted') break;
      const now = await ask<Statistics>(client, 'stats');
      if (isRefusal(now)) return now;
      const nowMs = performance.now();
      const interval: Interval = { before, now, seconds: (nowMs - beforeMs) / 1000 };
      rates.push(requestRate(interval));
      if (rates.length > MOST_RATES) rates.shift();
      if (isScreen)
        draw(
          interval,
          `sipctl monitor   pid ${status.pid}   ${status.realm}   up ${now.uptime} s   q quits`,
          rates,
        );
      else if (context.report.json) process.stdout.write(`${JSON.stringify(now)}\n`);
      else context.report.print(monitorLine(interval, new Date()));
      [before, beforeMs] = [now, nowMs];
      left -= 1;
    }
  } finally {
    interruption.end();
    if (isScreen) process.stdout.write(LEAVE);
  }
  return sysExit.EX_OK.code;
}

/** One write for the whole screen, and nothing cleared that is written again: it does not flicker. */
function draw(interval: Interval, title: string, rates: readonly number[]): void {
  const { columns = 80, rows = 24 } = process.stdout;
  // In the last column the cursor would stand on the character that is not to be cleared.
  const lines = monitorScreen(interval, title, rates, { columns: columns - 1, rows });
  const text = lines.map((line) => printable(line) + CLEAR_LINE).join('\n');
  process.stdout.write(HOME + text + CLEAR_REST);
}

/** A signal, or q on the terminal. */
function interrupted(isScreen: boolean): { readonly happened: Promise<'interrupted'>; end(): void } {
  const { stdin } = process;
  const isKeyboard = isScreen && stdin.isTTY;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let end = () => {};
  const happened = new Promise<'interrupted'>((resolve) => {
    const stop = () => resolve('interrupted');
    const onKey = (keys: Buffer) => {
      // Ctrl-C and Ctrl-D come as octets from a terminal in raw mode.
      if (/[q\x03\x04]/.test(keys.toString('latin1'))) stop();
    };
    for (const signal of signals) process.on(signal, stop);
    if (isKeyboard) {
      stdin.setRawMode(true);
      stdin.on('data', onKey);
    }
    end = () => {
      for (const signal of signals) process.off(signal, stop);
      if (!isKeyboard) return;
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
    };
  });
  return { happened, end: () => end() };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
