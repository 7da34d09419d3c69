// Nonce counts: which counts of which nonces were used (RFC 7616 §3.3, §5.12) in bounded memory. Pure.
//
// A nonce is known by its ordinal, and each has its place in a table: its ordinal modulo the table's size. A younger nonce
// takes the place of an older one, and what was in it counts as used from then on. Nothing is searched, nothing is left to
// the garbage collector, and no clock is asked.

/** How far below the highest count seen a count may come late: phones pipeline requests, UDP reorders them. */
const windowSize = 64;
const highestCount = 0xffffffff;

/** Remembers what was used. Ask only about nonces found good: each answer spends one. */
export interface NonceCounts {
  /** Spends one count of a nonce. */
  use(ordinal: number, nc: number): 'fresh' | 'used';
  /** Spends a whole nonce, for credentials without qop: fresh only as the first use of all. */
  useOnce(ordinal: number): 'fresh' | 'used';
  /**
   * Holds a count, or without one the whole nonce, while its credentials are being verified; false when it was used, or
   * another request holds it. Nothing is spent yet.
   */
  reserve(ordinal: number, nc: number | undefined): boolean;
  /** Ends what `reserve` began, and does nothing where it did not: right credentials spend it, wrong ones leave everything as it was. */
  settle(ordinal: number, nc: number | undefined, isRight: boolean): void;
}

/** Creates an empty memory of `places` nonces, 24 bytes each. A nonce whose place a younger one took is used. */
export function createNonceCounts({ places }: { readonly places: number }): NonceCounts {
  /** The ordinal of the nonce in a place; 0: there is none. */
  const ordinals = new Float64Array(places);
  /** The highest count that was used; infinity for a nonce used as a whole. */
  const highest = new Float64Array(places);
  /** Bit i of `low`, i - 32 of `high`, is set when count `highest - i` was used. */
  const low = new Int32Array(places);
  const high = new Int32Array(places);
  /** Counts under way; undefined stands for a whole nonce. As many as there are requests being verified. */
  const held = new Map<number, (number | undefined)[]>();

  function isFresh(ordinal: number, nc: number | undefined): boolean {
    if (nc !== undefined && !(nc >= 1 && nc <= highestCount)) return false;
    const place = ordinal % places;
    const owner = ordinals[place] as number;
    return owner < ordinal || (owner === ordinal && nc !== undefined && isUnspent(place, nc));
  }

  /** Whether a count of the nonce in a place could be marked. */
  function isUnspent(place: number, nc: number): boolean {
    const behind = (highest[place] as number) - nc;
    if (behind < 0) return true;
    if (behind >= windowSize) return false;
    return (((behind < 32 ? low : high)[place] as number) & (1 << (behind & 31))) === 0;
  }

  /** Marks a count that is fresh; infinity: all of them. */
  function spend(ordinal: number, nc: number): void {
    const place = ordinal % places;
    if ((ordinals[place] as number) < ordinal) {
      ordinals[place] = ordinal;
      highest[place] = nc;
      low[place] = 1;
      high[place] = 0;
      return;
    }
    const behind = (highest[place] as number) - nc;
    if (behind < 0) advance(place, -behind);
    else if (behind < 32) low[place] = (low[place] as number) | (1 << behind);
    else high[place] = (high[place] as number) | (1 << (behind - 32));
  }

  /** Moves the window of a place up, and marks its new end. */
  function advance(place: number, by: number): void {
    const below = low[place] as number;
    high[place] =
      by < 32
        ? ((high[place] as number) << by) | (below >>> (32 - by))
        : by < windowSize
          ? below << (by - 32)
          : 0;
    low[place] = by < 32 ? (below << by) | 1 : 1;
    highest[place] = (highest[place] as number) + by;
  }

  function use(ordinal: number, nc: number): 'fresh' | 'used' {
    if (!isFresh(ordinal, nc)) return 'used';
    spend(ordinal, nc);
    return 'fresh';
  }

  function useOnce(ordinal: number): 'fresh' | 'used' {
    if (!isFresh(ordinal, undefined)) return 'used';
    spend(ordinal, Number.POSITIVE_INFINITY);
    return 'fresh';
  }

  function reserve(ordinal: number, nc: number | undefined): boolean {
    if (!isFresh(ordinal, nc)) return false;
    const holders = held.get(ordinal);
    if (holders === undefined) held.set(ordinal, [nc]);
    else if (nc === undefined || holders.includes(undefined) || holders.includes(nc)) return false;
    else holders.push(nc);
    return true;
  }

  function settle(ordinal: number, nc: number | undefined, isRight: boolean): void {
    const holders = held.get(ordinal) ?? [];
    const holder = holders.indexOf(nc);
    if (holder < 0) return;
    if (holders.length === 1) held.delete(ordinal);
    else holders.splice(holder, 1);
    if (!isRight) return;
    if (nc === undefined) useOnce(ordinal);
    else use(ordinal, nc);
  }

  return { use, useOnce, reserve, settle };
}
