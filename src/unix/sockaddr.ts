// IP addresses with a port as the kernel has them: struct sockaddr_in and sockaddr_in6 of ip(7) and ipv6(7), which are
// the same on every architecture but for the order of the family's two octets.

import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { cString, koffi, libc } from './libc.ts';

/** A struct sockaddr: 16 octets for IPv4, 28 for IPv6, in room for whole words. */
export interface Sockaddr {
  readonly octets: Buffer;
  /** The same octets as words, to compare. */
  readonly words: Uint32Array;
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const BYTES_IPV4 = 16;
const BYTES_IPV6 = 28;
/** Of in_addr in sockaddr_in and in6_addr in sockaddr_in6; scope id. */
const ADDRESS_IPV4 = 4;
const ADDRESS_IPV6 = 8;
const SCOPE = 24;
const LITTLE = endianness() === 'LE';

/** Says whether an address family is IPv6's. */
export function isIPv6Sockaddr({ octets }: Sockaddr): boolean {
  return octets.length === BYTES_IPV6;
}

/** Makes a sockaddr of an IP literal, perhaps with a zone (`fe80::1%eth0`, `%2`). Throws where the literal is none. */
export function createSockaddr(address: string, port: number): Sockaddr {
  const [literal = '', zone] = address.split('%');
  const isV4 = isIPv4(literal);
  const sockaddr = blank(isV4 ? BYTES_IPV4 : BYTES_IPV6);
  const { octets } = sockaddr;
  const family = isV4 ? AF_INET : AF_INET6;
  if (LITTLE) octets.writeUInt16LE(family, 0);
  else octets.writeUInt16BE(family, 0);
  octets.writeUInt16BE(port, 2);
  const into = octets.subarray(isV4 ? ADDRESS_IPV4 : ADDRESS_IPV6);
  if (libc().inetPton(family, cString(literal), into) !== 1) throw new Error(`not an IP literal: ${address}`);
  if (zone !== undefined && !isV4) writeScope(octets, zone);
  return sockaddr;
}

/** A struct sockaddr_un of a path (unix(7)). Throws where it is too long. */
export function unixSockaddr(path: string): Buffer {
  const name = cString(path);
  if (name.length > 108) throw new Error(`too long a path for a socket: ${path}`);
  const octets = Buffer.alloc(2 + name.length);
  if (LITTLE) octets.writeUInt16LE(AF_UNIX, 0);
  else octets.writeUInt16BE(AF_UNIX, 0);
  name.copy(octets, 2);
  return octets;
}

/** The copy of a sockaddr with another port. */
export function withPort(from: Sockaddr, port: number): Sockaddr {
  const sockaddr = copySockaddr(from.octets);
  sockaddr.octets.writeUInt16BE(port, 2);
  return sockaddr;
}

/** Copies the sockaddr that stands at the beginning of some octets. */
export function copySockaddr(from: Buffer): Sockaddr {
  const family = LITTLE ? from.readUInt16LE(0) : from.readUInt16BE(0);
  const sockaddr = blank(family === AF_INET ? BYTES_IPV4 : BYTES_IPV6);
  from.copy(sockaddr.octets);
  return sockaddr;
}

/** Says whether two sockaddrs are of one address, port and zone. */
export function isSameSockaddr(one: Sockaddr, other: Sockaddr): boolean {
  return one.octets.equals(other.octets);
}

/** The port of a sockaddr. */
export function portOf({ octets }: Sockaddr): number {
  return octets.readUInt16BE(2);
}

/** The address of a sockaddr as text, without zone. */
export function addressOf({ octets }: Sockaddr): string {
  const isV4 = octets.length === BYTES_IPV4;
  const text = Buffer.alloc(64);
  const from = octets.subarray(isV4 ? ADDRESS_IPV4 : ADDRESS_IPV6);
  libc().inetNtop(isV4 ? AF_INET : AF_INET6, from, text, text.length);
  return text.toString('latin1', 0, text.indexOf(0));
}

function blank(bytes: number): Sockaddr {
  const buffer = new ArrayBuffer(bytes);
  return { octets: Buffer.from(buffer), words: new Uint32Array(buffer) };
}

function writeScope(octets: Buffer, zone: string): void {
  const index = /^\d+$/.test(zone) ? Number(zone) : libc().ifNametoindex(cString(zone));
  if (LITTLE) octets.writeUInt32LE(index, SCOPE);
  else octets.writeUInt32BE(index, SCOPE);
}

/** Where memory that never moves begins: for structures that hold pointers. Keep `memory` alive as long as they are used. */
export function pointerTo(memory: Buffer): bigint {
  return BigInt(koffi().address(memory));
}
