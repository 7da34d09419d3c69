// The lock of a directory, flock(2) on its `.lock`: every writer of the directory's files holds it.

import { constants } from 'node:fs';
import { errno, fileName, libc } from './libc.ts';
import { openBelow, openHow } from './open-below.ts';
import { statDescriptor, statLinks } from './statx.ts';
import type { Trouble } from './trouble.ts';
import { trouble, troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { insistOnIdentity } from './trusted-directory.ts';
import type { FileRules } from './trusted-file.ts';
import { checkStatted, pathOf } from './trusted-file.ts';

/** A lock that is held; to be unlocked. The process's end unlocks it too. */
export interface Lock {
  readonly type: 'lock';
  readonly fd: number;
}

const NAME = '.lock';
const FILE = fileName(NAME);
const OPEN = openHow(constants.O_RDWR);
const CREATE = openHow(constants.O_RDWR | constants.O_CREAT, 0o600);
const RULES: FileRules = { owners: 'user-or-root', private: false, maxBytes: Number.MAX_SAFE_INTEGER };
const LOCK_EX = 2;
const LOCK_NB = 4;
const MOST_ATTEMPTS = 10;
const RETRY_MS = 5;

/** Takes the lock, or answers `busy` at once when somebody has it. */
export function tryLock(directory: TrustedDirectory): Lock | Trouble {
  insistOnIdentity(directory);
  const c = libc();
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    let fd = openBelow(directory.fd, FILE, OPEN);
    // With O_CREAT alone the kernel would lock the directory each time.
    if (fd === -errno.ENOENT) fd = openBelow(directory.fd, FILE, CREATE);
    if (fd < 0) return troubleOfErrno(-fd, pathOf(directory, NAME));
    const failed = c.flock(fd, LOCK_EX | LOCK_NB) < 0 ? c.errno() : statDescriptor(fd);
    if (failed === 0) {
      const gone = statLinks() === 0;
      const wrong = gone ? undefined : checkStatted(directory, NAME, RULES);
      if (!gone && wrong === undefined) return { type: 'lock', fd };
      c.close(fd);
      // Removed while we took it: somebody else may hold the one that has the name now.
      if (gone) continue;
      return wrong as Trouble;
    }
    c.close(fd);
    if (failed === errno.EAGAIN)
      return trouble('busy', pathOf(directory, NAME), 'is locked by another program');
    return troubleOfErrno(failed, pathOf(directory, NAME));
  }
  return trouble('busy', pathOf(directory, NAME), 'is removed all the time');
}

/** Gives the lock back. */
export function unlock(lock: Lock): void {
  libc().close(lock.fd);
}

/** Takes the lock, waiting for it at most `ms` milliseconds and standing still meanwhile: for tools only. */
export function lockWithin(directory: TrustedDirectory, ms = 200): Lock | Trouble {
  const deadline = performance.now() + ms;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const lock = tryLock(directory);
    if (lock.type === 'lock' || lock.kind !== 'busy' || performance.now() >= deadline) return lock;
    Atomics.wait(nothing, 0, 0, RETRY_MS);
  }
}
