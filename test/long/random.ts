// Random numbers that a seed repeats.

/** A source of random numbers; the same seed gives the same ones. */
export interface Random {
  /** From 0 to below `limit`. */
  below(limit: number): number;
  /** From `least` to `most`, small numbers as likely as large ones by their number of digits. */
  size(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** So many random octets. */
  octets(length: number): string;
}

/** Makes a source: mulberry32, whose period is long enough for one batch of input. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    size: (least, most) => Math.floor(least * (most / least) ** next()),
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    octets(length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; at += 1) bytes[at] = below(256);
      return bytes.toString('latin1');
    },
  };
}
