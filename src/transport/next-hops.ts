// Locating SIP servers (RFC 3263 §4): what DNS said in, next hops out; what is not known yet is asked for on the way.
// Pure.

import { canonicalAddress } from './address.ts';
import type { NaptrRecord, SrvRecord } from './dns-records.ts';
import type { TransportName } from './flow.ts';

/** Where a request goes next. */
export interface NextHop {
  readonly transport: TransportName;
  /** An IP literal, canonical, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** What is to be located: of a URI, or of the topmost Route. */
export interface LocateTarget {
  /** As in `SipUri.host`: lower case, IPv6 in brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  /** The URI's transport parameter, in lower case. */
  readonly transport?: string | undefined;
  /** Of a `sips:` URI. */
  readonly secure?: boolean | undefined;
}

/** A transport and an IP version that we have sockets for. */
export type SocketFamily = `${TransportName}${4 | 6}`;

/** What is known of names. Undefined: not yet, and it is being asked; a function is called for all that can be asked now. */
export interface KnownNames {
  /** What this host knows without DNS; undefined: nothing. */
  readonly ofHost: (name: string) => readonly string[] | undefined;
  /** Addresses of both families, in the order to try. */
  readonly addresses: (name: string) => readonly string[] | undefined;
  /** In the order to try. */
  readonly srv: (name: string) => readonly SrvRecord[] | undefined;
  readonly naptr: (name: string) => readonly NaptrRecord[] | undefined;
}

interface Service {
  readonly transport: TransportName;
  /** The name of its SRV records. */
  readonly name: string;
}

const defaultPort = 5060;
const mostHops = 16;
/** SRV records whose targets are looked up, and NAPTR records whose SRV records are. */
const mostServers = 8;
const mostServices = 4;
const transports: readonly TransportName[] = ['udp', 'tcp'];
const naptrServices: Readonly<Record<string, TransportName>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp' };

/** The next hops in the order to try; none: it cannot be reached. Undefined: something is not known yet. */
export function nextHops(
  target: LocateTarget,
  known: KnownNames,
  sockets: ReadonlySet<SocketFamily>,
): readonly NextHop[] | undefined {
  const transport = transports.find((name) => name === target.transport);
  if (target.secure === true || transport !== target.transport || target.port === 0) return [];
  const hops = (addresses: readonly string[] | undefined, chosen = transport) =>
    addresses && distinct(hopsTo(addresses, chosen, target.port ?? defaultPort, sockets));

  const literal = canonicalAddress(target.host);
  if (literal !== undefined) return hops([literal]);
  const name = domainName(target.host);
  if (name === undefined) return [];
  const ofHost = known.ofHost(name);
  if (ofHost !== undefined || target.port !== undefined) return hops(ofHost ?? known.addresses(name));

  // Asked beside the NAPTR records, so that a domain without these waits no longer.
  const sendable = transports.filter((each) => sockets.has(`${each}4`) || sockets.has(`${each}6`));
  const usual = serversOf(
    sendable
      .filter((each) => transport === undefined || each === transport)
      .map((each) => ({ transport: each, name: `_sip._${each}.${name}` })),
    known,
  );
  const naptr = transport === undefined ? known.naptr(name) : [];
  if (naptr === undefined) return undefined;
  const services = servicesOf(naptr, sendable);
  const servers = services.length === 0 ? usual : serversOf(services, known);
  if (servers === undefined) return undefined;
  if (servers.length === 0) return hops(known.addresses(name), transport ?? services[0]?.transport);
  return hopsToServers(servers, known, sockets);
}

/** §4.1: the services we can use, by order, then preference; the NAPTR records of others are as if they were not there. */
function servicesOf(records: readonly NaptrRecord[], sendable: readonly TransportName[]): Service[] {
  return [...records]
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }) => {
      const transport = sendable.find((each) => each === naptrServices[service]);
      return flags !== 's' || transport === undefined || domainName(replacement) === undefined
        ? []
        : [{ transport, name: replacement }];
    })
    .slice(0, mostServices);
}

interface Server extends SrvRecord {
  readonly transport: TransportName;
}

/** §4.2: the servers of all services. Undefined: not all are known. */
function serversOf(services: readonly Service[], known: KnownNames): readonly Server[] | undefined {
  return together(
    services.map(({ transport, name }) =>
      known.srv(name)?.map(({ priority, weight, port, target }) => ({
        transport,
        priority,
        weight,
        port,
        target,
      })),
    ),
  );
}

/** Of servers that say that there is no service (an empty target) nothing is left: the domain itself is not tried then. */
function hopsToServers(
  servers: readonly Server[],
  known: KnownNames,
  sockets: ReadonlySet<SocketFamily>,
): readonly NextHop[] | undefined {
  const reachable = servers.filter(({ target, port }) => domainName(target) !== undefined && port > 0);
  const hops = together(
    reachable.slice(0, mostServers).map(({ target, transport, port }) => {
      const addresses = known.ofHost(target) ?? known.addresses(target);
      return addresses && hopsTo(addresses, transport, port, sockets);
    }),
  );
  return hops && distinct(hops);
}

/** Those we have a socket for; UDP unless a transport is chosen (§4.1), TCP where UDP is not to be had. */
function hopsTo(
  addresses: readonly string[],
  transport: TransportName | undefined,
  port: number,
  sockets: ReadonlySet<SocketFamily>,
): NextHop[] {
  return addresses.flatMap((address) => {
    const family = address.includes(':') ? 6 : 4;
    const chosen = transport ?? transports.find((each) => sockets.has(`${each}${family}`)) ?? 'udp';
    return sockets.has(`${chosen}${family}`) ? [{ transport: chosen, address, port }] : [];
  });
}

function together<T>(lists: readonly (readonly T[] | undefined)[]): readonly T[] | undefined {
  const all = lists.filter((list) => list !== undefined);
  return all.length < lists.length ? undefined : all.flat();
}

function distinct(hops: readonly NextHop[]): readonly NextHop[] {
  const byEnds = new Map(hops.map((hop) => [`${hop.transport} ${hop.address} ${hop.port}`, hop]));
  return [...byEnds.values()].slice(0, mostHops);
}

/** A name that can be in DNS, without the dot at its end; undefined for others, `1.2.3` or `a..b` (RFC 1123 §2.1). */
function domainName(host: string): string | undefined {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (name.length > 253) return undefined;
  const labels = name.split('.');
  const isName = labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  return isName && !/^\d+$/.test(labels.at(-1) as string) ? name : undefined;
}
