// Where to send a request (RFC 3263): an answer at once where no DNS is needed, within seconds where it is, and never an
// error. Departs from RFC 7984 §4: IPv4 first, as a host often has an IPv6 address and no way out by it.

import { createDnsCache, type DnsCacheLimits } from './dns-cache.ts';
import { createDnsClient } from './dns-client.ts';
import type { RecordType } from './dns-records.ts';
import { parseDnsServer, parseResolvConf } from './dns-servers.ts';
import { addressesByHost, parseHosts } from './hosts-file.ts';
import { openInquiry } from './inquiry.ts';
import { type LocateTarget, type NextHop, nextHops, type SocketFamily } from './next-hops.ts';
import { rereadFile } from './reread-file.ts';

export type { LocateTarget, NextHop, SocketFamily } from './next-hops.ts';

/** What a locator needs. */
export interface LocatorOptions {
  /** Values of the keyword `Resolver`; where there are none, those of resolv.conf(5). */
  readonly resolver?: readonly string[] | undefined;
  /** What we can send by now; asked for each target. */
  readonly transports: () => ReadonlySet<SocketFamily>;
  /** How long one target may take. */
  readonly timeoutMs?: number;
  /** At least 0 and below 1; chooses among servers by weight. */
  readonly random?: () => number;
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  readonly cacheLimits?: DnsCacheLimits;
}

/** Locates SIP servers. */
export interface Locator {
  /**
   * The hops to try, in order: an array where DNS need not be asked, or was. None: the target resolves to nothing we can
   * send to. Neither throws nor rejects.
   */
  locate(target: LocateTarget): readonly NextHop[] | Promise<readonly NextHop[]>;
  /** Ends what is being looked up, with what is known by then. */
  close(): void;
}

const defaultTimeoutMs = 3000;
const defaultCacheLimits: DnsCacheLimits = { answers: 4096, open: 512 };

/** Makes a locator. */
export function createLocator(options: LocatorOptions): Locator {
  const { resolver = [], timeoutMs = defaultTimeoutMs, random = Math.random } = options;
  const ofKeyword = resolver.flatMap((text) => parseDnsServer(text) ?? []);
  const ofHost = rereadFile(options.resolvConf ?? '/etc/resolv.conf', parseResolvConf);
  const hosts = rereadFile(options.hostsFile ?? '/etc/hosts', parseHosts);
  const cache = createDnsCache(options.cacheLimits ?? defaultCacheLimits);
  const client = createDnsClient({ servers: resolver.length > 0 ? () => ofKeyword : ofHost, timeoutMs });

  const ask = <T extends RecordType>(type: T, name: string) =>
    cache.get(`${type} ${name}`, () => client.ask(type, name));

  return {
    locate(target) {
      const inquiry = openInquiry(ask, (name) => addressesByHost(hosts(), name), random);
      const sockets = options.transports();
      const hops = nextHops(target, inquiry.known, sockets);
      return hops ?? inquiry.conclude(timeoutMs, () => nextHops(target, inquiry.known, sockets));
    },
    close: () => client.close(),
  };
}
