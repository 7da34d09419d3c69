// syslog(3) through the optional package `posix`, which needs a compiler to install: without it there is no syslog.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The severities of syslog(3), the gravest first. */
export type Severity = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug';

/** One ident and facility. */
export interface Syslog {
  /** Writes one line; control characters in it are shown as `\x0a`. Blocks while the daemon's socket is full. */
  write(severity: Severity, text: string): void;
}

interface Posix {
  openlog(ident: string, options: { pid: boolean; ndelay: boolean }, facility: string): void;
  syslog(severity: Severity, text: string): void;
}

/** What openlog(3) was told last: it holds for the whole process. */
let opened = '';

/**
 * Opens the system log; `facility` is a name as in syslog.conf(5). Undefined: the package isn't installed, or no
 * daemon listens at /dev/log. Throws on an unknown facility. Several may be open: the ident goes with the line.
 */
export function openSyslog(ident: string, facility: string): Syslog | undefined {
  const posix = load();
  if (posix === undefined || !existsSync('/dev/log')) return undefined;
  const key = `${ident} ${facility}`;
  const open = () => {
    posix.openlog(ident, { pid: true, ndelay: true }, facility);
    opened = key;
  };
  open();
  return {
    write(severity, text) {
      if (opened !== key) open();
      posix.syslog(severity, printable(text));
    },
  };
}

/** Shows control characters, so that one line stays one line. */
export function printable(text: string): string {
  return text.replace(
    /[\0-\x1f\x7f-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function load(): Posix | undefined {
  try {
    return createRequire(import.meta.url)('posix') as Posix;
  } catch {
    return undefined;
  }
}
