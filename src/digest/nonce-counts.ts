// Which nonce counts were used already (RFC 7616 §3.4: `nc` guards against replay), as a sliding window for each nonce
// (RFC 4303 §3.4.3) in bounded memory. Pure: time is read from the nonces.

import { nonceTimeMs } from './nonce.ts';

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
  /** How many nonces are remembered. */
  readonly size: number;
}

/** One nonce's window: bit i of `low` and `high` (i - 32) is set when count `highest - i` was used. */
interface Window {
  readonly nonce: string;
  readonly createdMs: number;
  /** The one opened after this. */
  younger: Window | undefined;
  highest: number;
  low: number;
  high: number;
}

/**
 * Creates an empty memory of at most `maxNonces` nonces. When it is full the oldest goes, and with `lifetimeMs` those
 * that a younger nonce proves to be expired. A nonce as old as one that was dropped, or older, is used unless remembered.
 */
export function createNonceCounts(options: {
  readonly maxNonces: number;
  readonly lifetimeMs?: number;
}): NonceCounts {
  const { maxNonces, lifetimeMs = Number.POSITIVE_INFINITY } = options;
  const windows = new Map<string, Window>();
  /** Counts under way; undefined stands for a whole nonce. As many as there are requests being verified. */
  const held = new Map<string, (number | undefined)[]>();
  let oldest: Window | undefined;
  let youngest: Window | undefined;
  let droppedUntilMs = Number.NEGATIVE_INFINITY;
  let newestMs = Number.NEGATIVE_INFINITY;

  /** Opens the window of a nonce not remembered; false when it may be one that was dropped. */
  function open(nonce: string, nc: number): boolean {
    const createdMs = nonceTimeMs(nonce);
    if (!(createdMs > droppedUntilMs)) return false;
    // A copy: a slice would keep the whole message it was cut from.
    const copy = Buffer.from(nonce, 'latin1').toString('latin1');
    const window: Window = { nonce: copy, createdMs, younger: undefined, highest: nc, low: 1, high: 0 };
    windows.set(copy, window);
    if (youngest === undefined) oldest = window;
    else youngest.younger = window;
    youngest = window;
    if (createdMs > newestMs) newestMs = createdMs;
    while (oldest !== undefined && (windows.size > maxNonces || newestMs - oldest.createdMs > lifetimeMs)) {
      drop(oldest);
    }
    return true;
  }

  function drop(window: Window): void {
    windows.delete(window.nonce);
    if (window.createdMs > droppedUntilMs) droppedUntilMs = window.createdMs;
    oldest = window.younger;
    if (oldest === undefined) youngest = undefined;
  }

  return {
    use(nonce, nc) {
      if (!(nc >= 1 && nc <= highestCount)) return 'used';
      const window = windows.get(nonce);
      if (window === undefined) return open(nonce, nc) ? 'fresh' : 'used';
      return spend(window, nc) ? 'fresh' : 'used';
    },
    useOnce(nonce) {
      if (windows.has(nonce)) return 'used';
      return open(nonce, Number.POSITIVE_INFINITY) ? 'fresh' : 'used';
    },
    reserve(nonce, nc) {
      const window = windows.get(nonce);
      const isFresh =
        window === undefined
          ? nonceTimeMs(nonce) > droppedUntilMs
          : nc !== undefined && isUnspent(window, nc);
      if (!isFresh || nc === 0) return false;
      const holders = held.get(nonce);
      if (holders === undefined) held.set(nonce, [nc]);
      else if (nc === undefined || holders.includes(undefined) || holders.includes(nc)) return false;
      else holders.push(nc);
      return true;
    },
    settle(nonce, nc, isRight) {
      const others = (held.get(nonce) ?? []).filter((other) => other !== nc);
      if (others.length === 0) held.delete(nonce);
      else held.set(nonce, others);
      if (!isRight) return;
      if (nc === undefined) this.useOnce(nonce);
      else this.use(nonce, nc);
    },
    get size() {
      return windows.size;
    },
  };
}

/** Marks a count in a window; false when it was marked before or is too far below the highest. */
function spend(window: Window, nc: number): boolean {
  const ahead = nc - window.highest;
  if (ahead > 0) {
    window.high =
      ahead < 32
        ? (window.high << ahead) | (window.low >>> (32 - ahead))
        : ahead < 64
          ? window.low << (ahead - 32)
          : 0;
    window.low = ahead < 32 ? (window.low << ahead) | 1 : 1;
    window.highest = nc;
    return true;
  }
  const behind = -ahead;
  if (behind >= windowSize) return false;
  const bit = 1 << (behind & 31);
  if (behind < 32) {
    if (window.low & bit) return false;
    window.low |= bit;
  } else {
    if (window.high & bit) return false;
    window.high |= bit;
  }
  return true;
}

/** Whether a count could be marked. */
function isUnspent(window: Window, nc: number): boolean {
  const behind = window.highest - nc;
  if (behind < 0) return true;
  if (behind >= windowSize) return false;
  return ((behind < 32 ? window.low : window.high) & (1 << (behind & 31))) === 0;
}
