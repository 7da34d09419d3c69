// One file of ~/.sr, read or edited as its user by descriptors that nobody else can exchange (DESIGN §2, §5).
// For the tools; synchronous.

import { lstatSync } from 'node:fs';
import { appendLines, troubleWithAppending } from '../unix/append-file.ts';
import { asUser } from '../unix/as-user.ts';
import { lockWithin, unlock } from '../unix/lock.ts';
import { type Account, groupIdsOf } from '../unix/nss.ts';
import { replaceFile } from '../unix/replace-file.ts';
import { isTrouble, type Trouble } from '../unix/trouble.ts';
import { closeUserDirectory, openUserDirectory, type UserDirectory } from '../unix/trusted-directory.ts';
import { type FileRules, openFile, readFile } from '../unix/trusted-file.ts';

/** How long a tool waits for another writer (DESIGN §2). */
const lockWaitMs = 200;

/** Which file, and what must hold for it. */
export interface UserFile {
  readonly name: string;
  readonly rules: FileRules;
  /** The keyword StrictModes. */
  readonly strictModes: boolean;
  /** The account's groups, where they are known already. */
  readonly groups?: readonly number[];
}

/** Whether an account has something at ~/.sr, fit for use or not: whom a look at all accounts concerns. */
export function hasUserDirectory(account: Account): boolean {
  try {
    return lstatSync(`${account.home}/.sr`, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Reads a file of an account as octets; undefined if it, or ~/.sr, is not there. */
export function readUserFile(account: Account, file: UserFile): string | undefined | Trouble {
  const content = within(account, file, false, (directory) => {
    const read = readFile(directory, file.name, file.rules);
    return read === undefined || isTrouble(read) ? read : read.content;
  });
  return isTrouble(content) && content.kind === 'missing' ? undefined : content;
}

/**
 * Opens a file of an account to be read in pieces, by anybody's leave from then on; undefined if it, or ~/.sr, is not
 * there. To be closed.
 */
export function openUserFile(
  account: Account,
  file: UserFile,
): { fd: number; sizeBytes: number } | undefined | Trouble {
  const opened = within(account, file, false, (directory) => openFile(directory, file.name, file.rules));
  return isTrouble(opened) && opened.kind === 'missing' ? undefined : opened;
}

/**
 * Edits a file under ~/.sr/.lock, fsynced and replaced in one step; `edit` gets '' where there is none. Makes ~/.sr
 * (0700) with `create`. Answers whether anything was written: an edit that changes nothing writes nothing.
 */
export function editUserFile(
  account: Account,
  file: UserFile,
  create: boolean,
  edit: (content: string) => string,
): boolean | Trouble {
  return within(account, file, create, (directory) => {
    const lock = lockWithin(directory, lockWaitMs);
    if (isTrouble(lock)) return lock;
    try {
      const read = readFile(directory, file.name, file.rules);
      if (isTrouble(read)) return read;
      const content = read?.content ?? '';
      const edited = edit(content);
      if (edited === content) return false;
      const written = replaceFile(directory, file.name, edited, {
        mode: 0o600,
        sync: true,
        expected: read?.version,
      });
      return isTrouble(written) ? written : true;
    } finally {
      unlock(lock);
    }
  });
}

/**
 * Appends lines (without `\n`) to a file under ~/.sr/.lock, fsynced with `sync`; `decide` gets '' where there is no file. Makes
 * ~/.sr (0700) with `create`. Answers the lines that were written: none when nothing was decided.
 */
export function appendUserFile(
  account: Account,
  file: UserFile,
  { create, sync }: { readonly create: boolean; readonly sync: boolean },
  decide: (content: string) => readonly string[],
): readonly string[] | Trouble {
  return within(account, file, create, (directory) => {
    const lock = lockWithin(directory, lockWaitMs);
    if (isTrouble(lock)) return lock;
    try {
      const read = readFile(directory, file.name, file.rules);
      if (isTrouble(read)) return read;
      const lines = decide(read?.content ?? '');
      if (lines.length === 0) return lines;
      const text = lines.map((line) => `${line}\n`).join('');
      const written = appendLines(directory, file.name, text, { sync, rules: file.rules });
      return isTrouble(written) ? written : lines;
    } finally {
      unlock(lock);
    }
  });
}

/** What would keep lines from being appended to a file: its lock, which is made and given back, or the file itself. */
export function troubleWithUserFile(account: Account, file: UserFile): Trouble | undefined {
  return within(account, file, false, (directory) => {
    const lock = lockWithin(directory, lockWaitMs);
    if (isTrouble(lock)) return lock;
    unlock(lock);
    return troubleWithAppending(directory, file.name, file.rules);
  });
}

function within<T>(
  account: Account,
  file: UserFile,
  create: boolean,
  use: (directory: UserDirectory) => T | Trouble,
): T | Trouble {
  const identity = { uid: account.uid, gid: account.gid, groups: file.groups ?? groupIdsOf(account) };
  return asUser(identity, () => {
    const directory = openUserDirectory(account, { strictModes: file.strictModes, create });
    if (isTrouble(directory)) return directory;
    try {
      return use(directory);
    } finally {
      closeUserDirectory(directory);
    }
  });
}
