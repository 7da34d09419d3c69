// Which hosts name this server (DESIGN §3): Realm, every Domain, the host's names, every own and advertised address;
// without case, ignoring the port.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { canonicalAddress } from '../transport/address.ts';

/** Addresses of `*` come and go; they are looked at again after this time. */
const LOOK_AGAIN_MS = 1000;

/** Answers whether a host is local. */
export interface LocalDomains {
  isLocal(host: string): boolean;
  /** Whether an IP literal or name is one of our own addresses, not merely a domain that we serve. */
  isOwnAddress(host: string): boolean;
  /** The domain id of credentials (UseDid): a `Domain` besides Realm is its own, everything else `_default`. */
  didOf(host: string): string;
}

/** Collects the names of this server; `addresses` are those of its sockets. */
export function createLocalDomains(options: {
  readonly realm: string;
  readonly domains: readonly string[];
  readonly advertised: readonly string[];
  readonly addresses: () => readonly string[];
}): LocalDomains {
  const names = new Set(
    [options.realm, ...options.domains, ...hostNames(), 'localhost'].map((name) => name.toLowerCase()),
  );
  const dids = new Set(options.domains.map((name) => name.toLowerCase()));
  dids.delete(options.realm.toLowerCase());
  const advertised = new Set(options.advertised.map((host) => canonicalAddress(host) ?? host.toLowerCase()));
  let own: ReadonlySet<string> = new Set();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const ownAddresses = () => {
    const nowMs = performance.now();
    if (nowMs - lookedAtMs > LOOK_AGAIN_MS) {
      own = new Set(options.addresses());
      lookedAtMs = nowMs;
    }
    return own;
  };
  const isOwnAddress = (host: string): boolean => {
    const address = canonicalAddress(host);
    if (address === undefined) return advertised.has(host.toLowerCase());
    return advertised.has(address) || ownAddresses().has(address);
  };
  return {
    isLocal: (host) => names.has(host) || names.has(withoutRootDot(host)) || isOwnAddress(host),
    isOwnAddress,
    didOf: (host) => (dids.has(host) ? host : '_default'),
  };
}

function withoutRootDot(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** The host's name, its mDNS name, and its fully qualified names as /etc/hosts has them: no DNS is asked. */
function hostNames(): string[] {
  const name = hostname();
  const short = name.split('.', 1)[0] as string;
  return [name, short, `${short}.local`, ...hostsFileNames(name)];
}

function hostsFileNames(name: string): string[] {
  let content: string;
  try {
    content = readFileSync('/etc/hosts', 'utf8');
  } catch {
    return [];
  }
  for (const line of content.split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (names.includes(name)) return names;
  }
  return [];
}
