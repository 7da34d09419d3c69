// Why a command stops: what is said on stderr and the exit code, as a value. Pure.

import type { Trouble } from '../unix/trouble.ts';
import { type ProgramName, passwdExit, sysExit } from './exit-codes.ts';

/** The end of a command that did not do what was asked. */
export interface Refusal {
  readonly type: 'refusal';
  readonly exit: number;
  readonly text: string;
}

/** Makes a refusal. */
export function refusal(exit: { readonly code: number }, text: string): Refusal {
  return { type: 'refusal', exit: exit.code, text };
}

/** Says whether a value is a refusal. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as Refusal).type === 'refusal';
}

/** Says whether a value is a trouble with a file. */
export function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && (value as Trouble).type === 'trouble';
}

/** Formats a trouble: `path: why`, and the command that mends it. */
export function formatTrouble({ path, why, mend }: Trouble): string {
  return mend === undefined ? `${path}: ${why}` : `${path}: ${why}: ${mend}`;
}

const passwdTroubles = {
  missing: passwdExit.missing,
  busy: passwdExit.busy,
  untrusted: passwdExit.failure,
  temporary: passwdExit.failure,
};

const sysTroubles = {
  missing: sysExit.EX_NOINPUT,
  busy: sysExit.EX_TEMPFAIL,
  untrusted: sysExit.EX_NOPERM,
  temporary: sysExit.EX_IOERR,
};

/** The refusal that a trouble makes of a command. */
export function refusalOf(program: ProgramName, trouble: Trouble): Refusal {
  const exits = program === 'sippasswd' ? passwdTroubles : sysTroubles;
  return refusal(exits[trouble.kind], formatTrouble(trouble));
}
