// wtmp(5): records of logins and logouts as glibc lays out struct utmpx, appended by one write(2). A host that keeps no
// such file gets none.

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { errno } from './libc.ts';
import { createSockaddr, isIPv6Sockaddr } from './sockaddr.ts';
import { type Trouble, trouble, troubleOfErrno } from './trouble.ts';

/** Where the host keeps it. */
export const WTMP = '/var/log/wtmp';

/** A login, or the logout that ends the last login of the same line. */
export interface LoginRecord {
  readonly type: 'login' | 'logout';
  /** At most 31 octets. */
  readonly line: string;
  readonly user: string;
  /** The IP address somebody came from. */
  readonly host: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Where the fields are that follow ut_host: time is 32 bits wide where 32-bit programs share the file. */
interface Layout {
  readonly bytes: number;
  readonly time: number;
  readonly wideTime: boolean;
  readonly address: number;
}

const NARROW: Layout = { bytes: 384, time: 340, wideTime: false, address: 348 };
const WIDE: Layout = { bytes: 400, time: 344, wideTime: true, address: 360 };
const LAYOUTS: Readonly<Record<string, Layout>> = { x64: NARROW, riscv64: NARROW, arm64: WIDE };

const PID = 4;
const LINE = [8, 32] as const;
const ID = [40, 4] as const;
const USER = [44, 32] as const;
const HOST = [76, 256] as const;
const USER_PROCESS = 7;
const DEAD_PROCESS = 8;
const LITTLE = endianness() === 'LE';

/** The layout of records here; undefined: not known for this machine, whose wtmp is left alone. */
function layoutHere(): Layout | undefined {
  return LITTLE ? LAYOUTS[process.arch] : undefined;
}

/** Formats records as they stand in the file. A logout bears no user and no host. */
function formatRecords(records: readonly LoginRecord[], layout: Layout): Buffer {
  const octets = Buffer.alloc(records.length * layout.bytes);
  records.forEach((record, index) => {
    writeRecord(octets.subarray(index * layout.bytes, (index + 1) * layout.bytes), record, layout);
  });
  return octets;
}

function writeRecord(into: Buffer, { type, line, user, host, pid, at }: LoginRecord, layout: Layout): void {
  const isLogin = type === 'login';
  into.writeInt16LE(isLogin ? USER_PROCESS : DEAD_PROCESS, 0);
  into.writeInt32LE(pid, PID);
  writeText(into, LINE, line, true);
  writeText(into, ID, line.slice(-4), false);
  if (isLogin) {
    writeText(into, USER, user, false);
    writeText(into, HOST, host, true);
    writeAddress(into.subarray(layout.address), host);
  }
  const seconds = Math.floor(at / 1000);
  const microseconds = Math.floor(at - seconds * 1000) * 1000;
  if (layout.wideTime) {
    into.writeBigInt64LE(BigInt(seconds), layout.time);
    into.writeBigInt64LE(BigInt(microseconds), layout.time + 8);
  } else {
    into.writeInt32LE(seconds | 0, layout.time);
    into.writeInt32LE(microseconds, layout.time + 4);
  }
}

function writeText(
  into: Buffer,
  [at, room]: readonly [number, number],
  text: string,
  terminated: boolean,
): void {
  into.write(text, at, terminated ? room - 1 : room, 'latin1');
}

/** An IPv4 address takes the first of the four words. */
function writeAddress(into: Buffer, host: string): void {
  try {
    const sockaddr = createSockaddr(host, 0);
    const [from, to] = isIPv6Sockaddr(sockaddr) ? [8, 24] : [4, 8];
    sockaddr.octets.copy(into, 0, from, to);
  } catch {
    // A name: last(1) shows ut_host.
  }
}

/**
 * Appends records; nothing where there is no file. What another writer left torn at its end is cut off first, as
 * updwtmp(3) does, and so is a short write of ours.
 */
export function appendLoginRecords(path: string, records: readonly LoginRecord[]): Trouble | undefined {
  const layout = layoutHere();
  if (layout === undefined || records.length === 0) return undefined;
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch (error) {
    const failed = troubleOf(error, path);
    return failed.kind === 'missing' ? undefined : failed;
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) return trouble('untrusted', path, 'is not a regular file');
    const size = found.size - (found.size % layout.bytes);
    if (size !== found.size) ftruncateSync(fd, size);
    const octets = formatRecords(records, layout);
    if (writeSync(fd, octets) === octets.length) return undefined;
    ftruncateSync(fd, size);
    return troubleOfErrno(errno.ENOSPC, path);
  } catch (error) {
    return troubleOf(error, path);
  } finally {
    closeSync(fd);
  }
}

/** Reads the logins and logouts in the last `maxBytes` of a file, in their order; a missing file has none. */
export function readLoginRecords(path: string, maxBytes: number): LoginRecord[] | Trouble {
  const layout = layoutHere();
  if (layout === undefined) return [];
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const failed = troubleOf(error, path);
    return failed.kind === 'missing' ? [] : failed;
  }
  try {
    const whole = Math.floor(fstatSync(fd).size / layout.bytes);
    const count = Math.min(whole, Math.floor(maxBytes / layout.bytes));
    const octets = Buffer.alloc(count * layout.bytes);
    const read = readSync(fd, octets, 0, octets.length, (whole - count) * layout.bytes);
    const records: LoginRecord[] = [];
    for (let at = 0; at + layout.bytes <= read; at += layout.bytes) {
      const record = readRecord(octets.subarray(at, at + layout.bytes), layout);
      if (record !== undefined) records.push(record);
    }
    return records;
  } catch (error) {
    return troubleOf(error, path);
  } finally {
    closeSync(fd);
  }
}

function readRecord(from: Buffer, layout: Layout): LoginRecord | undefined {
  const type = from.readInt16LE(0);
  if (type !== USER_PROCESS && type !== DEAD_PROCESS) return undefined;
  const [seconds, microseconds] = layout.wideTime
    ? [Number(from.readBigInt64LE(layout.time)), Number(from.readBigInt64LE(layout.time + 8))]
    : [from.readUInt32LE(layout.time), from.readInt32LE(layout.time + 4)];
  return {
    type: type === USER_PROCESS ? 'login' : 'logout',
    line: readText(from, LINE),
    user: readText(from, USER),
    host: readText(from, HOST),
    pid: from.readInt32LE(PID),
    at: seconds * 1000 + Math.floor(microseconds / 1000),
  };
}

function readText(from: Buffer, [at, room]: readonly [number, number]): string {
  const text = from.toString('latin1', at, at + room);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function troubleOf(error: unknown, path: string): Trouble {
  return troubleOfErrno(-((error as { errno?: number }).errno ?? -errno.EIO), path);
}
