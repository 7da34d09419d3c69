// SIP messages as a capture file: the pcap format of tcpdump(1) with LINKTYPE_RAW, each message a datagram of headers made
// up (RFC 791, RFC 8200, RFC 768). Pure.

import { addressOctets } from '../../home/address-range.ts';

const LINKTYPE_RAW = 101;
const SNAP_BYTES = 262_144;
const UDP = 17;
const UDP_BYTES = 8;
const MOST_UDP_BYTES = 65_535;

/** What begins a capture file. */
export function pcapHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_BYTES, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

/**
 * One message in a capture file. `timeMs` is since 1970, addresses are `192.0.2.1:5060` or `[2001:db8::1]:5060`, the
 * message an octet string. Undefined where an address is none.
 */
export function pcapRecord(
  timeMs: number,
  source: string,
  destination: string,
  octets: string,
): Buffer | undefined {
  const [from, to] = [endOf(source), endOf(destination)];
  if (from === undefined || to === undefined || from.address.length !== to.address.length) return undefined;
  const packet = from.address.length === 4 ? ipv4(from, to, octets) : ipv6(from, to, octets);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(Math.floor(timeMs / 1000), 0);
  record.writeUInt32LE(Math.floor((timeMs % 1000) * 1000), 4);
  record.writeUInt32LE(packet.length, 8);
  record.writeUInt32LE(packet.length, 12);
  return Buffer.concat([record, packet]);
}

interface End {
  readonly address: Buffer;
  readonly port: number;
}

function endOf(text: string): End | undefined {
  const [, host = '', port = ''] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const address = addressOctets(host);
  return address === undefined || Number(port) > 65_535
    ? undefined
    : { address: Buffer.from(address), port: Number(port) };
}

function ipv4(from: End, to: End, octets: string): Buffer {
  const datagram = udp(from, to, octets, 20);
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(header.length + datagram.length, 2);
  header[8] = 64;
  header[9] = UDP;
  from.address.copy(header, 12);
  to.address.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, datagram]);
}

function ipv6(from: End, to: End, octets: string): Buffer {
  const datagram = udp(from, to, octets, 0);
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(datagram.length, 4);
  header[6] = UDP;
  header[7] = 64;
  from.address.copy(header, 8);
  to.address.copy(header, 24);
  return Buffer.concat([header, datagram]);
}

/** A message that came by TCP may be longer than any datagram: its end is cut off. */
function udp(from: End, to: End, octets: string, aroundBytes: number): Buffer {
  const payload = Buffer.from(octets, 'latin1').subarray(0, MOST_UDP_BYTES - UDP_BYTES - aroundBytes);
  const datagram = Buffer.concat([Buffer.alloc(UDP_BYTES), payload]);
  datagram.writeUInt16BE(from.port, 0);
  datagram.writeUInt16BE(to.port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  const pseudo = Buffer.from([0, UDP, datagram.length >> 8, datagram.length & 255]);
  datagram.writeUInt16BE(checksum(from.address, to.address, pseudo, datagram) || 0xffff, 6);
  return datagram;
}

/** RFC 1071; all parts but the last have an even length. */
function checksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) sum += part.readUInt16BE(at);
    if (part.length % 2 === 1) sum += (part.at(-1) as number) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
