// Names that are answered without DNS: hosts(5), and the special ones of RFC 6761 §6. Pure.

import { canonicalAddress } from './address.ts';

const mostAddresses = 16;
const loopback: readonly string[] = ['127.0.0.1', '::1'];

/** The addresses of each name, in lower case, in the order of the file. */
export type HostsTable = ReadonlyMap<string, readonly string[]>;

/** Parses hosts(5); lines without an address are left out. */
export function parseHosts(text: string): HostsTable {
  const table = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const canonical = canonicalAddress(address ?? '');
    if (canonical === undefined) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const addresses = table.get(key);
      if (addresses === undefined) table.set(key, [canonical]);
      else if (addresses.length < mostAddresses && !addresses.includes(canonical)) addresses.push(canonical);
    }
  }
  return table;
}

/** The addresses of a name in lower case that this host knows by itself; undefined: DNS must be asked. */
export function addressesByHost(hosts: HostsTable, name: string): readonly string[] | undefined {
  return hosts.get(name) ?? specialAddresses(name);
}

/** RFC 6761 §6.3: localhost is this host. §6.4: `invalid` is nowhere. */
function specialAddresses(name: string): readonly string[] | undefined {
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback;
  return name === 'invalid' || name.endsWith('.invalid') ? [] : undefined;
}
