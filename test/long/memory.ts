// What a server's memory is when all garbage is collected, of a process that was started with `memoryReporting`.

import type { Background } from '../host/background.ts';
import { processesOf } from '../host/processes.ts';

/** In octets; `used` is the heap and what Buffers hold. */
export interface Memory {
  readonly rss: number;
  readonly used: number;
}

/**
 * Collects on SIGUSR2 until nothing more is freed, and says what is left. V8 gives pages back while the program goes on: what is
 * resident right after a collection says how far it has come, and may be twice what it is a moment later.
 */
const reporter = `
import { writeSync } from 'node:fs';
const roundMs = 50;
const quietRounds = 4;
const noise = 2 ** 18;
process.on('SIGUSR2', () => {
  let least = Infinity;
  let quiet = 0;
  const round = () => {
    gc();
    const { rss, heapUsed, external } = process.memoryUsage();
    quiet = rss < least - noise ? 0 : quiet + 1;
    least = Math.min(least, rss);
    if (quiet < quietRounds) setTimeout(round, roundMs);
    else writeSync(1, 'memory ' + process.pid + ' ' + JSON.stringify({ rss: least, used: heapUsed + external }) + '\\n');
  };
  round();
});`;

/**
 * Options of node for the process that is asked. Of a young generation that has grown V8 keeps up to 32 MB of empty pages or
 * gives them back, as it happens; a small one has none.
 */
export const memoryReporting: readonly string[] = [
  '--expose-gc',
  '--max-semi-space-size=1',
  '--import',
  `data:text/javascript,${encodeURIComponent(reporter)}`,
];

/** Asks each process of a server, by its name; they serve meanwhile. */
export async function settledMemory(running: Background): Promise<Readonly<Record<string, Memory>>> {
  const memories: Record<string, Memory> = {};
  for (const { pid, name } of processesOf(running.pid)) {
    const from = running.output.length;
    process.kill(pid, 'SIGUSR2');
    await running.match(new RegExp(`^[^]{${from},}memory ${pid} \\{.*\\}\\n`), 20_000);
    const found = new RegExp(`memory ${pid} (\\{.*\\})\\n`).exec(running.output.slice(from));
    memories[name] = JSON.parse(found?.[1] ?? '');
  }
  return memories;
}
