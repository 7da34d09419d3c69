// Replaces a file as a whole: a temporary file beside it, written out, then rename(2). The caller holds the lock.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { cString, errno, fileName, libc } from './libc.ts';
import { openBelow, openHow } from './open-below.ts';
import {
  REGULAR,
  statDescriptor,
  statInode,
  statMode,
  statName,
  statVersion,
  TYPE_BITS,
  unequalVersion,
} from './statx.ts';
import type { Trouble } from './trouble.ts';
import { shellWord, trouble, troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { insistOnIdentity } from './trusted-directory.ts';
import type { FileVersion } from './trusted-file.ts';
import { isSameState, pathOf } from './trusted-file.ts';

/** How to replace. */
export interface Replacement {
  readonly mode: number;
  /** Have file and directory written to the disk before answering. */
  readonly sync: boolean;
  /** What the file must still be: a version, or undefined (given as such) for no file. Left out or `any`: whatever. */
  readonly expected?: FileVersion | 'any';
}

const CREATE = openHow(constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);

/**
 * Replaces the content of a file by octets; `busy` when it isn't what was expected. On any failure the old file is
 * as it was and the temporary one is gone. What isn't a regular file is never replaced.
 */
export function replaceFile(
  directory: TrustedDirectory,
  name: string,
  content: string,
  options: Replacement,
): { version: FileVersion } | Trouble {
  insistOnIdentity(directory);
  const target = fileName(name);
  const temporary = cString(`.${name}.${randomBytes(9).toString('base64url')}`);
  const fd = openBelow(directory.fd, temporary, CREATE);
  if (fd < 0) return troubleOfErrno(-fd, pathOf(directory, name));
  let renamed = false;
  try {
    const written = writeAndClose(fd, content, options);
    if (typeof written === 'number') return troubleOfErrno(written, pathOf(directory, name));
    const refused = checkTarget(directory, name, options);
    if (refused !== undefined) return refused;
    const c = libc();
    if (c.renameat(directory.fd, temporary, directory.fd, target) < 0) {
      return troubleOfErrno(c.errno(), pathOf(directory, name));
    }
    renamed = true;
    return finish(directory, name, written, options.sync);
  } finally {
    if (!renamed) libc().unlinkat(directory.fd, temporary, 0);
  }
}

/** Writes all and closes; answers the inode, or an errno. Network file systems report a full disk only at the end. */
function writeAndClose(fd: number, content: string, options: Replacement): string | number {
  const c = libc();
  const octets = Buffer.from(content, 'latin1');
  let failed = 0;
  for (let done = 0; done < octets.length && failed === 0; ) {
    const count = c.write(fd, done === 0 ? octets : octets.subarray(done), octets.length - done);
    if (count < 0) failed = c.errno();
    else done += count;
  }
  // Not left to the umask; before the name is there.
  if (failed === 0 && c.fchmod(fd, options.mode) < 0) failed = c.errno();
  if (failed === 0 && options.sync && c.fsync(fd) < 0) failed = c.errno();
  if (failed === 0) failed = statDescriptor(fd);
  const inode = statInode();
  if (c.close(fd) < 0 && failed === 0) failed = c.errno();
  octets.fill(0);
  return failed === 0 ? inode : failed;
}

function checkTarget(directory: TrustedDirectory, name: string, options: Replacement): Trouble | undefined {
  const path = pathOf(directory, name);
  const failed = statName(directory.fd, fileName(name));
  if (failed !== 0 && failed !== errno.ENOENT) return troubleOfErrno(failed, path);
  if (failed === 0 && (statMode() & TYPE_BITS) !== REGULAR) {
    return trouble('untrusted', path, 'is not a regular file', `rm ${shellWord(path)}`);
  }
  const expected = 'expected' in options ? options.expected : 'any';
  if (expected === 'any') return undefined;
  const current = failed === 0 ? statVersion() : undefined;
  return isSameState(expected, current) ? undefined : trouble('busy', path, 'was changed meanwhile');
}

function finish(
  directory: TrustedDirectory,
  name: string,
  inode: string,
  sync: boolean,
): { version: FileVersion } | Trouble {
  const c = libc();
  if (sync && c.fsync(directory.fd) < 0) return troubleOfErrno(c.errno(), directory.path);
  const failed = statName(directory.fd, fileName(name));
  if (failed !== 0) return troubleOfErrno(failed, pathOf(directory, name));
  // Somebody else's file by now: a version that equals none.
  return { version: statInode() === inode ? statVersion() : unequalVersion() };
}
