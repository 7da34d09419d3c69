// openat2(2): opens a name below a directory through no symbolic link, and with O_NOFOLLOW where the kernel lacks it.

import { constants } from 'node:fs';
import { AT_FDCWD, errno, libc, O_CLOEXEC, O_PATH } from './libc.ts';

const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const RESOLVE_BENEATH = 8;

/** How to open: made once for each use, at module level. */
export interface How {
  readonly flags: number;
  readonly mode: number;
  readonly below: Buffer;
  readonly absolute: Buffer;
}

/** Makes a way of opening; O_NOFOLLOW and O_CLOEXEC are always added, O_NONBLOCK too: a FIFO must not stop us. */
export function openHow(flags: number, mode = 0): How {
  // openat2(2) refuses O_PATH together with what it would ignore.
  const reading = (flags & O_PATH) !== 0 ? 0 : constants.O_NONBLOCK | constants.O_NOCTTY;
  const all = flags | reading | constants.O_NOFOLLOW | O_CLOEXEC;
  const noLinks = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  return {
    flags: all,
    mode,
    below: openHowStruct(all, mode, noLinks | RESOLVE_BENEATH),
    absolute: openHowStruct(all, mode, noLinks),
  };
}

/** struct open_how: flags, mode and resolve, 64 bits each in the machine's order. */
function openHowStruct(flags: number, mode: number, resolve: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(flags), BigInt(mode), BigInt(resolve)).buffer);
}

let hasOpenat2 = true;

/** Opens one name in a directory; answers a descriptor, or an errno as a negative number. */
export function openBelow(directory: number, name: Buffer, how: How): number {
  return open(directory, name, how, how.below);
}

/** Opens an absolute path that has no symbolic link in it; answers a descriptor, or an errno as a negative number. */
export function openAbsolute(path: Buffer, how: How): number {
  return open(AT_FDCWD, path, how, how.absolute);
}

/**
 * Opens an absolute path through no symbolic link at all; a descriptor, or an errno as a negative number. ENOSYS and EPERM
 * where the kernel can't promise that.
 */
export function openWithoutLinks(path: Buffer, how: How): number {
  if (!hasOpenat2) return -errno.ENOSYS;
  const c = libc();
  const fd = c.openat2(437, AT_FDCWD, path, how.absolute, 24);
  return fd < 0 ? -c.errno() : fd;
}

function open(directory: number, path: Buffer, how: How, struct: Buffer): number {
  const c = libc();
  if (hasOpenat2) {
    const fd = c.openat2(437, directory, path, struct, 24);
    if (fd >= 0) return fd;
    const number = c.errno();
    // EPERM is how older container runtimes refuse a call that they don't know.
    if (number !== errno.ENOSYS && number !== errno.EPERM) return -number;
    if (number === errno.ENOSYS) hasOpenat2 = false;
  }
  // One name in a directory: O_NOFOLLOW says as much. An absolute path: its directories were walked before.
  const fd = c.openat(directory, path, how.flags, how.mode);
  return fd < 0 ? -c.errno() : fd;
}
