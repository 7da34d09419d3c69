// A token bucket for each source address (RateLimit): what comes beyond it is not even parsed.

import { networkOf } from '../transport/address.ts';

/** So many requests a second, so many at once. */
export interface Rate {
  readonly rate: number;
  readonly burst: number;
}

/** Counts requests by source. */
export interface SourceLimits {
  /** Whether a request of that address may be served; `isFirst`: the first refused since it last was within its rate. */
  admit(address: string, nowMs: number): 'admitted' | 'refused' | 'refused-first';
  size(): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  isRefusing: boolean;
}

/** Starts with full buckets; the oldest sources are forgotten beyond `most`. */
export function createSourceLimits({ rate, burst }: Rate, most: number): SourceLimits {
  const buckets = new Map<string, Bucket>();

  return {
    admit(address, nowMs) {
      const source = networkOf(address);
      let bucket = buckets.get(source);
      if (bucket === undefined) {
        bucket = { tokens: burst, atMs: nowMs, isRefusing: false };
        if (buckets.size >= most) buckets.delete(buckets.keys().next().value as string);
        buckets.set(source, bucket);
      }
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * rate) / 1000);
      bucket.atMs = nowMs;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        if (bucket.tokens >= burst / 2) bucket.isRefusing = false;
        return 'admitted';
      }
      const wasRefusing = bucket.isRefusing;
      bucket.isRefusing = true;
      return wasRefusing ? 'refused' : 'refused-first';
    },
    size: () => buckets.size,
  };
}
