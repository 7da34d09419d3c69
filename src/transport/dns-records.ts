// The DNS records that locating a SIP server needs (RFC 3263 §4), each type asked of one DNS server by node:dns.

import type { Resolver } from 'node:dns/promises';
import { canonicalAddress } from './address.ts';

/** RFC 2782; an empty target says that there is no such service. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** In lower case, without the dot at its end. */
  readonly target: string;
}

/** RFC 3403, of which RFC 3263 §4.1 uses these fields. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  /** In lower case. */
  readonly flags: string;
  /** In upper case, as `SIP+D2U`. */
  readonly service: string;
  /** In lower case, without the dot at its end. */
  readonly replacement: string;
}

/** What the records of each type are; addresses are canonical. */
export interface DnsRecords {
  readonly A: string;
  readonly AAAA: string;
  readonly SRV: SrvRecord;
  readonly NAPTR: NaptrRecord;
}

export type RecordType = keyof DnsRecords;

/** What DNS said, and for how many seconds that may be remembered; no records: there are none. */
export interface DnsAnswer<R> {
  readonly records: readonly R[];
  readonly ttl: number;
}

const leastTtl = 5;
const mostTtl = 3600;
/** node:dns keeps the TTL of these types to itself. */
const hiddenTtl = 60;
const noneTtl = 10;
const mostRecords = 64;

/** Asks one server; undefined: it did not say, be it silent, refusing or failing itself. Never rejects. */
export async function queryDns<T extends RecordType>(
  resolver: Resolver,
  type: T,
  name: string,
): Promise<DnsAnswer<DnsRecords[T]> | undefined> {
  try {
    const { records, ttl } = await queries[type](resolver, name);
    return { records: records.slice(0, mostRecords), ttl: Math.min(mostTtl, Math.max(leastTtl, ttl)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { records: [], ttl: noneTtl } : undefined;
  }
}

const queries: {
  readonly [T in RecordType]: (resolver: Resolver, name: string) => Promise<DnsAnswer<DnsRecords[T]>>;
} = {
  A: async (resolver, name) => fromAddresses(await resolver.resolve4(name, { ttl: true })),
  AAAA: async (resolver, name) => fromAddresses(await resolver.resolve6(name, { ttl: true })),
  SRV: async (resolver, name) => {
    const records = await resolver.resolveSrv(name);
    return {
      records: records.map((record) => ({
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: plainName(record.name),
      })),
      ttl: hiddenTtl,
    };
  },
  NAPTR: async (resolver, name) => {
    const records = await resolver.resolveNaptr(name);
    return {
      records: records.map((record) => ({
        order: record.order,
        preference: record.preference,
        flags: record.flags.toLowerCase(),
        service: record.service.toUpperCase(),
        replacement: plainName(record.replacement),
      })),
      ttl: hiddenTtl,
    };
  },
};

function fromAddresses(records: readonly { address: string; ttl: number }[]): DnsAnswer<string> {
  return {
    records: records.map(({ address }) => canonicalAddress(address) ?? address),
    ttl: Math.min(...records.map(({ ttl }) => ttl)),
  };
}

function plainName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
