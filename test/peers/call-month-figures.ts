// The figures of the scripted month twice: as sipacct has them, and as date(1) and awk(1) add them up from the same files.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../host/accounts.ts';
import { type Finished, run, runOrThrow } from '../host/run.ts';
import { command } from '../host/server.ts';
import type { CallMonth } from './call-month.ts';

const zone = 'Europe/Berlin';
/** The same by POSIX, for date(1), which needs no database for it. */
const posixZone = 'CET-1CEST,M3.5.0,M10.5.0/3';

/** Runs sipacct in Berlin, as an account or as root. */
export function sipacct({ stage }: CallMonth, words: readonly string[], account?: Account): Finished {
  const as = account === undefined ? { host: stage.host } : { account };
  return run(command('sipacct', words, { ...as, zone }));
}

/** What awk is asked for. */
export interface Sum {
  readonly by: 'day' | 'user' | 'total';
  readonly form: 'csv' | 'table';
  /** Whose copies; undefined: the calls of the host. */
  readonly owner: string | undefined;
}

/** The rows for a month, YYYY-MM, sorted as texts. */
export function addedByAwk(month: CallMonth, name: string, { by, form, owner = '' }: Sum): string[] {
  const days = month.stage.host.path('days');
  writeFileSync(days, daysOf(name));
  const set = Object.entries({ by, form, owner }).flatMap(([key, value]) => ['-v', `${key}=${value}`]);
  const program = join(import.meta.dirname, 'call-month.awk');
  const files = month.files(owner === '' ? 'root' : owner);
  return runOrThrow(['awk', ...set, '-f', program, days, ...files])
    .trim()
    .split('\n')
    .sort();
}

/** A line for each day of a month of 31, and for the one behind it, with when it begins in UTC. */
function daysOf(month: string): string {
  const numbers = Array.from({ length: 31 }, (_, at) => String(at + 1).padStart(2, '0'));
  const input = numbers.map((day) => `TZ="${posixZone}" ${month}-${day} 00:00\n`);
  input.push(`TZ="${posixZone}" ${month}-31 00:00 next day\n`);
  const begins = runOrThrow(['date', '-u', '-f', '-', '+%Y-%m-%dT%H:%M:%S.000Z'], { input: input.join('') });
  const lines = begins.trim().split('\n');
  return lines.map((begin, at) => `${month}-${numbers[at] ?? 'over'} ${begin}\n`).join('');
}
