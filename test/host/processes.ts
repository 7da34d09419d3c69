// The processes of a server: its keeper, which was started, and what that started.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The keeper is `sipctl`, the others are named for their script: `server`, `home-worker`, `pam-worker`, `database-worker`. */
export interface ServerProcess {
  readonly pid: number;
  readonly name: string;
}

/** Those there are now, the given one first; by root `start` may be what runs the keeper. One may end while it is looked at. */
export function processesOf(start: number): ServerProcess[] {
  try {
    return readProcesses(start);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function readProcesses(start: number): ServerProcess[] {
  const words = readFileSync(`/proc/${start}/cmdline`, 'utf8').split('\0');
  const script = words.map((word) => basename(word, '.js')).find((name) => NAMES.has(name)) ?? words[0] ?? '';
  const children = readdirSync(`/proc/${start}/task`).flatMap((task) =>
    readFileSync(`/proc/${start}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [{ pid: start, name: script }, ...children.flatMap(processesOf)];
}

const NAMES = new Set([
  'database-server',
  'tables-worker',
  'sipctl',
  'server',
  'home-worker',
  'pam-worker',
  'database-worker',
]);

/** The one of a name; throws where there is none. */
export function processOf(start: number, name: string): number {
  const found = processesOf(start).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name} below ${start}`);
  return found.pid;
}
