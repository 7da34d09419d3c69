// statx(2), of the same layout on every architecture, into one reused buffer: read it before the next call.

import { endianness } from 'node:os';
import { AT_FDCWD, libc } from './libc.ts';

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;

const LITTLE = endianness() === 'LE';
const HIGH_WORD = 2 ** 32;

// struct statx: nlink 16, uid 20, gid 24, mode 28, ino 32, size 40, btime 80, ctime 96, mtime 112, rdev 128, dev 136.
const INODE = 32;
const SIZE = 40;
const BIRTH = 80;
const MODIFIED = 112;
const END_OF_DEVICE = 144;
const buffer = Buffer.alloc(256);
const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
const EMPTY = Buffer.from('\0');

/** The type bits of a mode, S_IFMT. */
export const TYPE_BITS = 0o170000;
export const REGULAR = 0o100000;
export const DIRECTORY = 0o040000;
export const SYMBOLIC_LINK = 0o120000;

/** Stats what an open descriptor is; 0, or an errno. */
export function statDescriptor(fd: number): number {
  const c = libc();
  return c.statx(fd, EMPTY, AT_EMPTY_PATH, STATX_BASIC_STATS, buffer) < 0 ? c.errno() : 0;
}

/** Stats a name in a directory, never following it; 0, or an errno. */
export function statName(directory: number, name: Buffer): number {
  const c = libc();
  return c.statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer) < 0 ? c.errno() : 0;
}

/** Stats an absolute path, following it or not; 0, or an errno. */
export function statPath(path: Buffer, follow: boolean): number {
  const c = libc();
  const flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  return c.statx(AT_FDCWD, path, flags, STATX_BASIC_STATS, buffer) < 0 ? c.errno() : 0;
}

/** The mode of what was statted last, type bits included. */
export function statMode(): number {
  return view.getUint16(28, LITTLE);
}

/** The number of links of what was statted last; 0: its name is gone. */
export function statLinks(): number {
  return view.getUint32(16, LITTLE);
}

/** The owner of what was statted last. */
export function statUid(): number {
  return view.getUint32(20, LITTLE);
}

/** The group of what was statted last. */
export function statGid(): number {
  return view.getUint32(24, LITTLE);
}

/** The size in bytes of what was statted last. */
export function statSize(): number {
  return wide(SIZE);
}

/** The modification time of what was statted last, in milliseconds since 1970. */
export function statModifiedMs(): number {
  return wide(MODIFIED) * 1000 + view.getUint32(MODIFIED + 8, LITTLE) / 1e6;
}

/** The inode and device of what was statted last, as text to compare. */
export function statInode(): string {
  return buffer.toString('latin1', INODE, SIZE) + buffer.toString('latin1', 136, END_OF_DEVICE);
}

/** The characters of a version. */
export const VERSION_LENGTH = END_OF_DEVICE - BIRTH;

/** The version of what was statted last: dev, ino, size, mtime and ctime with nanoseconds, as opaque octets. */
export function statVersion(): string {
  // Inode and size take the place of the birth time: then all that counts is one run of bytes.
  buffer.copyWithin(BIRTH, INODE, INODE + 16);
  return buffer.toString('latin1', BIRTH, END_OF_DEVICE);
}

/** A version of what was statted last that equals none: its content is not what somebody takes it for. */
export function unequalVersion(): string {
  return `!${statVersion()}`;
}

function wide(offset: number): number {
  return LITTLE
    ? view.getUint32(offset, true) + view.getInt32(offset + 4, true) * HIGH_WORD
    : view.getUint32(offset + 4, false) + view.getInt32(offset, false) * HIGH_WORD;
}
