// A file that the server itself keeps and nobody else writes: by an absolute path, or in ~/.sr of the only account served.
// Synchronous; what fails is said and never thrown.

import { appendLines } from '../unix/append-file.ts';
import { asUser } from '../unix/as-user.ts';
import { type Account, groupIdsOf } from '../unix/nss.ts';
import { readTail } from '../unix/read-tail.ts';
import { replaceFile } from '../unix/replace-file.ts';
import { openRootDirectory } from '../unix/root-file.ts';
import type { Trouble } from '../unix/trouble.ts';
import { closeUserDirectory, openUserDirectory, type TrustedDirectory } from '../unix/trusted-directory.ts';
import { type FileRules, readFile } from '../unix/trusted-file.ts';

/** Where a file is, and what it is made with. */
export interface ServerFilePlace {
  /** The account in whose ~/.sr it is; undefined: in `directory`. */
  readonly own: Account | undefined;
  readonly directory: string;
  readonly name: string;
  readonly mode: number;
  /** Of the directory where it is missing, its last name only. */
  readonly directoryMode: number;
}

/** Octets in and out; a Trouble says why something was not done. */
export interface ServerFile {
  /** For messages. */
  readonly path: string;
  /** Undefined: there is none. */
  read(): string | undefined | Trouble;
  /** The last octets, at most so many; none where there is no file. */
  tail(bytes: number): string | Trouble;
  /** Appends whole lines in one write(2), or none of them. */
  append(text: string): Trouble | undefined;
  /** Puts a file of this content in its place. */
  replace(content: string): Trouble | undefined;
  close(): void;
}

/** Opens nothing until it is asked to; a directory of the host's stays open then. */
export function createServerFile(place: ServerFilePlace): ServerFile {
  const { own, directory: path, name, mode, directoryMode } = place;
  const uid = process.geteuid?.() ?? 0;
  const rules: FileRules = {
    owners: 'user-or-root',
    private: (mode & 0o077) === 0,
    maxBytes: Number.MAX_SAFE_INTEGER,
  };
  let kept: TrustedDirectory | undefined;

  function within<T>(use: (directory: TrustedDirectory) => T | Trouble): T | Trouble {
    if (own !== undefined) return withinOwn(own, use);
    const wasKept = kept !== undefined;
    const done = withinKept(use);
    // The directory may be another one by now: a rotation, an administrator.
    if (!wasKept || !isTrouble(done)) return done;
    forget();
    return withinKept(use);
  }

  function withinKept<T>(use: (directory: TrustedDirectory) => T | Trouble): T | Trouble {
    if (kept === undefined) {
      const opened = openRootDirectory(path, { uid, createMode: directoryMode });
      if (isTrouble(opened)) return opened;
      kept = opened;
    }
    return use(kept);
  }

  function forget(): void {
    if (kept !== undefined) closeUserDirectory(kept);
    kept = undefined;
  }

  return {
    path: own === undefined ? `${path}/${name}` : `${own.home}/.sr/${name}`,
    read() {
      const read = within((directory) => readFile(directory, name, rules));
      if (read === undefined || !isTrouble(read)) return read?.content;
      return read.kind === 'missing' ? undefined : read;
    },
    tail: (bytes) => {
      const read = within((directory) => readTail(directory, name, rules, bytes));
      return isTrouble(read) && read.kind === 'missing' ? '' : read;
    },
    append(text) {
      const written = within((directory) => {
        const how = { sync: false, rules, mode, isRotated: own === undefined };
        const appended = appendLines(directory, name, text, how);
        // Nothing is expected of it, so that it cannot have changed.
        return appended === 'changed' ? undefined : appended;
      });
      return isTrouble(written) ? written : undefined;
    },
    replace(content) {
      const written = within((directory) => replaceFile(directory, name, content, { mode, sync: false }));
      return isTrouble(written) ? written : undefined;
    },
    close: forget,
  };
}

function withinOwn<T>(own: Account, use: (directory: TrustedDirectory) => T | Trouble): T | Trouble {
  const identity = { uid: own.uid, gid: own.gid, groups: groupIdsOf(own) };
  return asUser(identity, () => {
    const directory = openUserDirectory(own, { strictModes: true, create: false });
    if (isTrouble(directory)) return directory;
    try {
      return use(directory);
    } finally {
      closeUserDirectory(directory);
    }
  });
}

function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && (value as Trouble).type === 'trouble';
}
