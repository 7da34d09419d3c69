// Nonce counts: which counts of which nonces were used (RFC 7616 §3.3, §5.12) in bounded memory. Pure: time is read from
// the nonces.
//
// Nonces are numbered as they are made, so each has its place in a table: its number modulo the table's size. A younger
// nonce takes the place of an older one, and what was in it counts as used from then on. Nothing is searched, and nothing
// is left to the garbage collector.

import { nonceNumber, nonceTimeMs } from './nonce.ts';

/** How far below the highest count seen a count may come late: phones pipeline requests, UDP reorders them. */
const windowSize = 64;
const highestCount = 0xffffffff;

/** Remembers what was used. Ask only about nonces found good: each answer spends one. */
export interface NonceCounts {
  /** Spends one count of a nonce. */
  use(nonce: string, nc: number): 'fresh' | 'used';
  /** Spends a whole nonce, for credentials without qop: fresh only as the first use of all. */
  useOnce(nonce: string): 'fresh' | 'used';
  /**
   * Holds a count, or without one the whole nonce, while its credentials are being verified; false when it was used, or
   * another request holds it. Nothing is spent yet.
   */
  reserve(nonce: string, nc: number | undefined): boolean;
  /** Ends what `reserve` began: right credentials spend it, wrong ones leave everything as it was. */
  settle(nonce: string, nc: number | undefined, isRight: boolean): void;
}

/** Creates an empty memory of `places` nonces, 32 bytes each. A nonce whose place a younger one took is used. */
export function createNonceCounts({ places }: { readonly places: number }): NonceCounts {
  /** When the nonce in a place was made; 0: there is none. */
  const timesMs = new Float64Array(places);
  const numbers = new Float64Array(places);
  /** The highest count that was used; infinity for a nonce used as a whole. */
  const highest = new Float64Array(places);
  /** Bit i of `low`, i - 32 of `high`, is set when count `highest - i` was used. */
  const low = new Int32Array(places);
  const high = new Int32Array(places);
  /** Counts under way; undefined stands for a whole nonce. As many as there are requests being verified. */
  const held = new Map<string, (number | undefined)[]>();

  /** Whose the place of a nonce is. */
  function ownerOf(place: number, nonce: string, number: number): 'this' | 'older' | 'younger' {
    const timeMs = nonceTimeMs(nonce);
    const takenMs = timesMs[place] as number;
    if (takenMs !== timeMs) return takenMs < timeMs ? 'older' : 'younger';
    const taken = numbers[place] as number;
    return taken === number ? 'this' : taken < number ? 'older' : 'younger';
  }

  function isFresh(nonce: string, nc: number | undefined): boolean {
    if (nc !== undefined && !(nc >= 1 && nc <= highestCount)) return false;
    const number = nonceNumber(nonce);
    const place = number % places;
    const owner = ownerOf(place, nonce, number);
    return owner === 'older' || (owner === 'this' && nc !== undefined && isUnspent(place, nc));
  }

  /** Whether a count of the nonce in a place could be marked. */
  function isUnspent(place: number, nc: number): boolean {
    const behind = (highest[place] as number) - nc;
    if (behind < 0) return true;
    if (behind >= windowSize) return false;
    return (((behind < 32 ? low : high)[place] as number) & (1 << (behind & 31))) === 0;
  }

  /** Marks a count that is fresh; infinity: all of them. */
  function spend(nonce: string, nc: number): void {
    const number = nonceNumber(nonce);
    const place = number % places;
    if (ownerOf(place, nonce, number) === 'older') {
      timesMs[place] = nonceTimeMs(nonce);
      numbers[place] = number;
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

  function use(nonce: string, nc: number): 'fresh' | 'used' {
    if (!isFresh(nonce, nc)) return 'used';
    spend(nonce, nc);
    return 'fresh';
  }

  function useOnce(nonce: string): 'fresh' | 'used' {
    if (!isFresh(nonce, undefined)) return 'used';
    spend(nonce, Number.POSITIVE_INFINITY);
    return 'fresh';
  }

  function reserve(nonce: string, nc: number | undefined): boolean {
    if (!isFresh(nonce, nc)) return false;
    const holders = held.get(nonce);
    if (holders === undefined) held.set(nonce, [nc]);
    else if (nc === undefined || holders.includes(undefined) || holders.includes(nc)) return false;
    else holders.push(nc);
    return true;
  }

  function settle(nonce: string, nc: number | undefined, isRight: boolean): void {
    const holders = held.get(nonce);
    if (holders === undefined || holders.length <= 1) held.delete(nonce);
    else holders.splice(holders.indexOf(nc), 1);
    if (!isRight) return;
    if (nc === undefined) useOnce(nonce);
    else use(nonce, nc);
  }

  return { use, useOnce, reserve, settle };
}
