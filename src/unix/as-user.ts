// Runs synchronous code with the file-system identity of a user: fsuid, fsgid and groups of this thread only.
// Nothing in it may be asynchronous, start a thread or start a process; see setfsuid(2), credentials(7).

import { stat } from 'node:fs/promises';
import { libc, SETGROUPS } from './libc.ts';

/** Who files are opened and made as. `groups` may hold `gid` or not. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** As an id: change nothing, only tell. Never a user's. */
const NO_ID = 0xffffffff;
const PR_GET_SECUREBITS = 27;
const SECBIT_NO_SETUID_FIXUP = 1 << 2;

/** Who we are at the moment, if not ourselves. */
let active: Identity | undefined;
/** How often errands were run: what was looked at in one round need not be looked at again in it. */
let round = 0;
/** Our own group and supplementary groups, learnt before the first switch. */
let ownGid = 0;
let ownGroups: readonly number[] | undefined;
/** This thread's supplementary groups as they were set last; `asUser` alone sets them. */
let threadGroups: readonly number[] = [];

/**
 * Runs `fn` as `identity`, and gives its answer. By root: ids are switched, verified, switched back and verified again;
 * if they can't be switched back the process aborts, for nothing it did after that would be right. By anyone else:
 * just runs `fn`, and throws when the identity isn't the process's own. Does not nest, and refuses a promise.
 *
 * Supplementary groups are left as they are afterwards, until the next user needs others: between two users this
 * thread is root with groups it has no use for. `restoreGroups` takes them off before a process is started.
 */
export function asUser<T>(identity: Identity, fn: () => T): T {
  let answer: T | undefined;
  const [thrown] = asEachUser([
    {
      identity,
      run: () => {
        answer = refusePromise(fn());
      },
    },
  ]);
  if (thrown !== undefined) throw thrown.error;
  return answer as T;
}

/** Something to be done as a user. */
export interface Errand {
  readonly identity: Identity;
  /** Synchronous. */
  run(): void;
}

/**
 * Runs errands one after the other, each as its user, by the rules of `asUser`; answers what each of them threw.
 * From one user to the next the ids are switched and verified as ever, without becoming root between.
 */
export function asEachUser(errands: readonly Errand[]): ({ readonly error: unknown } | undefined)[] {
  if (active !== undefined) throw new Error('asUser within asUser');
  round += 1;
  const switching = effectiveUid() === 0;
  try {
    return errands.map((errand) => runErrand(errand, switching));
  } finally {
    active = undefined;
    if (switching && ownGroups !== undefined) leave();
  }
}

function runErrand({ identity, run }: Errand, switching: boolean): { readonly error: unknown } | undefined {
  try {
    if (switching) enter(identity);
    else if (identity.uid !== effectiveUid()) throw new Error(`only root can act as uid ${identity.uid}`);
    active = identity;
    run();
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    active = undefined;
  }
}

/** Runs `fn` as the process itself in the middle of `asUser`: for NSS, whose modules may do anything. */
export function asOurselves<T>(fn: () => T): T {
  if (active === undefined || effectiveUid() !== 0) return refusePromise(fn());
  const identity = active;
  leave();
  active = undefined;
  try {
    return refusePromise(fn());
  } finally {
    enter(identity);
    active = identity;
  }
}

/** The number of the last call of `asUser` or `asEachUser`. */
export function errandRound(): number {
  return round;
}

/** The uid that files are opened with at the moment. */
export function actingUid(): number {
  return active === undefined ? effectiveUid() : active.uid;
}

/** Gives the thread its own supplementary groups back: call it before starting a process. */
export function restoreGroups(): void {
  if (active !== undefined) throw new Error('restoreGroups within asUser');
  if (ownGroups !== undefined) setThreadGroups(ownGroups);
}

/**
 * Starts the threads of libuv's pool, all of them: threads started while ids are switched keep them for ever.
 * To be awaited before the first `asUser` of a program that does anything asynchronous with files, names or hashes.
 */
export async function warmThreadPool(): Promise<void> {
  await stat('/');
}

/** No program here ever changes it. */
let euid: number | undefined;

/** The effective uid of the process. */
export function effectiveUid(): number {
  euid ??= (process.geteuid as () => number)();
  return euid;
}

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < NO_ID;
}

function enter(identity: Identity): void {
  if (!isId(identity.uid) || !isId(identity.gid)) {
    throw new Error(`not an identity: uid ${identity.uid}, gid ${identity.gid}`);
  }
  if (ownGroups === undefined) learnOurselves();
  const c = libc();
  setThreadGroups(identity.groups, identity.gid);
  c.setfsgid(identity.gid);
  c.setfsuid(identity.uid);
  if (c.setfsgid(NO_ID) !== identity.gid || c.setfsuid(NO_ID) !== identity.uid) {
    leave();
    throw new Error(
      `can't act as uid ${identity.uid}, gid ${identity.gid}: no CAP_SETUID, or not in this namespace`,
    );
  }
}

function leave(): void {
  const c = libc();
  c.setfsuid(0);
  c.setfsgid(ownGid);
  if (c.setfsuid(NO_ID) !== 0 || c.setfsgid(NO_ID) !== ownGid) process.abort();
}

function learnOurselves(): void {
  const c = libc();
  if (SETGROUPS === 0) throw new Error(`can't switch groups on ${process.arch}`);
  // With this bit the kernel leaves CAP_DAC_OVERRIDE on: every file of everybody would open.
  if ((c.prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & SECBIT_NO_SETUID_FIXUP) !== 0) {
    throw new Error('SECBIT_NO_SETUID_FIXUP is set: capabilities would outlive the switch to a user');
  }
  const count = c.getgroups(0, null);
  const list = new Uint32Array(Math.max(count, 1));
  if (count < 0 || c.getgroups(count, list) !== count) throw new Error(`getgroups: errno ${c.errno()}`);
  ownGid = (process.getegid as () => number)();
  ownGroups = [...list.subarray(0, count)];
  threadGroups = ownGroups;
}

/**
 * Sets this thread's supplementary groups unless it has them. The primary group is left out (the kernel asks fsgid
 * first), so that users of the same other groups, as most are, have the same list.
 */
function setThreadGroups(groups: readonly number[], primary = -1): void {
  if (hasGroups(groups, primary)) return;
  const wanted = groups.filter((gid) => gid !== primary);
  if (!wanted.every(isId)) throw new Error(`not a list of groups: ${wanted.join(' ')}`);
  const c = libc();
  if (c.setgroups(SETGROUPS, wanted.length, Uint32Array.from(wanted)) !== 0) {
    throw new Error(`setgroups: errno ${c.errno()}`);
  }
  threadGroups = wanted;
}

function hasGroups(groups: readonly number[], primary: number): boolean {
  let at = 0;
  for (const gid of groups) {
    if (gid === primary) continue;
    if (threadGroups[at] !== gid) return false;
    at += 1;
  }
  return at === threadGroups.length;
}

/** A promise would go on after the ids are switched back. */
function refusePromise<T>(answer: T): T {
  if (typeof (answer as { then?: unknown } | null | undefined)?.then === 'function') {
    throw new Error('a promise within asUser');
  }
  return answer;
}
