// Descriptors from one process to another, over a UNIX socket (unix(7), SCM_RIGHTS): one octet and one descriptor a message.

import { endianness } from 'node:os';
import { libc, O_CLOEXEC } from './libc.ts';
import { pointerTo } from './sockaddr.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** struct mmsghdr of a 64-bit machine: iov at 16, iovlen at 24, control at 32, controllen at 40. */
const HEADER_BYTES = 64;
const IOV_AT = 16;
const IOVLEN_AT = 24;
const CONTROL_AT = 32;
const CONTROLLEN_AT = 40;
/** struct cmsghdr: length, level and type, and behind them the descriptor, in whole words. */
const CMSG_BYTES = 16;
const CONTROL_BYTES = 24;
const LITTLE = endianness() === 'LE';

/** Makes two UNIX stream sockets that are each other's end. Throws where there are no descriptors. */
export function socketPair(): [number, number] {
  const pair = new Int32Array(2);
  if (libc().socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair) < 0)
    throw new Error(`socketpair: errno ${libc().errno()}`);
  return [pair[0] as number, pair[1] as number];
}

/** Sends a descriptor; false where the other end is gone or has not taken many before it. */
export function sendDescriptor(socket: number, fd: number): boolean {
  const { header, control } = message();
  writeWord(control, CMSG_BYTES + 4, 0);
  control.set(new Uint8Array(Int32Array.of(SOL_SOCKET, SCM_RIGHTS, fd).buffer), 8);
  return libc().sendmmsg(socket, header, 1, MSG_DONTWAIT) === 1;
}

/** Takes a descriptor that was sent; undefined: there is none. */
export function receiveDescriptor(socket: number): number | undefined {
  const { header, control } = message();
  control.fill(0);
  if (libc().recvmmsg(socket, header, 1, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, null) !== 1) return undefined;
  const [level, type, fd] = new Int32Array(Uint8Array.prototype.slice.call(control, 8, 20).buffer);
  return level === SOL_SOCKET && type === SCM_RIGHTS ? fd : undefined;
}

/** Structures for one octet and one descriptor, which point to each other: made once, and kept. */
let kept:
  | { readonly header: Buffer; readonly control: Buffer; readonly others: readonly Buffer[] }
  | undefined;

function message() {
  kept ??= createMessage();
  // The kernel writes down how much it gave.
  writeWord(kept.header, CONTROL_BYTES, CONTROLLEN_AT);
  return kept;
}

function createMessage() {
  const octet = Buffer.alloc(1);
  const iovec = Buffer.alloc(16);
  const control = Buffer.alloc(CONTROL_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  writePointer(iovec, octet, 0);
  writeWord(iovec, 1, 8);
  writePointer(header, iovec, IOV_AT);
  writeWord(header, 1, IOVLEN_AT);
  writePointer(header, control, CONTROL_AT);
  return { header, control, others: [octet, iovec] };
}

function writePointer(into: Buffer, to: Buffer, at: number): void {
  if (LITTLE) into.writeBigUInt64LE(pointerTo(to), at);
  else into.writeBigUInt64BE(pointerTo(to), at);
}

function writeWord(into: Buffer, value: number, at: number): void {
  if (LITTLE) into.writeBigUInt64LE(BigInt(value), at);
  else into.writeBigUInt64BE(BigInt(value), at);
}
