// Hosts as URIs and Via write them: names, IPv4, IPv6 in brackets (RFC 3261 §25.1, RFC 5954). Pure.

import { isIPv6 } from 'node:net';
import { BRACKET, HOST, skipClass } from './characters.ts';

const LONGEST_IPV6 = '[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]'.length;
const DOT = 46;

/** The position behind the host that starts at `start`; -1 where there is none. */
export function skipHost(text: string, start: number, end: number): number {
  if (start >= end) return -1;
  const first = text.charCodeAt(start);
  if (first === BRACKET) {
    const close = text.indexOf(']', start);
    if (close < 0 || close >= end || close - start >= LONGEST_IPV6) return -1;
    const address = text.slice(start + 1, close);
    return isIPv6(address) && !address.includes('%') ? close + 1 : -1;
  }
  const position = skipClass(HOST, text, start, end);
  if (position === start || first === DOT) return -1;
  return position;
}

/** An address without the brackets of an IPv6 reference, as sockets want it; a name is returned as it is. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** An address or name as URIs and Via write it: a bare IPv6 address gets brackets. */
export function bracketHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** Whether two hosts are the same without resolving them: case and the spelling of IPv6 do not matter. */
export function sameHost(a: string, b: string): boolean {
  if (a === b || a.toLowerCase() === b.toLowerCase()) return true;
  return a.startsWith('[') && b.startsWith('[') && expandIPv6(bareHost(a)) === expandIPv6(bareHost(b));
}

/** All eight groups of a valid IPv6 address, without leading zeros. */
function expandIPv6(address: string): string {
  const dotted = address.lastIndexOf(':') + 1;
  const [a = 0, b = 0, c = 0, d = 0] = address.slice(dotted).split('.').map(Number);
  const text = address.includes('.')
    ? `${address.slice(0, dotted)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
    : address;
  const [left = '', right] = text.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...(right === undefined ? [] : zeros), ...tail]
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
