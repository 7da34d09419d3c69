// UDP sockets by descriptor: many datagrams a system call, with recvmmsg(2) and sendmmsg(2). Never waits.
// The structures (msghdr and iovec of a 64-bit machine, in its own byte order) are made once and shared by all sockets:
// what was received is to be read before the next call.

import { endianness } from 'node:os';
import { errno, errnoName, libc, O_CLOEXEC } from './libc.ts';
import {
  addressOf,
  copySockaddr,
  createSockaddr,
  isIPv6Sockaddr,
  pointerTo,
  portOf,
  type Sockaddr,
} from './sockaddr.ts';
import { SOL_SOCKET, setSocketOption, socketName, socketOption } from './socket-options.ts';

/** A socket that is bound. */
export interface BoundSocket {
  readonly fd: number;
  /** Without zone. */
  readonly address: string;
  readonly port: number;
  /** The room the kernel has for datagrams that wait, its own bookkeeping included. */
  readonly receiveBufferBytes: number;
}

/** Room for a burst of some thousand datagrams: a small one takes about 2 KiB. Root gets it, others net.core.rmem_max. */
export const WANTED_ROOM_BYTES = 4 << 20;
/** The most datagrams that one call takes or sends. */
export const MOST_DATAGRAMS = 32;
/** More than any UDP datagram has. */
const ROOM_BYTES = 65_536;
/** From one slot to the next: off the power of two, or the beginnings of all would share the same few cache lines. */
const SLOT_BYTES = ROOM_BYTES + 17 * 64;
const NAME_BYTES = 32;
const NAME_WORDS = NAME_BYTES / 4;
/** struct mmsghdr: name 0, namelen 8, iov 16, iovlen 24, the number of octets 56; struct iovec: base 0, length 8. */
const HEADER_BYTES = 64;
const HEADER_WORDS = HEADER_BYTES / 4;
const NAME_LENGTH_WORD = 2;
const OCTETS_WORD = 14;
const IOVEC_BYTES = 16;
const IOVEC_WORDS = IOVEC_BYTES / 4;
/** The low word of a length of 64 bits. */
const LITTLE = endianness() === 'LE';
const LENGTH_WORD = LITTLE ? 2 : 3;

/** Any port serves to ask for a route. */
const DISCARD_PORT = 9;

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const MSG_DONTWAIT = 0x40;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;

/**
 * Binds a socket to an IP literal, perhaps with a zone. Throws the system's error, with its `code`. The room asked for is
 * given by root's leave beyond net.core.rmem_max, else up to it.
 */
export function bindDatagramSocket(address: string, port: number, receiveBufferBytes: number): BoundSocket {
  const c = libc();
  const wanted = createSockaddr(address, port);
  const isV6 = isIPv6Sockaddr(wanted);
  const fd = c.socket(isV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) throw systemError('socket', c.errno(), address, port);
  if (isV6) setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  const own = c.bind(fd, wanted.octets, wanted.octets.length) < 0 ? undefined : socketName(fd);
  if (own === undefined) {
    const failed = systemError('bind', c.errno(), address, port);
    c.close(fd);
    throw failed;
  }
  return withRoom(fd, own, receiveBufferBytes);
}

/** Takes a socket that is bound already. Throws the system's error. */
export function adoptDatagramSocket(fd: number, receiveBufferBytes: number): BoundSocket {
  const c = libc();
  const own = socketName(fd);
  if (own === undefined || c.fcntl(fd, F_SETFL, c.fcntl(fd, F_GETFL, 0) | SOCK_NONBLOCK) < 0)
    throw systemError('fcntl', c.errno());
  return withRoom(fd, own, receiveBufferBytes);
}

function withRoom(fd: number, own: Sockaddr, bytes: number): BoundSocket {
  // Whoever opened it may have had more than we get: the kernel doubles what it is asked for.
  const has = socketOption(fd, SOL_SOCKET, SO_RCVBUF) ?? 0;
  if (has < 2 * bytes && setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) < 0 && has < bytes)
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  const receiveBufferBytes = socketOption(fd, SOL_SOCKET, SO_RCVBUF) ?? 0;
  return { fd, address: addressOf(own), port: portOf(own), receiveBufferBytes };
}

/**
 * The local address that the host would send to a peer from, by its routes; undefined: it has no way there. Nothing is
 * sent: the socket is only connected.
 */
export function sourceAddressTo(address: string): string | undefined {
  const c = libc();
  const peer = createSockaddr(address, DISCARD_PORT);
  const fd = c.socket(isIPv6Sockaddr(peer) ? AF_INET6 : AF_INET, SOCK_DGRAM | O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const own = Buffer.alloc(NAME_BYTES);
  const length = Buffer.from(Uint32Array.of(NAME_BYTES).buffer);
  const isKnown =
    c.connect(fd, peer.octets, peer.octets.length) === 0 && c.getsockname(fd, own, length) === 0;
  c.close(fd);
  return isKnown ? addressOf(copySockaddr(own)) : undefined;
}

/** A second descriptor of the same socket, for somebody who closes it. Throws the system's error. */
export function duplicateSocket(fd: number): number {
  const c = libc();
  const duplicate = c.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) throw systemError('fcntl', c.errno());
  return duplicate;
}

const memoryInfo = Buffer.alloc(36);
const memoryInfoBytes = Buffer.from(Uint32Array.of(36).buffer);

/** The room that datagrams take which wait in a socket, the kernel's own bookkeeping included. */
export function waitingBytes(fd: number): number {
  if (libc().getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memoryInfo, memoryInfoBytes) < 0) return 0;
  return LITTLE ? memoryInfo.readUInt32LE(0) : memoryInfo.readUInt32BE(0);
}

/** Takes SO_REUSEADDR off, which libuv sets on each descriptor it is given: it would let others take our datagrams. */
export function refuseSharing(fd: number): void {
  setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 0);
}

/** Closes a descriptor. */
export function closeSocket(fd: number): void {
  libc().close(fd);
}

/** The slots of one direction. They are one object, so that no buffer is collected while the kernel has its address. */
interface Slots {
  readonly octets: Latin1Buffer;
  readonly headers: Buffer;
  readonly headerWords: Uint32Array;
  readonly iovecs: Buffer;
  readonly iovecWords: Uint32Array;
  readonly names: Buffer;
  readonly nameWords: Uint32Array;
}

/** A Buffer as it is: `latin1Slice` is what `toString('latin1')` ends in, and `latin1Write` what `write` does; @types/node lacks them. */
export interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}

let receiving: Slots | undefined;
let sending: Slots | undefined;

function createSlots(): Slots {
  const octets = Buffer.allocUnsafeSlow(MOST_DATAGRAMS * SLOT_BYTES) as Latin1Buffer;
  const headerPointers = new BigUint64Array((MOST_DATAGRAMS * HEADER_BYTES) / 8);
  const iovecPointers = new BigUint64Array((MOST_DATAGRAMS * IOVEC_BYTES) / 8);
  const nameWords = new Uint32Array(MOST_DATAGRAMS * NAME_WORDS);
  const iovecs = Buffer.from(iovecPointers.buffer);
  const names = Buffer.from(nameWords.buffer);
  for (let slot = 0; slot < MOST_DATAGRAMS; slot += 1) {
    const header = (slot * HEADER_BYTES) / 8;
    headerPointers[header] = pointerTo(names) + BigInt(slot * NAME_BYTES);
    headerPointers[header + 2] = pointerTo(iovecs) + BigInt(slot * IOVEC_BYTES);
    headerPointers[header + 3] = 1n;
    iovecPointers[slot * 2] = pointerTo(octets) + BigInt(slot * SLOT_BYTES);
    iovecPointers[slot * 2 + 1] = BigInt(ROOM_BYTES);
  }
  return {
    octets,
    headers: Buffer.from(headerPointers.buffer),
    headerWords: new Uint32Array(headerPointers.buffer),
    iovecs,
    iovecWords: new Uint32Array(iovecPointers.buffer),
    names,
    nameWords,
  };
}

/** Takes datagrams that wait, at most MOST_DATAGRAMS; answers their number, 0 where there are none. */
export function receiveDatagrams(fd: number): number {
  receiving ??= createSlots();
  const { headerWords, headers } = receiving;
  for (let slot = 0; slot < MOST_DATAGRAMS; slot += 1)
    headerWords[slot * HEADER_WORDS + NAME_LENGTH_WORD] = NAME_BYTES;
  const count = libc().recvmmsg(fd, headers, MOST_DATAGRAMS, MSG_DONTWAIT, null);
  return Math.max(count, 0);
}

/** Where received datagrams are, all of them, each from its `startOf`. */
export function receivedRoom(): Latin1Buffer {
  return (receiving as Slots).octets;
}

/** Where the datagram of a slot begins. */
export function startOf(slot: number): number {
  return slot * SLOT_BYTES;
}

/** The length of a received datagram. */
export function receivedBytes(slot: number): number {
  return (receiving as Slots).headerWords[slot * HEADER_WORDS + OCTETS_WORD] as number;
}

/** Whether a received datagram came from there. */
export function isFrom(slot: number, { words }: Sockaddr): boolean {
  const { nameWords } = receiving as Slots;
  const start = slot * NAME_WORDS;
  for (let at = 0; at < words.length; at += 1) if (nameWords[start + at] !== words[at]) return false;
  return true;
}

/** Where a received datagram came from. */
export function senderOf(slot: number): Sockaddr {
  const start = slot * NAME_BYTES;
  return copySockaddr((receiving as Slots).names.subarray(start, start + NAME_BYTES));
}

/** A number that is the same for the same sender, and as good as another for another. */
export function senderHash(slot: number): number {
  const { nameWords } = receiving as Slots;
  return hashWords(nameWords, slot * NAME_WORDS);
}

/** The same number for a sockaddr. */
export function hashOf({ words }: Sockaddr): number {
  return hashWords(words, 0);
}

/** Family and port, and the words that hold an IPv4 address or the end of an IPv6 one. */
function hashWords(words: Uint32Array, start: number): number {
  const isV4 = ((words[start] as number) & (FAMILY_MASK as number)) === FAMILY_IPV4;
  const address = isV4
    ? (words[start + 1] as number)
    : (words[start + 4] as number) ^ (words[start + 5] as number);
  const mixed = Math.imul((words[start] as number) ^ Math.imul(address, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

const FAMILY_MASK = new Uint32Array(Uint16Array.of(0xffff, 0).buffer)[0];
const FAMILY_IPV4 = new Uint32Array(Uint16Array.of(AF_INET, 0).buffer)[0];

/** One datagram to be sent. */
export interface Outgoing {
  readonly octets: string;
  readonly to: Sockaddr;
}

/**
 * Sends datagrams from `start` on, as many as one call takes; answers how many, or with none the errno of the first as
 * a negative number. EAGAIN: the socket has no room at the moment.
 */
export function sendDatagrams(fd: number, outgoing: readonly Outgoing[], start: number): number {
  sending ??= createSlots();
  const { octets, headers, headerWords, iovecWords, nameWords } = sending;
  let slots = 0;
  for (let at = start; at < outgoing.length && slots < MOST_DATAGRAMS; at += 1) {
    const { octets: text, to } = outgoing[at] as Outgoing;
    // What fits in no slot fits in no datagram either.
    if (text.length > ROOM_BYTES) break;
    octets.latin1Write(text, slots * SLOT_BYTES);
    iovecWords[slots * IOVEC_WORDS + LENGTH_WORD] = text.length;
    headerWords[slots * HEADER_WORDS + NAME_LENGTH_WORD] = to.octets.length;
    nameWords.set(to.words, slots * NAME_WORDS);
    slots += 1;
  }
  if (slots === 0) return -errno.EMSGSIZE;
  const c = libc();
  const sent = c.sendmmsg(fd, headers, slots, MSG_DONTWAIT);
  return sent < 0 ? -c.errno() : sent;
}

/** An error of the system as Node's own sockets give it. */
export function systemError(
  call: string,
  number: number,
  address?: string,
  port?: number,
): NodeJS.ErrnoException {
  const code = errnoName(number);
  const where = address === undefined ? '' : ` ${port === undefined ? address : `${address}:${port}`}`;
  return Object.assign(new Error(`${call} ${code}${where}`), { code, errno: -number, syscall: call });
}
