// Appends whole lines to a file by one write(2), or not at all. The caller holds the lock.

import { constants } from 'node:fs';
import { errno, fileName, libc } from './libc.ts';
import { openBelow, openHow } from './open-below.ts';
import {
  statDescriptor,
  statInode,
  statLinks,
  statName,
  statSize,
  statVersion,
  unequalVersion,
} from './statx.ts';
import type { Trouble } from './trouble.ts';
import { trouble, troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { insistOnIdentity } from './trusted-directory.ts';
import type { FileRules, FileVersion } from './trusted-file.ts';
import { checkStatted, isSameState, pathOf, troubleOfOpen } from './trusted-file.ts';

/** How to append. */
export interface Appending {
  /** Have the lines written to the disk before answering. */
  readonly sync: boolean;
  readonly rules: FileRules;
  /** Append only to the file of this version, undefined where there must be none; left out: whatever it is. */
  readonly expected?: FileVersion | 'any';
  /** Whether that version's last line lacks its end, where the caller knows. */
  readonly isTorn?: boolean;
  /** The mode of a file that is made, whatever the umask; 0600 when left out. */
  readonly mode?: number;
  /** Who takes the file away keeps it, as logrotate(8) does: what it got before is not appended again. */
  readonly isRotated?: boolean;
}

const APPEND = openHow(constants.O_RDWR | constants.O_APPEND);
const CREATE = openHow(constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL, 0o600);
const MOST_ATTEMPTS = 10;
const NEWLINE = 0x0a;
const KEPT_ROOM = 64 * 1024;
const keptRoom = Buffer.allocUnsafeSlow(KEPT_ROOM);
const lastOctet = Buffer.alloc(1);

/**
 * Appends octets that end in a newline, and makes the file when it is missing; a last line torn by somebody
 * else is ended first. `before` is what the file was, `version` what it is now: the size is in it, so that the next
 * append of anyone changes it; `changed` when it is not as expected. After a short write the file is as long as it was. When
 * an editor puts another file in its place meanwhile, the lines go to that one too.
 */
export function appendLines(
  directory: TrustedDirectory,
  name: string,
  text: string,
  options: Appending,
): { before: FileVersion; version: FileVersion } | 'changed' | Trouble {
  insistOnIdentity(directory);
  if (!text.endsWith('\n')) throw new Error('appendLines wants whole lines');
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    let fd = openBelow(directory.fd, fileName(name), APPEND);
    const creating = fd === -errno.ENOENT;
    if (creating && expectedOf(options) !== undefined && expectedOf(options) !== 'any') return 'changed';
    if (creating) {
      fd = openBelow(directory.fd, fileName(name), CREATE);
      if (fd === -errno.EEXIST) continue;
    }
    if (fd < 0) return troubleOfOpen(-fd, directory, name);
    const appended = appendAndClose(fd, directory, name, text, options, creating);
    if (appended !== 'replaced') return appended;
  }
  return trouble('busy', pathOf(directory, name), 'is replaced all the time');
}

/** What would keep lines from being appended to a file; nothing when it is not there. */
export function troubleWithAppending(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): Trouble | undefined {
  insistOnIdentity(directory);
  const fd = openBelow(directory.fd, fileName(name), APPEND);
  if (fd === -errno.ENOENT) return undefined;
  if (fd < 0) return troubleOfOpen(-fd, directory, name);
  const failed = statDescriptor(fd);
  libc().close(fd);
  return failed === 0
    ? checkStatted(directory, name, rules)
    : troubleOfErrno(failed, pathOf(directory, name));
}

function appendAndClose(
  fd: number,
  directory: TrustedDirectory,
  name: string,
  text: string,
  options: Appending,
  created: boolean,
): { before: FileVersion; version: FileVersion } | Trouble | 'replaced' | 'changed' {
  const c = libc();
  try {
    const failed = statDescriptor(fd);
    if (failed !== 0) return troubleOfErrno(failed, pathOf(directory, name));
    if (statLinks() === 0) return 'replaced';
    if (created && options.mode !== undefined && c.fchmod(fd, options.mode) < 0)
      return troubleOfErrno(c.errno(), pathOf(directory, name));
    const wrong = checkStatted(directory, name, options.rules);
    if (wrong !== undefined) return wrong;
    const size = statSize();
    const inode = statInode();
    const before = created ? undefined : statVersion();
    const expected = expectedOf(options);
    if (expected !== 'any' && !isSameState(before, expected)) return 'changed';
    const torn =
      expected !== 'any' && options.isTorn !== undefined ? Number(options.isTorn) : endsTorn(fd, size);
    if (torn < 0) return troubleOfErrno(-torn, pathOf(directory, name));
    if (size + torn + text.length > options.rules.maxBytes) {
      return trouble('temporary', pathOf(directory, name), `would grow past ${options.rules.maxBytes} bytes`);
    }
    const unwritten = writeOnce(fd, text, torn, size, options.sync);
    if (unwritten !== 0) return troubleOfErrno(unwritten, pathOf(directory, name));
    if (created && options.sync && c.fsync(directory.fd) < 0)
      return troubleOfErrno(c.errno(), directory.path);
    // By name: an editor's rename leaves our descriptor with a file that nobody reads any more.
    const gone = statName(directory.fd, fileName(name));
    if (gone === errno.ENOENT || (gone === 0 && statInode() !== inode))
      return options.isRotated && hasName(fd) ? { before, version: unequalVersion() } : 'replaced';
    if (gone !== 0) return troubleOfErrno(gone, pathOf(directory, name));
    // Somebody without the lock wrote too: what the file is now is not what the caller knows.
    const isOurs = statSize() === size + torn + text.length;
    return { before, version: isOurs ? statVersion() : unequalVersion() };
  } finally {
    c.close(fd);
  }
}

/** Given as undefined, which is no file, is not left out. */
function expectedOf(options: Appending): FileVersion | 'any' {
  return 'expected' in options ? options.expected : 'any';
}

/** Whether a file is anywhere still. */
function hasName(fd: number): boolean {
  return statDescriptor(fd) === 0 && statLinks() > 0;
}

/** 1 when the last octet isn't a newline, else 0; an errno as a negative number. */
function endsTorn(fd: number, size: number): number {
  if (size === 0) return 0;
  const c = libc();
  const count = c.pread(fd, lastOctet, 1, size - 1);
  if (count < 0) return -c.errno();
  return count === 1 && lastOctet[0] !== NEWLINE ? 1 : 0;
}

/** Writes in one call, taking back what was written when it isn't all; 0, or an errno. */
function writeOnce(fd: number, text: string, torn: number, size: number, sync: boolean): number {
  const c = libc();
  const bytes = torn + text.length;
  const room = bytes <= KEPT_ROOM ? keptRoom : Buffer.allocUnsafeSlow(bytes);
  if (torn === 1) room[0] = NEWLINE;
  room.write(text, torn, 'latin1');
  const count = c.write(fd, room, bytes);
  let failed = count < 0 ? c.errno() : count < bytes ? errno.ENOSPC : 0;
  if (failed === 0 && sync && c.fsync(fd) < 0) failed = c.errno();
  if (failed === 0 || count <= 0) return failed;
  // Only our own octets are cut off: somebody without the lock may have appended after them.
  if (statDescriptor(fd) === 0 && statSize() === size + count) c.ftruncate(fd, size);
  return failed;
}
