// The answer to a STUN Binding request (RFC 5389 §6, §7.3.1, §15.2), which phones send as a keepalive to the SIP port
// (RFC 5626 §4.4.2). Pure.

import { isIPv4 } from 'node:net';

const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const bindingError = 0x0111;
const magicCookie = 0x2112a442;
const headerBytes = 20;
const errorCode = 0x0009;
const unknownAttributes = 0x000a;
const xorMappedAddress = 0x0020;
/** Attributes below this value must be understood or refused (RFC 5389 §15). */
const optionalAttributes = 0x8000;
/** The attributes of authentication and of RFC 3489 that may be in a request and change nothing here. */
const understood: ReadonlySet<number> = new Set([0x0001, 0x0006, 0x0008, 0x0014, 0x0015, 0x0020]);
const maxUnknown = 8;

/** True of a datagram that is STUN and so no SIP: two zero bits, the magic cookie, and its own length. */
export function isStun(datagram: Buffer): boolean {
  return (
    datagram.length >= headerBytes &&
    datagram.readUInt8(0) < 0x40 &&
    datagram.readUInt32BE(4) === magicCookie &&
    datagram.readUInt16BE(2) === datagram.length - headerBytes
  );
}

/** The answer to a STUN datagram from `address`:`port`; undefined where none is due: no Binding request, or broken. */
export function answerStun(datagram: Buffer, address: string, port: number): Buffer | undefined {
  if (datagram.readUInt16BE(0) !== bindingRequest) return undefined;
  const unknown = findUnknown(datagram);
  if (unknown === undefined) return undefined;
  if (unknown.length > 0) return formatStun(bindingError, datagram, refusal(unknown));
  return formatStun(bindingSuccess, datagram, mappedAddress(datagram, address, port));
}

/** The attributes that would have to be understood; undefined: they do not fill the datagram. */
function findUnknown(datagram: Buffer): number[] | undefined {
  const unknown: number[] = [];
  let at = headerBytes;
  while (at < datagram.length) {
    if (at + 4 > datagram.length) return undefined;
    const type = datagram.readUInt16BE(at);
    at += 4 + ((datagram.readUInt16BE(at + 2) + 3) & ~3);
    if (type < optionalAttributes && !understood.has(type) && unknown.length < maxUnknown) unknown.push(type);
  }
  return at === datagram.length ? unknown : undefined;
}

function refusal(unknown: readonly number[]): Buffer {
  const padded = (unknown.length + 1) & ~1;
  const attributes = Buffer.alloc(8 + 4 + padded * 2);
  attributes.writeUInt16BE(errorCode, 0);
  attributes.writeUInt16BE(4, 2);
  attributes.writeUInt16BE((4 << 8) | 20, 6);
  attributes.writeUInt16BE(unknownAttributes, 8);
  attributes.writeUInt16BE(unknown.length * 2, 10);
  for (const [index, type] of unknown.entries()) attributes.writeUInt16BE(type, 12 + index * 2);
  return attributes;
}

function mappedAddress(datagram: Buffer, address: string, port: number): Buffer {
  const bytes = isIPv4(address) ? bytesOfIPv4(address) : bytesOfIPv6(address);
  const attribute = Buffer.alloc(8 + bytes.length);
  attribute.writeUInt16BE(xorMappedAddress, 0);
  attribute.writeUInt16BE(4 + bytes.length, 2);
  attribute.writeUInt8(bytes.length === 4 ? 1 : 2, 5);
  attribute.writeUInt16BE(port ^ (magicCookie >>> 16), 6);
  // The address is masked by the cookie and the transaction id that follows it in the header.
  for (const [index, byte] of bytes.entries()) attribute[8 + index] = byte ^ datagram.readUInt8(4 + index);
  return attribute;
}

function formatStun(type: number, request: Buffer, attributes: Buffer): Buffer {
  const header = Buffer.from(request.subarray(0, headerBytes));
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(attributes.length, 2);
  return Buffer.concat([header, attributes]);
}

function bytesOfIPv4(address: string): number[] {
  return address.split('.').map(Number);
}

function bytesOfIPv6(address: string): number[] {
  const dot = address.lastIndexOf('.');
  if (dot !== -1) {
    const colon = address.lastIndexOf(':');
    const [a = 0, b = 0, c = 0, d = 0] = bytesOfIPv4(address.slice(colon + 1));
    const tail = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    return bytesOfIPv6(`${address.slice(0, colon + 1)}${tail}`);
  }
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
