// /etc/sr/shadow for the tools run by root: read, and edited in one step under the directory's lock (DESIGN §2).

import type { Fault } from '../home/fault.ts';
import { parseShadow, type ShadowEntry } from '../home/shadow.ts';
import { lockWithin, unlock } from '../unix/lock.ts';
import { replaceFile } from '../unix/replace-file.ts';
import { readRootFile, withRootDirectory } from '../unix/root-file.ts';
import type { Trouble } from '../unix/trouble.ts';
import { readFile } from '../unix/trusted-file.ts';
import { ROOT_SHADOW } from './accounts.ts';

const directory = ROOT_SHADOW.slice(0, ROOT_SHADOW.lastIndexOf('/'));
const name = ROOT_SHADOW.slice(directory.length + 1);
const maxBytes = 16 * 1024 * 1024;
const lockWaitMs = 200;

/** What the file says, and what is wrong with it. A missing file says nothing. */
export interface RootShadow {
  readonly entries: ReadonlyMap<string, ShadowEntry>;
  readonly faults: readonly Fault[];
}

/** Reads it. */
export function readRootShadow(): RootShadow | Trouble {
  const file = readRootFile(ROOT_SHADOW, { private: true, maxBytes });
  return file !== undefined && 'type' in file ? file : parseShadow(file?.content ?? '', ROOT_SHADOW);
}

/** Edits it, fsynced; makes the file (0600) and its directory (0755) where they are missing. */
export function editRootShadow(
  edit: (content: string, entries: ReadonlyMap<string, ShadowEntry>) => string,
): Trouble | undefined {
  return withRootDirectory(directory, { createMode: 0o755 }, (opened) => {
    const lock = lockWithin(opened, lockWaitMs);
    if (lock.type === 'trouble') return lock;
    try {
      const file = readFile(opened, name, { owners: 'user', private: true, maxBytes });
      if (file !== undefined && 'type' in file) return file;
      const content = file?.content ?? '';
      const edited = edit(content, parseShadow(content, ROOT_SHADOW).entries);
      if (edited === content) return undefined;
      const written = replaceFile(opened, name, edited, { mode: 0o600, sync: true, expected: file?.version });
      return 'type' in written ? written : undefined;
    } finally {
      unlock(lock);
    }
  });
}
