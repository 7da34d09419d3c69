// The C library through koffi: bindings for files, ids and prctl, loaded with the first use. Synchronous calls only.
// `koffi.load(null)` takes the symbols of the running process, so that nss_wrapper and the like are honoured.

import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** The calls used on files and ids; each answers -1 on failure and leaves the reason in `errno()`. */
export interface Libc {
  errno(): number;
  /** Raw openat2(2): 437 on every architecture. */
  openat2(number: 437, directory: number, path: Buffer, how: Buffer, size: 24): number;
  openat(directory: number, path: Buffer, flags: number, mode: number): number;
  close(fd: number): number;
  statx(directory: number, path: Buffer, flags: number, mask: number, into: Uint8Array): number;
  pread(fd: number, into: Buffer, bytes: number, offset: number): number;
  write(fd: number, from: Buffer, bytes: number): number;
  ftruncate(fd: number, bytes: number): number;
  fchmod(fd: number, mode: number): number;
  fsync(fd: number): number;
  flock(fd: number, operation: number): number;
  mkdirat(directory: number, path: Buffer, mode: number): number;
  renameat(from: number, oldPath: Buffer, to: number, newPath: Buffer): number;
  unlinkat(directory: number, path: Buffer, flags: number): number;
  /** Answers the former id, and has no failure: ask again with 0xffffffff, which changes nothing. */
  setfsuid(uid: number): number;
  setfsgid(gid: number): number;
  /** Raw setgroups(2) with `SETGROUPS`: this thread only, where glibc's own function reaches all of them. */
  setgroups(number: number, count: number, list: Uint32Array | null): number;
  getgroups(count: number, list: Uint32Array | null): number;
  inotifyInit(flags: number): number;
  /** Answers the watch of that inode, the same one again for an inode that is watched already. */
  inotifyAddWatch(fd: number, path: Buffer, mask: number): number;
  read(fd: number, into: Buffer, bytes: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Buffer, bytes: number): number;
  connect(fd: number, address: Buffer, bytes: number): number;
  listen(fd: number, backlog: number): number;
  socketpair(family: number, type: number, protocol: number, into: Int32Array): number;
  memfdCreate(name: Buffer, flags: number): number;
  pwrite(fd: number, from: Buffer, bytes: number, offset: number): number;
  getsockname(fd: number, address: Buffer, bytes: Buffer): number;
  setsockopt(fd: number, level: number, option: number, value: Buffer, bytes: number): number;
  getsockopt(fd: number, level: number, option: number, value: Buffer, bytes: Buffer): number;
  fcntl(fd: number, command: number, argument: number): number;
  recvmmsg(fd: number, headers: Buffer, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, headers: Buffer, count: number, flags: number): number;
  /** Answers 1, or 0 where the text is no address of that family. */
  inetPton(family: number, text: Buffer, into: Buffer): number;
  inetNtop(family: number, address: Buffer, into: Buffer, bytes: number): unknown;
  /** The number of a network interface; 0: there is none of that name. */
  ifNametoindex(name: Buffer): number;
}

/** Numbers of setgroups(2) on 64-bit architectures that koffi has prebuilt binaries for. */
const SETGROUPS_NUMBERS: Readonly<Record<string, number>> = {
  x64: 116,
  arm64: 159,
  riscv64: 159,
  loong64: 159,
};

/** The number of setgroups(2) on this machine; 0 where it isn't known, and then nobody switches ids. */
export const SETGROUPS = SETGROUPS_NUMBERS[process.arch] ?? 0;

/** "The current directory" as a directory descriptor: a relative path is never given with it. */
export const AT_FDCWD = -100;
/** Not in node:fs; the same on every architecture of SETGROUPS. */
export const O_CLOEXEC = 0o2000000;
/** Not in node:fs; the same on every architecture of SETGROUPS. */
export const O_PATH = 0o10000000;

type Koffi = typeof import('koffi');
let loadedKoffi: Koffi | undefined;
let loadedLibc: Libc | undefined;

/** Gives koffi itself, for what needs C structures. */
export function koffi(): Koffi {
  loadedKoffi ??= createRequire(import.meta.url)('koffi') as Koffi;
  return loadedKoffi;
}

/** Gives the bindings; the first call loads them. Throws where koffi has no binary for this machine. */
export function libc(): Libc {
  loadedLibc ??= bind();
  return loadedLibc;
}

function bind(): Libc {
  const k = koffi();
  const library = k.load(null);
  // Pointers are `void *` and paths are Buffers: koffi passes their address and converts nothing.
  const declare = <T>(name: string, result: string, parameters: string[]): T =>
    library.func(name, result, parameters) as unknown as T;
  return {
    errno: k.errno as () => number,
    openat2: declare('syscall', 'long', ['long', 'int', 'void *', 'void *', 'size_t']),
    openat: declare('openat', 'int', ['int', 'void *', 'int', 'uint']),
    close: declare('close', 'int', ['int']),
    statx: declare('statx', 'int', ['int', 'void *', 'int', 'uint', 'void *']),
    pread: declare('pread', 'long', ['int', 'void *', 'size_t', 'long']),
    write: declare('write', 'long', ['int', 'void *', 'size_t']),
    ftruncate: declare('ftruncate', 'int', ['int', 'long']),
    fchmod: declare('fchmod', 'int', ['int', 'uint']),
    fsync: declare('fsync', 'int', ['int']),
    flock: declare('flock', 'int', ['int', 'int']),
    mkdirat: declare('mkdirat', 'int', ['int', 'void *', 'uint']),
    renameat: declare('renameat', 'int', ['int', 'void *', 'int', 'void *']),
    unlinkat: declare('unlinkat', 'int', ['int', 'void *', 'int']),
    setfsuid: declare('setfsuid', 'uint', ['uint']),
    setfsgid: declare('setfsgid', 'uint', ['uint']),
    setgroups: declare('syscall', 'long', ['long', 'long', 'void *']),
    getgroups: declare('getgroups', 'int', ['int', 'void *']),
    inotifyInit: declare('inotify_init1', 'int', ['int']),
    inotifyAddWatch: declare('inotify_add_watch', 'int', ['int', 'void *', 'uint']),
    read: declare('read', 'long', ['int', 'void *', 'size_t']),
    prctl: declare('prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']),
    socket: declare('socket', 'int', ['int', 'int', 'int']),
    bind: declare('bind', 'int', ['int', 'void *', 'uint']),
    connect: declare('connect', 'int', ['int', 'void *', 'uint']),
    listen: declare('listen', 'int', ['int', 'int']),
    socketpair: declare('socketpair', 'int', ['int', 'int', 'int', 'void *']),
    memfdCreate: declare('memfd_create', 'int', ['void *', 'uint']),
    pwrite: declare('pwrite', 'long', ['int', 'void *', 'size_t', 'long']),
    getsockname: declare('getsockname', 'int', ['int', 'void *', 'void *']),
    setsockopt: declare('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']),
    getsockopt: declare('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
    fcntl: declare('fcntl', 'int', ['int', 'int', 'int']),
    recvmmsg: declare('recvmmsg', 'int', ['int', 'void *', 'uint', 'int', 'void *']),
    sendmmsg: declare('sendmmsg', 'int', ['int', 'void *', 'uint', 'int']),
    inetPton: declare('inet_pton', 'int', ['int', 'void *', 'void *']),
    inetNtop: declare('inet_ntop', 'void *', ['int', 'void *', 'void *', 'uint']),
    ifNametoindex: declare('if_nametoindex', 'uint', ['void *']),
  };
}

/** The numbers behind the names of errno(3), as they are on this machine. */
export const errno: Readonly<Record<keyof typeof constants.errno, number>> = constants.errno;

let errnoNames: Map<number, string> | undefined;

/** Names an errno value: `ENOENT` for 2; an unknown one becomes `errno 999`. */
export function errnoName(number: number): string {
  if (errnoNames === undefined) {
    errnoNames = new Map();
    for (const [name, value] of Object.entries(constants.errno)) {
      if (!errnoNames.has(value)) errnoNames.set(value, name);
    }
  }
  return errnoNames.get(number) ?? `errno ${number}`;
}

const KEPT_NAMES = 64;
const cStrings = new Map<string, Buffer>();

/** Gives text as a C string in UTF-8. Throws where it holds a NUL, which would cut it short. */
export function cString(text: string): Buffer {
  if (text.includes('\0')) throw new Error('a NUL in a name');
  return Buffer.from(`${text}\0`, 'utf8');
}

/** Gives the name of a file as a C string, keeping the first few: a program uses always the same ones. */
export function fileName(name: string): Buffer {
  const kept = cStrings.get(name);
  if (kept !== undefined) return kept;
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new Error(`not the name of a file: ${name}`);
  }
  const made = cString(name);
  if (cStrings.size < KEPT_NAMES) cStrings.set(name, made);
  return made;
}
