// IP literals as text (RFC 3986 §3.2.2, RFC 5952): one spelling for each address, brackets only in text. Pure.

import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** Takes the zone (`%eth0`) off an IPv6 address. */
export function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent === -1 ? address : address.slice(0, percent);
}

/**
 * The one spelling of an IP literal, with or without brackets and zone; IPv4-mapped IPv6 becomes IPv4.
 * Undefined: not an IP literal, so a name.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bare = withoutZone(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text);
  if (!isIPv6(bare)) return undefined;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : '';
  return isIPv4(mapped) ? mapped : address;
}

/** True of an IPv6 link-local address (fe80::/10), which means nothing without its zone. */
export function isLinkLocalIPv6(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

/** Formats an address and a port as in a URI: `10.0.0.1:5060`, `[::1]:5060`. */
export function formatHostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** One host may have a whole /64 of IPv6 for itself. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
