// The journal of sessions beside the server's key (DESIGN §2): /var/lib/sr/sessions, or ~/.sr/sessions of an own server.
// What it held before it was begun anew stays in sessions.1.

import { dirname } from 'node:path';
import { appendLines } from '../unix/append-file.ts';
import { asUser } from '../unix/as-user.ts';
import { lockWithin, tryLock, unlock } from '../unix/lock.ts';
import { type Account, groupIdsOf } from '../unix/nss.ts';
import { replaceFile } from '../unix/replace-file.ts';
import { withRootDirectory } from '../unix/root-file.ts';
import { type Trouble, trouble } from '../unix/trouble.ts';
import { closeUserDirectory, openUserDirectory, type TrustedDirectory } from '../unix/trusted-directory.ts';
import { readFile } from '../unix/trusted-file.ts';

const NAME = 'sessions';
const FORMER = 'sessions.1';
const MAX_BYTES = 256 * 1024 * 1024;
const RULES = { owners: 'user', private: true, maxBytes: MAX_BYTES } as const;

/** The journal; contents are octets. */
export interface SessionFile {
  readonly path: string;
  /** What it holds, or held before it was begun anew; undefined: there is no file. */
  read(which: 'current' | 'former'): string | undefined | Trouble;
  /** Appends whole lines; `busy` when somebody else has the directory's lock, waited for at most `waitMs`. */
  append(text: string, waitMs: number): Trouble | undefined;
  /** Begins it anew with this content; the former content takes the place of the one before it. */
  renew(content: string): Trouble | undefined;
}

/** The journal of the server with this KeyFile; `own` is the account of an own server. */
export function sessionFile(keyFile: string | undefined, own: Account | undefined): SessionFile {
  const isInHome = keyFile === undefined && own !== undefined;
  const directory = isInHome ? `${own.home}/.sr` : dirname(keyFile ?? '/var/lib/sr/key');
  const within = isInHome ? withinHome(own) : withinDirectory(directory);
  return {
    path: `${directory}/${NAME}`,
    read(which) {
      const read = within((opened) => readFile(opened, which === 'current' ? NAME : FORMER, RULES));
      if (isTrouble(read)) return read.kind === 'missing' ? undefined : read;
      return read?.content;
    },
    append: (text, waitMs) =>
      within((opened) =>
        locked(opened, waitMs, () => {
          const appended = appendLines(opened, NAME, text, { sync: false, rules: RULES });
          return appended === 'changed' ? trouble('busy', `${directory}/${NAME}`, 'was changed') : appended;
        }),
      ),
    renew: (content) =>
      within((opened) =>
        locked(opened, 0, () => {
          const read = readFile(opened, NAME, RULES);
          if (isTrouble(read)) return read;
          const mode = { mode: 0o600, sync: false } as const;
          // In this order: whatever ends us between the two, nothing is lost, and what stands in both is one.
          const kept = replaceFile(opened, FORMER, read?.content ?? '', mode);
          return isTrouble(kept) ? kept : replaceFile(opened, NAME, content, mode);
        }),
      ),
  };
}

type Within = <T>(use: (directory: TrustedDirectory) => T | Trouble) => T | Trouble;

function withinDirectory(directory: string): Within {
  return (use) => withRootDirectory(directory, { uid: process.geteuid?.() ?? 0 }, use);
}

function withinHome(own: Account): Within {
  const identity = { uid: own.uid, gid: own.gid, groups: groupIdsOf(own) };
  return (use) =>
    asUser(identity, () => {
      const opened = openUserDirectory(own, { strictModes: true, create: false });
      if (isTrouble(opened)) return opened;
      try {
        return use(opened);
      } finally {
        closeUserDirectory(opened);
      }
    });
}

function locked(
  directory: TrustedDirectory,
  waitMs: number,
  write: () => object | Trouble,
): Trouble | undefined {
  const lock = waitMs > 0 ? lockWithin(directory, waitMs) : tryLock(directory);
  if (isTrouble(lock)) return lock;
  try {
    const written = write();
    return isTrouble(written) ? written : undefined;
  } finally {
    unlock(lock);
  }
}

function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && (value as Trouble).type === 'trouble';
}
