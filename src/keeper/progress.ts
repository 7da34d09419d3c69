// What a worker is at, where its keeper sees it however stuck the worker is: a number that grows, and the name of the user it is
// at, in memory that both have as a descriptor.

import { cString, libc } from '../unix/libc.ts';

const MFD_CLOEXEC = 1;
const COUNT_BYTES = 4;
const LENGTH_BYTES = 2;
const NAME_AT = COUNT_BYTES + LENGTH_BYTES;
const MOST_BYTES = 1024;

/** Where a worker was when it was looked at. */
export interface Progress {
  readonly count: number;
  /** Empty: it is at nothing. */
  readonly user: string;
}

/** Makes such memory; a descriptor, to be closed. */
export function createProgress(): number {
  const fd = libc().memfdCreate(cString('progress'), MFD_CLOEXEC);
  if (fd < 0) throw new Error(`memfd_create: errno ${libc().errno()}`);
  return fd;
}

/** The worker's end: says that it begins with a user, or, with an empty name, that it has ended with all. */
export function progressWriter(fd: number): (user: string) => void {
  const room = Buffer.alloc(MOST_BYTES);
  const c = libc();
  let count = 0;
  return (user) => {
    count = (count + 1) >>> 0;
    const bytes = room.write(user, NAME_AT, 'utf8');
    room.writeUInt32LE(count, 0);
    room.writeUInt16LE(bytes, COUNT_BYTES);
    c.pwrite(fd, room, NAME_AT + bytes, 0);
  };
}

/** The keeper's end. */
export function readProgress(fd: number): Progress {
  const room = Buffer.alloc(MOST_BYTES);
  if (libc().pread(fd, room, MOST_BYTES, 0) < NAME_AT) return { count: 0, user: '' };
  const bytes = room.readUInt16LE(COUNT_BYTES);
  return { count: room.readUInt32LE(0), user: room.toString('utf8', NAME_AT, NAME_AT + bytes) };
}
