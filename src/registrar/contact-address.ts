// Where a contact may point (DESIGN §4.6): a phone, never ourselves, nobody in particular or everybody. Pure.

import type { SipUri } from '../message/uri.ts';
import { canonicalAddress } from '../transport/address.ts';

/** What kind of address a host is; `name` needs DNS. */
export type AddressKind =
  | 'unicast'
  | 'loopback'
  | 'link-local'
  | 'multicast'
  | 'broadcast'
  | 'unspecified'
  | 'name';

/** What the host we run on says of addresses. */
export interface HostFacts {
  /** Whether a host and port are a socket of ours: a contact there would loop. */
  isOwnSocket(host: string, port: number): boolean;
  /** The broadcast addresses of the host's networks. */
  isBroadcast(address: string): boolean;
}

const SIP_PORT = 5060;

/** Why a contact may not point where it does, or undefined. Asked at REGISTER and again at use: usrloc is the user's. */
export function refusalOfContact(uri: SipUri, sourceAddress: string, facts: HostFacts): string | undefined {
  if (uri.port === 0) return 'port 0';
  if (facts.isOwnSocket(uri.host, uri.port ?? SIP_PORT)) return 'one of our own sockets';
  const address = canonicalAddress(uri.host);
  if (address !== undefined && facts.isBroadcast(address)) return 'a broadcast address';
  const kind = addressKind(uri.host);
  if (kind === 'name' || kind === 'unicast') return undefined;
  if (kind !== 'loopback' && kind !== 'link-local') return `${kind} address`;
  return addressKind(sourceAddress) === kind
    ? undefined
    : `${kind} address, registered from ${sourceAddress}`;
}

/** Classifies a host of a URI: an IP literal with or without brackets, or a name. */
export function addressKind(host: string): AddressKind {
  const address = canonicalAddress(host);
  if (address === undefined) return isLocalhostName(host) ? 'loopback' : 'name';
  return address.includes(':') ? ipv6Kind(address) : ipv4Kind(address);
}

function isLocalhostName(name: string): boolean {
  const lower = name.toLowerCase().replace(/\.$/, '');
  return lower === 'localhost' || lower.endsWith('.localhost');
}

function ipv4Kind(address: string): AddressKind {
  const first = Number.parseInt(address, 10);
  if (first === 127) return 'loopback';
  if (first === 0) return 'unspecified';
  if (first === 169 && address.startsWith('169.254.')) return 'link-local';
  if (first >= 224 && first <= 239) return 'multicast';
  return address === '255.255.255.255' ? 'broadcast' : 'unicast';
}

function ipv6Kind(address: string): AddressKind {
  const groups = ipv6Groups(address);
  const leading = groups.slice(0, 5).every((group) => group === 0);
  if (leading && groups[5] === 0xffff)
    return ipv4Kind(
      groups
        .slice(6)
        .flatMap((group) => [group >> 8, group & 255])
        .join('.'),
    );
  if (leading && groups[5] === 0 && groups[6] === 0) {
    if (groups[7] === 1) return 'loopback';
    if (groups[7] === 0) return 'unspecified';
  }
  const first = groups[0] as number;
  if ((first & 0xff00) === 0xff00) return 'multicast';
  return (first & 0xffc0) === 0xfe80 ? 'link-local' : 'unicast';
}

/** The eight groups of a valid IPv6 address. */
function ipv6Groups(address: string): number[] {
  let text = address.replace(/%.*$/, '');
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(1).map(Number) as [number, number, number, number];
    text = `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [left = '', right] = text.split('::', 2);
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const middle = right === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(Math.max(0, middle)).fill('0'), ...tail].map((group) =>
    Number.parseInt(group, 16),
  );
}
