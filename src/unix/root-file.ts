// Files of the server's own by absolute path (/etc/sr, /var/lib/sr): the same functions as for ~/.sr, with no switching.

import { chmodSync, constants, mkdirSync } from 'node:fs';
import { actingUid } from './as-user.ts';
import { walk } from './home-path.ts';
import { cString, errno, errnoName } from './libc.ts';
import { openAbsolute, openHow } from './open-below.ts';
import type { Replacement } from './replace-file.ts';
import { replaceFile } from './replace-file.ts';
import { statPath, statVersion } from './statx.ts';
import type { Trouble } from './trouble.ts';
import { troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { closeUserDirectory } from './trusted-directory.ts';
import type { FileVersion } from './trusted-file.ts';
import { readFile } from './trusted-file.ts';

/** Whose the files are besides root, and whether a missing directory is made. */
export interface RootDirectoryOptions {
  /** Root's when left out. */
  readonly uid?: number;
  /** The mode to make the directory with, its last name only; left out: it must be there. */
  readonly createMode?: number;
}

const DIRECTORY = openHow(constants.O_RDONLY | constants.O_DIRECTORY);

/**
 * Opens a directory of the server's own by its absolute path. It and every directory and link on the way is root's or
 * `uid`'s, and no group or other may write to it, except a sticky directory of root's.
 */
export function openRootDirectory(
  path: string,
  options: RootDirectoryOptions = {},
): TrustedDirectory | Trouble {
  const uid = options.uid ?? 0;
  const walked = walkMaking(path, uid, options.createMode);
  if ('type' in walked) return walked;
  const fd = openAbsolute(cString(walked.resolved || '/'), DIRECTORY);
  if (fd < 0) return troubleOfErrno(-fd, path);
  return {
    type: 'directory',
    fd,
    path,
    uid,
    owner: ownerName(uid),
    actingUid: actingUid(),
    strictModes: true,
  };
}

/** Runs `fn` on a directory of the server's own, and closes it. */
export function withRootDirectory<T>(
  path: string,
  options: RootDirectoryOptions,
  fn: (directory: TrustedDirectory) => T,
): T | Trouble {
  const directory = openRootDirectory(path, options);
  if (directory.type === 'trouble') return directory;
  try {
    return fn(directory);
  } finally {
    closeUserDirectory(directory);
  }
}

/** Reads a file of root's or `uid`'s by its absolute path, as octets; undefined when it or its directory is missing. */
export function readRootFile(
  path: string,
  options: { readonly private: boolean; readonly maxBytes: number; readonly uid?: number },
): { content: string; version: FileVersion } | undefined | Trouble {
  const [directory, name] = split(path);
  const rules = { owners: 'user-or-root', private: options.private, maxBytes: options.maxBytes } as const;
  const read = withRootDirectory(directory, owner(options.uid), (opened) => readFile(opened, name, rules));
  return isMissing(read) ? undefined : read;
}

/** Replaces a file by its absolute path; `createMode` makes its directory. The caller holds the directory's lock. */
export function replaceRootFile(
  path: string,
  content: string,
  options: Replacement & RootDirectoryOptions,
): { version: FileVersion } | Trouble {
  const [directory, name] = split(path);
  return withRootDirectory(directory, options, (opened) => replaceFile(opened, name, content, options));
}

/**
 * The version of a file by its absolute path, by one statx(2) and without a check: what is wrong shows when it is
 * read. A path that can't be statted has a version too, unless the file is missing: the name of the error.
 */
export function fileVersionAt(path: string): FileVersion {
  const failed = statPath(cString(path), false);
  if (failed === 0) return statVersion();
  return failed === errno.ENOENT ? undefined : errnoName(failed);
}

function walkMaking(path: string, uid: number, createMode: number | undefined): ReturnType<typeof walk> {
  if (!path.startsWith('/')) throw new Error(`not an absolute path: ${path}`);
  const walked = walk(path, uid, true);
  if (!isMissing(walked) || createMode === undefined) return walked;
  const [parent, name] = split(path.replace(/\/+$/, ''));
  const above = walk(parent, uid, true);
  if ('type' in above) return above;
  const made = `${above.resolved}/${name}`;
  try {
    mkdirSync(made, createMode);
    // Not left to the umask.
    chmodSync(made, createMode);
  } catch (error) {
    const number = -((error as { errno?: number }).errno ?? -errno.EIO);
    if (number !== errno.EEXIST) return troubleOfErrno(number, path);
  }
  return walk(path, uid, true);
}

function isMissing(value: unknown): boolean {
  return (value as Trouble | undefined)?.type === 'trouble' && (value as Trouble).kind === 'missing';
}

function split(path: string): [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash) || '/', path.slice(slash + 1)];
}

function owner(uid: number | undefined): RootDirectoryOptions {
  return uid === undefined ? {} : { uid };
}

function ownerName(uid: number): string {
  return uid === 0 ? 'root' : String(uid);
}
