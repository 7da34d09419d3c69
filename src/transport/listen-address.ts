// The values of `Listen` (DESIGN §3) and the socket addresses they stand for. `*` is one socket for each local
// address of both families: a wildcard socket answers from an address the kernel picks. Pure.

import type { NetworkInterfaceInfo } from 'node:os';
import { canonicalAddress, formatHostPort, isLinkLocalIPv6 } from './address.ts';
import type { TransportName } from './flow.ts';

/** Where the outside world is told to find a socket, where that is not its own address. */
export interface Advertise {
  readonly host: string;
  readonly port?: number;
}

/** One value of `Listen`. `host` is `*` or an IP literal without brackets, perhaps with a zone; port 0 is any. */
export interface ListenAddress {
  readonly transport: TransportName;
  readonly host: string;
  readonly port: number;
  readonly advertise?: Advertise;
}

/** One socket that is wanted. */
export interface WantedSocket {
  /** Tells wanted sockets apart, also those of port 0. */
  readonly key: string;
  readonly listen: ListenAddress;
  /** What to bind: an IP literal, with its zone where it needs one. */
  readonly address: string;
  readonly port: number;
  /** Of `*`: may come and go with the host's addresses. */
  readonly wildcard: boolean;
}

/** What `os.networkInterfaces()` returns. */
export type Interfaces = Readonly<Record<string, NetworkInterfaceInfo[] | undefined>>;

/** Formats a value of `Listen` as it is written: `udp:*:5060`, `tcp:[::1]:5060`. */
export function formatListen(listen: ListenAddress): string {
  return `${listen.transport}:${formatHostPort(listen.host, listen.port)}`;
}

/**
 * The local addresses that `*` means, in the host's order. Link-local IPv6 addresses are left out: no Via or Contact
 * can carry the zone that an answer would need; `Listen udp:[fe80::1%eth0]:5060` names one explicitly.
 */
export function localAddresses(interfaces: Interfaces): string[] {
  const addresses = new Set<string>();
  for (const infos of Object.values(interfaces)) {
    for (const info of infos ?? []) {
      const address = canonicalAddress(info.address);
      if (address !== undefined && !isLinkLocalIPv6(address)) addresses.add(address);
    }
  }
  return [...addresses];
}

/** Expands `Listen` values into the sockets they ask for. An address written out wins over the same one of a `*`. */
export function expandListen(listens: readonly ListenAddress[], interfaces: Interfaces): WantedSocket[] {
  const wanted = new Map<string, WantedSocket>();
  const want = (listen: ListenAddress, address: string, wildcard: boolean): void => {
    const key = `${listen.transport}:${formatHostPort(address, listen.port)}`;
    if (!wanted.has(key)) wanted.set(key, { key, listen, address, port: listen.port, wildcard });
  };
  for (const listen of listens) {
    if (listen.host !== '*') want(listen, bindAddress(listen.host), false);
  }
  for (const listen of listens) {
    if (listen.host !== '*') continue;
    for (const address of localAddresses(interfaces)) want(listen, address, true);
  }
  return [...wanted.values()];
}

function bindAddress(host: string): string {
  return host.includes('%') ? host : (canonicalAddress(host) ?? host);
}
