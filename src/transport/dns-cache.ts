// What DNS said, for as long as it holds; whoever asks what is being asked already waits for the same answer. Bounded.

import type { DnsAnswer } from './dns-records.ts';

/** How much a cache holds at most. */
export interface DnsCacheLimits {
  /** Answers; the one that was wanted longest ago gives way. */
  readonly answers: number;
  /** Questions that are open; more are not asked, and answered with nothing. */
  readonly open: number;
}

/** A cache of records of any types. */
export interface DnsCache {
  /** The records that are remembered under `key`, or a promise of what `ask`, which must not reject, is answered. */
  get<R>(key: string, ask: () => Promise<DnsAnswer<R>>): readonly R[] | Promise<readonly R[]>;
}

/** Makes an empty cache. `now` is in milliseconds and never goes back. */
export function createDnsCache(
  limits: DnsCacheLimits,
  now: () => number = () => performance.now(),
): DnsCache {
  const remembered = new Map<string, { readonly records: readonly unknown[]; readonly until: number }>();
  const open = new Map<string, Promise<readonly unknown[]>>();

  function recall(key: string): readonly unknown[] | undefined {
    const found = remembered.get(key);
    if (found === undefined) return undefined;
    remembered.delete(key);
    if (found.until <= now()) return undefined;
    remembered.set(key, found);
    return found.records;
  }

  function remember(key: string, { records, ttl }: DnsAnswer<unknown>): readonly unknown[] {
    open.delete(key);
    if (ttl > 0) remembered.set(key, { records, until: now() + ttl * 1000 });
    if (remembered.size > limits.answers) remembered.delete(remembered.keys().next().value as string);
    return records;
  }

  function begin(key: string, ask: () => Promise<DnsAnswer<unknown>>): Promise<readonly unknown[]> {
    const answer = ask().then((said) => remember(key, said));
    open.set(key, answer);
    return answer;
  }

  return {
    get<R>(key: string, ask: () => Promise<DnsAnswer<R>>) {
      const known = recall(key) ?? open.get(key) ?? (open.size < limits.open ? begin(key, ask) : []);
      return known as readonly R[] | Promise<readonly R[]>;
    },
  };
}
