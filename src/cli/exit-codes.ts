// The exit codes of all three programs, in one table: passwd(1)'s for sippasswd, sysexits(3)'s elsewhere (DESIGN §6). Pure.

interface ExitCode {
  readonly code: number;
  /** What the man page says of it. */
  readonly meaning: string;
}

/** What sippasswd exits with: the codes of passwd(1), and the shell's for an interrupt at a prompt. */
export const passwdExit = {
  ok: { code: 0, meaning: 'success' },
  denied: { code: 1, meaning: 'permission denied' },
  usage: { code: 2, meaning: 'invalid combination of options' },
  failure: { code: 3, meaning: 'unexpected failure, nothing done' },
  missing: { code: 4, meaning: 'passwd file missing' },
  busy: { code: 5, meaning: 'passwd file busy, try again' },
  argument: { code: 6, meaning: 'invalid argument to option' },
  interrupted: { code: 130, meaning: 'interrupted at a prompt, nothing done' },
} as const satisfies Record<string, ExitCode>;

/** What sipctl and sipacct exit with: the names and numbers of sysexits(3). */
export const sysExit = {
  EX_OK: { code: 0, meaning: 'success' },
  EX_USAGE: { code: 64, meaning: 'command line usage error' },
  EX_DATAERR: { code: 65, meaning: 'a file or an argument is not in its grammar' },
  EX_NOINPUT: { code: 66, meaning: 'a file to be read is missing' },
  EX_NOUSER: { code: 67, meaning: 'no such account' },
  EX_UNAVAILABLE: { code: 69, meaning: 'a service or a contact is not there' },
  EX_SOFTWARE: { code: 70, meaning: 'internal error' },
  EX_OSERR: { code: 71, meaning: 'the system refused: a port is taken, a socket cannot be opened' },
  EX_CANTCREAT: { code: 73, meaning: 'a file cannot be written' },
  EX_IOERR: { code: 74, meaning: 'an error while reading or writing' },
  EX_TEMPFAIL: { code: 75, meaning: 'a file is busy, try again' },
  EX_NOPERM: { code: 77, meaning: 'permission denied' },
  EX_CONFIG: { code: 78, meaning: 'something is configured wrongly' },
} as const satisfies Record<string, ExitCode>;

/** The exit codes of each program. */
export const exitCodes = { sippasswd: passwdExit, sipctl: sysExit, sipacct: sysExit } as const;

export type ProgramName = keyof typeof exitCodes;

/** The code of a command line that does not parse. */
export function usageExit(program: ProgramName): number {
  return program === 'sippasswd' ? passwdExit.usage.code : sysExit.EX_USAGE.code;
}

/** The code of an error of ours. */
export function softwareExit(program: ProgramName): number {
  return program === 'sippasswd' ? passwdExit.failure.code : sysExit.EX_SOFTWARE.code;
}
