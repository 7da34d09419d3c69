// A file of a trusted directory: what it must be, whether it changed, and what is in it. Opened by name, judged by
// descriptor; a file that changes while it is read is read again.

import { constants } from 'node:fs';
import { errno, fileName, libc } from './libc.ts';
import { openBelow, openHow } from './open-below.ts';
import {
  DIRECTORY,
  REGULAR,
  statDescriptor,
  statLinks,
  statMode,
  statModifiedMs,
  statName,
  statSize,
  statUid,
  statVersion,
  TYPE_BITS,
  VERSION_LENGTH,
} from './statx.ts';
import type { Trouble } from './trouble.ts';
import { shellWord, trouble, troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { insistOnIdentity } from './trusted-directory.ts';

/** What a file must be to be used, besides a regular file of one link that no group or other may write to. */
export interface FileRules {
  readonly owners: 'user' | 'user-or-root';
  /** Unreadable to group and others. */
  readonly private: boolean;
  readonly maxBytes: number;
}

/** What a file was when it was looked at: equal versions mean equal content. Opaque; undefined is a missing file. */
export type FileVersion = string | undefined;

const READ = openHow(constants.O_RDONLY);
const MOST_ATTEMPTS = 10;
const FRESH_MS = 20;
const FRESH_MARK = '*';
const KEPT_ROOM = 64 * 1024;
const keptRoom = Buffer.allocUnsafeSlow(KEPT_ROOM);

const TYPE_NAMES = new Map([
  [DIRECTORY, 'is a directory'],
  [0o120000, 'is a symbolic link'],
  [0o010000, 'is a FIFO'],
  [0o140000, 'is a socket'],
  [0o020000, 'is a device'],
  [0o060000, 'is a device'],
]);

/** The version of a file by one statx(2), after checking it. */
export function fileVersion(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): FileVersion | Trouble {
  insistOnIdentity(directory);
  const failed = statName(directory.fd, fileName(name));
  if (failed === errno.ENOENT) return undefined;
  if (failed !== 0) return troubleOfErrno(failed, pathOf(directory, name));
  return checkStatted(directory, name, rules) ?? statVersion();
}

/**
 * Reads a file after checking it; undefined when there is none. `content` is octets. The version of a file that was
 * changed less than 20 ms ago equals no other: it may be changed once more in the same tick of the kernel's clock.
 */
export function readFile(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): { content: string; version: FileVersion } | undefined | Trouble {
  insistOnIdentity(directory);
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const fd = openBelow(directory.fd, fileName(name), READ);
    if (fd === -errno.ENOENT) return undefined;
    if (fd < 0) return troubleOfOpen(-fd, directory, name);
    try {
      const read = readDescriptor(fd, directory, name, rules);
      if (read !== 'changed') return read;
    } finally {
      libc().close(fd);
    }
  }
  return trouble('busy', pathOf(directory, name), 'changes all the time');
}

/** Opens a file after checking it, to be read from its beginning and closed; undefined when there is none. */
export function openFile(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): { fd: number; sizeBytes: number } | undefined | Trouble {
  insistOnIdentity(directory);
  const fd = openBelow(directory.fd, fileName(name), READ);
  if (fd === -errno.ENOENT) return undefined;
  if (fd < 0) return troubleOfOpen(-fd, directory, name);
  const failed = statDescriptor(fd);
  const wrong =
    failed === 0 ? checkStatted(directory, name, rules) : troubleOfErrno(failed, pathOf(directory, name));
  if (wrong === undefined) return { fd, sizeBytes: statSize() };
  libc().close(fd);
  return wrong;
}

/** Why a file could not be opened; its own mode where its user may not. */
export function troubleOfOpen(number: number, directory: TrustedDirectory, name: string): Trouble {
  const path = pathOf(directory, name);
  return number === errno.EACCES
    ? troubleOfErrno(number, path, `chmod 600 ${shellWord(path)}`)
    : troubleOfErrno(number, path);
}

/** Checks what was statted last as the file `name` of the directory; undefined: it may be used. */
export function checkStatted(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): Trouble | undefined {
  const mode = statMode();
  const owner = statUid();
  const mayBeRoots = rules.owners === 'user-or-root';
  const refused = directory.strictModes ? (rules.private ? 0o066 : 0o022) : 0;
  if (
    (mode & TYPE_BITS) === REGULAR &&
    statLinks() === 1 &&
    (owner === directory.uid || (mayBeRoots && owner === 0)) &&
    (mode & refused) === 0 &&
    statSize() <= rules.maxBytes
  ) {
    return undefined;
  }
  return explain(directory, name, rules, refused);
}

/** Whether two versions are of the same state of a file, marked as fresh or not. */
export function isSameState(one: FileVersion, other: FileVersion): boolean {
  return one?.slice(0, VERSION_LENGTH) === other?.slice(0, VERSION_LENGTH);
}

/** The path of a file, for messages only. */
export function pathOf(directory: TrustedDirectory, name: string): string {
  return `${directory.path}/${name}`;
}

function explain(directory: TrustedDirectory, name: string, rules: FileRules, refused: number): Trouble {
  const path = pathOf(directory, name);
  const word = shellWord(path);
  const mode = statMode();
  const type = mode & TYPE_BITS;
  const owner = statUid();
  const untrusted = (why: string, mend?: string) => trouble('untrusted', path, why, mend);
  if (type !== REGULAR) {
    const mend = type === DIRECTORY ? `rmdir ${word}` : `rm ${word}`;
    return untrusted(TYPE_NAMES.get(type) ?? 'is not a regular file', mend);
  }
  if (statLinks() !== 1) return untrusted(`has ${statLinks()} hard links instead of one`);
  if (owner !== directory.uid && !(rules.owners === 'user-or-root' && owner === 0)) {
    const mend = `chown ${shellWord(directory.owner)}: ${word}`;
    return untrusted(`belongs to uid ${owner}, not to ${directory.owner}`, mend);
  }
  if ((mode & refused & 0o022) !== 0) {
    return untrusted(
      'can be written to by group or others',
      `chmod ${rules.private ? '600' : 'go-w'} ${word}`,
    );
  }
  if ((mode & refused) !== 0) return untrusted('can be read by group or others', `chmod 600 ${word}`);
  return untrusted(`is larger than ${rules.maxBytes} bytes`);
}

function readDescriptor(
  fd: number,
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
): { content: string; version: FileVersion } | Trouble | 'changed' {
  const c = libc();
  const failed = statDescriptor(fd);
  if (failed !== 0) return troubleOfErrno(failed, pathOf(directory, name));
  // Replaced between open and stat: the name has another file now.
  if (statLinks() === 0) return 'changed';
  const wrong = checkStatted(directory, name, rules);
  if (wrong !== undefined) return wrong;
  const size = statSize();
  const modifiedMs = statModifiedMs();
  const version = statVersion();
  const room = size <= KEPT_ROOM ? keptRoom : Buffer.allocUnsafeSlow(size);
  let got = 0;
  while (got < size) {
    const count = c.pread(fd, got === 0 ? room : room.subarray(got), size - got, got);
    if (count < 0) return troubleOfErrno(c.errno(), pathOf(directory, name));
    if (count === 0) return 'changed';
    got += count;
  }
  const content = room.toString('latin1', 0, size);
  // Secrets are among what is read: none stays in a room that lives on.
  if (rules.private) room.fill(0, 0, size);
  const failedAgain = statDescriptor(fd);
  if (failedAgain !== 0) return troubleOfErrno(failedAgain, pathOf(directory, name));
  if (statVersion() !== version) return 'changed';
  return { content, version: Date.now() - modifiedMs < FRESH_MS ? version + FRESH_MARK : version };
}
