// The server's configuration file as setup changes it: read, and replaced in one step under its directory's lock (DESIGN §2).

import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { lockWithin, unlock } from '../unix/lock.ts';
import { replaceFile } from '../unix/replace-file.ts';
import { readRootFile, withRootDirectory } from '../unix/root-file.ts';
import type { Trouble } from '../unix/trouble.ts';
import type { FileVersion } from '../unix/trusted-file.ts';

const maxBytes = 1024 * 1024;
const lockWaitMs = 200;

/** Reads the file at an absolute path, as octets; undefined when it or its directory is missing. */
export function readServerConfig(
  path: string,
): { readonly content: string; readonly version: FileVersion } | undefined | Trouble {
  return readRootFile(path, { private: false, maxBytes });
}

/**
 * Replaces the file by octets, fsynced, if it is still of this version (undefined: missing), else `busy`. What is missing
 * is made: the file 0644, its directory 0755; a file that is there keeps its mode.
 */
export function replaceServerConfig(
  path: string,
  content: string,
  expected: FileVersion,
): Trouble | undefined {
  return withRootDirectory(dirname(path), { createMode: 0o755 }, (directory) => {
    const lock = lockWithin(directory, lockWaitMs);
    if (lock.type === 'trouble') return lock;
    try {
      const stat = statSync(path, { throwIfNoEntry: false });
      const mode = stat === undefined ? 0o644 : stat.mode & 0o755;
      const written = replaceFile(directory, basename(path), content, { mode, sync: true, expected });
      return 'type' in written ? written : undefined;
    } finally {
      unlock(lock);
    }
  });
}
