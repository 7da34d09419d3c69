// Whether files of the host may have changed, at the price of one read(2): inotify(7) on them and their directories.
// The kernel queues an event before the write or rename returns, so that nothing that returned is missed.

import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { cString, errno, libc, O_CLOEXEC } from './libc.ts';

/** To be asked before looking at the files themselves. */
export interface ChangeWatch {
  /** False: none of the files changed since the last call. True: one may have, or nobody can say. */
  mayHaveChanged(): boolean;
  close(): void;
}

const IN_MODIFY = 0x2;
const IN_ATTRIB = 0x4;
const IN_CLOSE_WRITE = 0x8;
const IN_MOVED = 0x40 | 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_SELF = 0x400 | 0x800;
const CHANGES = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED | IN_CREATE | IN_DELETE | IN_SELF;

/** What inotify cannot see (another host of a network file system, a link's target) is asked for after this time. */
const AT_LEAST_EVERY_MS = 1000;
const room = Buffer.alloc(4096);

/** Watches absolute paths; one that is missing is watched for by its directory, or that one's. */
export function watchChanges(paths: readonly string[]): ChangeWatch {
  const c = libc();
  let fd = c.inotifyInit(constants.O_NONBLOCK | O_CLOEXEC);
  const files = paths.map(cString);
  const directories = [...new Set(paths.map((path) => dirname(path)))].map((path) => ({
    path: cString(path),
    parent: cString(dirname(path)),
  }));
  let isWatching = false;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  /** Watches what is there now; a file that was replaced is a new inode. */
  function watch(): void {
    isWatching = fd >= 0;
    for (const file of files) isWatching &&= add(file) !== 'failed';
    for (const { path, parent } of directories) {
      if (!isWatching) return;
      const added = add(path);
      isWatching = added === 'missing' ? add(parent) === 'added' : added === 'added';
    }
  }

  function add(path: Buffer): 'added' | 'missing' | 'failed' {
    if (c.inotifyAddWatch(fd, path, CHANGES) >= 0) return 'added';
    const number = c.errno();
    return number === errno.ENOENT || number === errno.ENOTDIR ? 'missing' : 'failed';
  }

  return {
    mayHaveChanged() {
      const nowMs = performance.now();
      if (isWatching && nowMs - lookedAtMs < AT_LEAST_EVERY_MS && c.read(fd, room, room.length) < 0)
        return false;
      // Events still queued only make the next call look again.
      watch();
      lookedAtMs = nowMs;
      return true;
    },
    close() {
      if (fd >= 0) c.close(fd);
      fd = -1;
      isWatching = false;
    },
  };
}
