// Which DNS servers are asked: the keyword `Resolver` or resolv.conf(5), as node:dns takes them. Pure.

import { isIP } from 'node:net';
import { canonicalAddress, formatHostPort } from './address.ts';

const dnsPort = 53;
/** As many as the C library asks (MAXNS). */
const mostServers = 3;

/** Parses `ADDRESS`, `ADDRESS:PORT` or `[IPv6]:PORT` into the form of `setServers`; undefined for anything else. */
export function parseDnsServer(text: string): string | undefined {
  if (isIP(text) !== 0) return withPort(text, dnsPort);
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? dnsPort);
  if (isIP(address) !== (match?.[1] === undefined ? 4 : 6) || port === 0 || port > 65535) return undefined;
  return withPort(address, port);
}

/**
 * The first three `nameserver` lines of resolv.conf(5). Departs from it where there is none: no DNS, and not a server on
 * this host, so that a host without a network is told at once.
 */
export function parseResolvConf(text: string): readonly string[] {
  const servers: string[] = [];
  for (const [, address = ''] of text.matchAll(/^nameserver[ \t]+(\S+)/gm)) {
    if (isIP(address) !== 0 && servers.length < mostServers) servers.push(withPort(address, dnsPort));
  }
  return servers;
}

/** A zone stays: a link-local server is nowhere without it. */
function withPort(address: string, port: number): string {
  return formatHostPort(address.includes('%') ? address : (canonicalAddress(address) ?? address), port);
}
