// ~/.sr opened by descriptors, as its user, and only where nobody else could have put it there (StrictModes).

import { constants } from 'node:fs';
import { actingUid, asOurselves, effectiveUid } from './as-user.ts';
import { pathAboveHome, type ResolvedPath, soleMemberOfGroup } from './home-path.ts';
import { errno, fileName, libc, O_PATH } from './libc.ts';
import type { Account } from './nss.ts';
import { NssError } from './nss.ts';
import { openAbsolute, openBelow, openHow, openWithoutLinks } from './open-below.ts';
import { statDescriptor, statGid, statMode, statName, statUid } from './statx.ts';
import type { Trouble } from './trouble.ts';
import { shellWord, trouble, troubleOfErrno } from './trouble.ts';

export type { Trouble } from './trouble.ts';

/** A directory that was checked and is held open; to be closed. */
export interface TrustedDirectory {
  readonly type: 'directory';
  readonly fd: number;
  readonly path: string;
  /** Whose the files in it must be. */
  readonly uid: number;
  readonly owner: string;
  /** The fsuid it is used with. */
  readonly actingUid: number;
  readonly strictModes: boolean;
}

/** A user's ~/.sr. */
export type UserDirectory = TrustedDirectory;

const NAME = fileName('.sr');
const SELF = Buffer.from('.\0');
const PARENT = Buffer.from('..\0');
const HOME = openHow(O_PATH | constants.O_DIRECTORY);
const DIRECTORY = openHow(constants.O_RDONLY | constants.O_DIRECTORY);
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;

/**
 * Opens the ~/.sr of an account, within `asUser` of that account. The whole rule:
 *
 * - Above the home symbolic links are followed. Each directory on the way and each link is root's or the user's, and
 *   no group or other may write to such a directory, except one of root's with the sticky bit.
 * - The home itself and `.sr` are directories, not symbolic links; from the home on they are opened by descriptor.
 * - The home is root's or the user's, and no group or other may write to it; except its group when that is the user's
 *   primary group, bears his name and has no other member.
 * - `.sr` is the user's, and no group or other may write to it.
 *
 * Without `strictModes` the owner of the home and what is above it, and all modes, are not looked at.
 * With `create` a missing `.sr` is made, 0700; the home never is. Missing otherwise: `missing`.
 */
export function openUserDirectory(
  account: Account,
  options: { readonly strictModes: boolean; readonly create: boolean },
): UserDirectory | Trouble {
  if (effectiveUid() === 0 && actingUid() !== account.uid) {
    throw new Error(`the home of ${account.name} is opened within asUser only`);
  }
  const home = pathAboveHome(account, options.strictModes);
  if (home.type === 'trouble') return home;
  const fd = openWithoutLinks(home.directory, DIRECTORY);
  return fd < 0 ? openByHome(home, account, options) : trustWithHome(fd, account, options.strictModes);
}

/** Judges an opened `.sr` and the directory it is in: the home, or wherever it was moved to meanwhile. */
function trustWithHome(fd: number, account: Account, strictModes: boolean): UserDirectory | Trouble {
  const wrong = strictModes ? checkParent(fd, account) : undefined;
  if (wrong === undefined) return trustDirectory(fd, account, strictModes);
  libc().close(fd);
  return wrong;
}

function checkParent(fd: number, account: Account): Trouble | undefined {
  const failed = statName(fd, PARENT);
  return failed === 0 ? judgeHome(account) : troubleOfDirectory(failed, pathInHome(account), account);
}

/** The same step by step: makes what is missing, says what is wrong, and needs no openat2(2). */
function openByHome(
  home: ResolvedPath,
  account: Account,
  options: { readonly strictModes: boolean; readonly create: boolean },
): UserDirectory | Trouble {
  const fd = openAbsolute(home.path, HOME);
  if (fd < 0) return troubleOfHome(-fd, account, home.text);
  try {
    const wrong = options.strictModes ? checkHome(fd, account) : undefined;
    return wrong ?? openInHome(fd, account, options);
  } finally {
    libc().close(fd);
  }
}

/** Closes a directory. */
export function closeUserDirectory(directory: UserDirectory): void {
  libc().close(directory.fd);
}

/** Throws when files of the directory would be used with the wrong identity: our mistake, and root's files. */
export function insistOnIdentity(directory: TrustedDirectory): void {
  if (actingUid() !== directory.actingUid) {
    throw new Error(`${directory.path} is used as uid ${directory.actingUid}, not as uid ${actingUid()}`);
  }
}

function troubleOfHome(number: number, account: Account, resolved: string): Trouble {
  const made = troubleOfErrno(number, account.home);
  if (number === errno.ENOENT) return { ...made, why: 'the home does not exist' };
  if (number !== errno.ELOOP && number !== errno.ENOTDIR) return made;
  const why = 'is not a directory; symbolic links are followed above the home only';
  return trouble('untrusted', resolved, why, `usermod -d DIRECTORY ${shellWord(account.name)}`);
}

function checkHome(fd: number, account: Account): Trouble | undefined {
  const failed = statDescriptor(fd);
  return failed === 0 ? judgeHome(account) : troubleOfErrno(failed, account.home);
}

/** Judges what was statted last as an account's home. */
function judgeHome(account: Account): Trouble | undefined {
  const mode = statMode();
  const owner = statUid();
  if ((owner === 0 || owner === account.uid) && (mode & (GROUP_WRITE | OTHER_WRITE)) === 0) return undefined;
  const home = shellWord(account.home);
  if (owner !== 0 && owner !== account.uid) {
    const mend = `chown ${shellWord(account.name)} ${home}`;
    return trouble('untrusted', account.home, `belongs to uid ${owner}, not to ${account.name}`, mend);
  }
  if ((mode & OTHER_WRITE) !== 0) {
    return trouble('untrusted', account.home, 'can be written to by others', `chmod go-w ${home}`);
  }
  const group = statGid();
  try {
    if (group === account.gid && asOurselves(() => soleMemberOfGroup(account))) return undefined;
  } catch (error) {
    if (error instanceof NssError) return trouble('temporary', account.home, error.message);
    throw error;
  }
  return trouble('untrusted', account.home, `can be written to by group ${group}`, `chmod g-w ${home}`);
}

function openInHome(
  home: number,
  account: Account,
  options: { readonly strictModes: boolean; readonly create: boolean },
): UserDirectory | Trouble {
  const path = pathInHome(account);
  let fd = openBelow(home, NAME, DIRECTORY);
  if (fd === -errno.ENOENT && options.create) {
    const failed = makeDirectory(home);
    if (failed !== 0) return troubleOfErrno(failed, path);
    fd = openBelow(home, NAME, DIRECTORY);
  }
  if (fd >= 0) return trustDirectory(fd, account, options.strictModes);
  return (fd === -errno.EACCES && ownerOrHome(home, path, account)) || troubleOfDirectory(-fd, path, account);
}

/** Why `.sr` can't be opened by its user, where that is not its mode. */
function ownerOrHome(home: number, path: string, account: Account): Trouble | undefined {
  const failed = statName(home, NAME);
  if (failed === errno.EACCES)
    return troubleOfErrno(failed, account.home, `chmod u+rwx ${shellWord(account.home)}`);
  return failed === 0 && statUid() !== account.uid ? foreign(path, account) : undefined;
}

/** Judges an opened `.sr`; closes it where it is not to be trusted. */
function trustDirectory(fd: number, account: Account, strictModes: boolean): UserDirectory | Trouble {
  const path = pathInHome(account);
  const wrong = checkDirectory(fd, path, account, strictModes);
  if (wrong !== undefined) {
    libc().close(fd);
    return wrong;
  }
  return {
    type: 'directory',
    fd,
    path,
    uid: account.uid,
    owner: account.name,
    actingUid: actingUid(),
    strictModes,
  };
}

function pathInHome({ home }: Account): string {
  return `${home.endsWith('/') ? home.replace(/\/+$/, '') : home}/.sr`;
}

function troubleOfDirectory(number: number, path: string, account: Account): Trouble {
  const word = shellWord(path);
  if (number === errno.ENOENT) return troubleOfErrno(number, path, `sippasswd ${shellWord(account.name)}`);
  if (number === errno.EACCES) return troubleOfErrno(number, path, `chmod 700 ${word}`);
  if (number === errno.ELOOP || number === errno.ENOTDIR) {
    return trouble('untrusted', path, 'is a symbolic link or not a directory', `rm ${word}`);
  }
  return troubleOfErrno(number, path);
}

function checkDirectory(
  fd: number,
  path: string,
  account: Account,
  strictModes: boolean,
): Trouble | undefined {
  const failed = statDescriptor(fd);
  if (failed !== 0) return troubleOfErrno(failed, path);
  if (statUid() === account.uid && (!strictModes || (statMode() & (GROUP_WRITE | OTHER_WRITE)) === 0))
    return undefined;
  if (statUid() !== account.uid) return foreign(path, account);
  return trouble('untrusted', path, 'can be written to by group or others', `chmod 700 ${shellWord(path)}`);
}

/** What was statted last is somebody else's. */
function foreign(path: string, { name }: Account): Trouble {
  const mend = `chown -R ${shellWord(name)}: ${shellWord(path)}`;
  return trouble('untrusted', path, `belongs to uid ${statUid()}, not to ${name}`, mend);
}

/** Makes `.sr` in a home held by an O_PATH descriptor, and has the entry written to the disk; 0, or an errno. */
function makeDirectory(home: number): number {
  const c = libc();
  if (c.mkdirat(home, NAME, 0o700) < 0 && c.errno() !== errno.EEXIST) return c.errno();
  const readable = openBelow(home, SELF, DIRECTORY);
  if (readable >= 0) {
    c.fsync(readable);
    c.close(readable);
  }
  return 0;
}
