// The way to a home: what is above it, and who may write to the home's group. Remembered for a few seconds.

import { readlinkSync } from 'node:fs';
import { errandRound } from './as-user.ts';
import { cString, errno } from './libc.ts';
import type { Account } from './nss.ts';
import { findGroupById, listAccounts } from './nss.ts';
import { DIRECTORY, SYMBOLIC_LINK, statMode, statPath, statUid, statVersion, TYPE_BITS } from './statx.ts';
import type { Trouble } from './trouble.ts';
import { shellWord, trouble, troubleOfErrno } from './trouble.ts';

/** An absolute path without symbolic links above its last name. */
export interface ResolvedPath {
  readonly type: 'path';
  readonly text: string;
  /** The same as a C string, and that of its `.sr`. */
  readonly path: Buffer;
  readonly directory: Buffer;
}

interface Parent {
  readonly given: Buffer;
  readonly resolved: string;
  readonly version: string;
  readonly checkedAt: number;
  /** The round of errands in which it was last found unchanged. */
  lookedIn: number;
  /** The user some directory on the way belongs to; undefined: all are root's, and so fit for everyone. */
  readonly uid: number | undefined;
}

const KEPT_MS = 5_000;
const MOST_PARENTS = 1_000;
const MOST_HOMES = 10_000;
const MOST_LINKS = 40;
const STICKY = 0o1000;
const GROUP_OR_OTHER_WRITE = 0o022;

const parents = new Map<string, Parent>();
const homes = new Map<string, { parent: Parent; resolved: ResolvedPath }>();

/**
 * Resolves the path of a home, checking what is above it as `openUserDirectory` says. A verdict on a parent directory
 * holds for five seconds, as long as that directory isn't changed (looked at once in `asEachUser`), and for users it is fit for.
 */
export function pathAboveHome(account: Account, strictModes: boolean): ResolvedPath | Trouble {
  const { home, uid } = account;
  const known = homes.get(home);
  if (known !== undefined && strictModes && holds(known.parent, uid)) return known.resolved;
  const wrong = checkForm(home);
  if (wrong !== undefined) return wrong;
  const trimmed = home.replace(/\/+$/, '');
  if (trimmed === '') return { type: 'path', text: '/', path: cString('/'), directory: cString('/.sr') };
  const slash = trimmed.lastIndexOf('/');
  const parent = parentOf(trimmed.slice(0, slash) || '/', uid, strictModes);
  if ('type' in parent) return parent;
  const text = `${parent.resolved}/${trimmed.slice(slash + 1)}`;
  const resolved: ResolvedPath = {
    type: 'path',
    text,
    path: cString(text),
    directory: cString(`${text}/.sr`),
  };
  if (strictModes) {
    if (homes.size >= MOST_HOMES) homes.clear();
    homes.set(home, { parent, resolved });
  }
  return resolved;
}

/** Resolves an absolute directory path through its symbolic links, checking each step; gives it without links. */
export function walk(
  path: string,
  uid: number,
  strictModes: boolean,
): { resolved: string; uid: number | undefined } | Trouble {
  const pending = path.split('/').reverse();
  let at = '';
  let links = 0;
  let foreign: number | undefined;
  const root = step('/', uid, strictModes);
  if (typeof root !== 'string') return root;
  while (pending.length > 0) {
    const name = pending.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.slice(0, Math.max(at.lastIndexOf('/'), 0));
      continue;
    }
    const next = `${at}/${name}`;
    const found = step(next, uid, strictModes);
    if (typeof found !== 'string') return found;
    if (statUid() !== 0) foreign = statUid();
    if (found === 'directory') {
      at = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return trouble('untrusted', path, 'leads through too many symbolic links');
    const target = readLink(next);
    if (typeof target !== 'string') return target;
    if (target.startsWith('/')) at = '';
    pending.push(...target.split('/').reverse());
  }
  return { resolved: at, uid: foreign };
}

/** Whether the account's primary group bears his name and has no other member. Asks NSS: not within `asUser`. */
export function soleMemberOfGroup(account: Account): boolean {
  const key = `${account.uid}:${account.gid}:${account.name}`;
  const kept = soleMembers.get(key);
  const now = performance.now();
  if (kept !== undefined && now - kept.checkedAt < KEPT_MS) return kept.answer;
  const group = findGroupById(account.gid);
  const answer =
    group !== undefined &&
    group.name === account.name &&
    group.members.every((member) => member === account.name) &&
    listAccounts().every((other) => other.gid !== account.gid || other.uid === account.uid);
  if (soleMembers.size >= MOST_HOMES) soleMembers.clear();
  soleMembers.set(key, { answer, checkedAt: now });
  return answer;
}

const soleMembers = new Map<string, { answer: boolean; checkedAt: number }>();

function checkForm(home: string): Trouble | undefined {
  if (!home.startsWith('/')) return trouble('untrusted', home, 'is not an absolute path');
  if (home.includes('\0') || home.split('/').includes('..')) {
    return trouble('untrusted', home, 'is not a plain path');
  }
  return undefined;
}

function holds(parent: Parent, uid: number): boolean {
  if (parent.uid !== undefined && parent.uid !== uid) return false;
  if (performance.now() - parent.checkedAt >= KEPT_MS) return false;
  const round = errandRound();
  if (parent.lookedIn === round) return true;
  if (statPath(parent.given, true) !== 0 || statVersion() !== parent.version) return false;
  parent.lookedIn = round;
  return true;
}

function parentOf(path: string, uid: number, strictModes: boolean): Parent | Trouble {
  const kept = parents.get(path);
  if (kept !== undefined && strictModes && holds(kept, uid)) return kept;
  const given = cString(path);
  // Before the walk: what changes meanwhile is then seen the next time.
  const failed = statPath(given, true);
  if (failed !== 0) return troubleOfErrno(failed, path);
  const version = statVersion();
  const walked = walk(path, uid, strictModes);
  if ('type' in walked) return walked;
  const parent: Parent = {
    given,
    ...walked,
    version,
    checkedAt: performance.now(),
    lookedIn: errandRound(),
  };
  if (strictModes) {
    if (parents.size >= MOST_PARENTS) parents.clear();
    parents.set(path, parent);
  }
  return parent;
}

/** Stats and judges one directory or link on the way. */
function step(path: string, uid: number, strictModes: boolean): 'directory' | 'link' | Trouble {
  const failed = statPath(cString(path), false);
  if (failed !== 0) return troubleOfErrno(failed, path);
  const mode = statMode();
  const owner = statUid();
  const type = mode & TYPE_BITS;
  if (type !== DIRECTORY && type !== SYMBOLIC_LINK) return troubleOfErrno(errno.ENOTDIR, path);
  if (!strictModes) return type === DIRECTORY ? 'directory' : 'link';
  if (owner !== 0 && owner !== uid) {
    return trouble('untrusted', path, `belongs to uid ${owner}`, `chown root ${shellWord(path)}`);
  }
  if (type === SYMBOLIC_LINK) return 'link';
  if ((mode & GROUP_OR_OTHER_WRITE) !== 0 && ((mode & STICKY) === 0 || owner !== 0)) {
    return trouble(
      'untrusted',
      path,
      'can be written to by group or others',
      `chmod go-w ${shellWord(path)}`,
    );
  }
  return 'directory';
}

function readLink(path: string): string | Trouble {
  try {
    return readlinkSync(path);
  } catch (error) {
    return troubleOfErrno(-((error as { errno?: number }).errno ?? -errno.EIO), path);
  }
}
