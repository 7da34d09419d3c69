// Brings records of ended calls to their files: root's, and those of users through the store. What cannot be written waits,
// as many as are kept, and is tried again; what is more is counted and said. No call waits for it.

import type { KeptFile } from '../store/host.ts';
import type { Store } from '../store/store.ts';
import type { Log } from './log.ts';

/** One line for one file. */
export interface CopyToWrite {
  /** Undefined: root's. */
  readonly user: string | undefined;
  readonly line: string;
  /** The account may have no ~/.sr, which is no failure. */
  readonly mayLack: boolean;
  /** Read from the journal: it may have been written before. */
  readonly isRepeated: boolean;
  /** It is written, or lost. */
  readonly done: () => void;
}

/** Files and what waits for them. */
export interface CallCopies {
  /** Takes a line; it is written by the next `flush`. Beyond the bound it is lost. */
  add(copy: CopyToWrite): void;
  /** Writes what waits and was not tried in vain lately. */
  flush(nowMs: number): void;
  /** Tries everything once more; resolves when it is written or not. */
  close(): Promise<void>;
  /** How many lines wait. */
  size(): number;
}

/** Lines that wait at once, of all users together, as many of root's beside them, and of one user; some 500 bytes each. */
const MOST_WAITING = 20_000;
const MOST_OF_ONE = 1000;
/** How soon a file is tried again, each time twice as late. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** Lines of one write. */
const MOST_AT_ONCE = 1000;
/** What is lost is said so often at most. */
const LOST_EVERY_MS = 10_000;

interface Queue {
  readonly user: string | undefined;
  readonly copies: CopyToWrite[];
  isBusy: boolean;
  retryAtMs: number;
  delayMs: number;
}

/** `truth` is root's file, undefined where there is none. */
export function createCallCopies(
  truth: KeptFile | undefined,
  store: () => Store,
  log: Log,
  most = MOST_WAITING,
): CallCopies {
  const queues = new Map<string | undefined, Queue>();
  let waiting = 0;
  let lost = 0;
  let lostSaidAtMs = Number.NEGATIVE_INFINITY;

  async function write(queue: Queue, nowMs: number): Promise<void> {
    const copies = queue.copies.slice(0, MOST_AT_ONCE);
    queue.isBusy = true;
    try {
      const why = queue.user === undefined ? await writeTruth(copies) : await writeOf(queue.user, copies);
      settle(queue, copies, why, nowMs);
    } catch (error) {
      log('error', 'internal-error', { why: (error as Error).stack });
      settle(queue, copies, (error as Error).message, nowMs);
    }
  }

  /** Answers why they are not written. */
  async function writeTruth(copies: readonly CopyToWrite[]): Promise<string | undefined> {
    const failed = await truth?.append(copies.map(({ line }) => `${line}\n`).join(''));
    return failed === undefined ? undefined : `${failed.path}: ${failed.why}`;
  }

  async function writeOf(user: string, copies: readonly CopyToWrite[]): Promise<string | undefined> {
    const lines = copies.map(({ line }) => line);
    const isRepeated = copies.some((copy) => copy.isRepeated);
    const [answer] = await store().run(user, [{ type: 'appendCall', lines, isRepeated }]);
    if (answer?.type === 'failed') return answer.why;
    return answer?.type !== 'skipped' || copies.every(({ mayLack }) => mayLack) ? undefined : 'no ~/.sr';
  }

  function settle(
    queue: Queue,
    copies: readonly CopyToWrite[],
    why: string | undefined,
    nowMs: number,
  ): void {
    queue.isBusy = false;
    if (why !== undefined) {
      if (queue.delayMs === 0) log('warning', 'acct-waits', { user: queue.user, why });
      queue.delayMs = Math.min(Math.max(FIRST_RETRY_MS, queue.delayMs * 2), LAST_RETRY_MS);
      queue.retryAtMs = nowMs + queue.delayMs;
      return;
    }
    if (queue.delayMs > 0) log('notice', 'acct-written', { user: queue.user, records: queue.copies.length });
    queue.delayMs = 0;
    queue.retryAtMs = 0;
    queue.copies.splice(0, copies.length);
    waiting -= copies.length;
    if (queue.copies.length === 0) queues.delete(queue.user);
    for (const { done } of copies) done();
  }

  function sayLost(nowMs: number): void {
    if (lost === 0 || nowMs - lostSaidAtMs < LOST_EVERY_MS) return;
    log('error', 'acct-lost', { records: lost });
    lost = 0;
    lostSaidAtMs = nowMs;
  }

  return {
    add(copy) {
      let queue = queues.get(copy.user);
      const ofOne = queue?.copies.length ?? 0;
      // Users' homes that are gone take no place from root's copy, nor the other way round.
      const ofRoot = queues.get(undefined)?.copies.length ?? 0;
      const isFull = copy.user === undefined ? ofRoot >= most : waiting - ofRoot >= most;
      if (isFull || (copy.user !== undefined && ofOne >= MOST_OF_ONE)) {
        lost++;
        copy.done();
        return;
      }
      if (queue === undefined) {
        queue = { user: copy.user, copies: [], isBusy: false, retryAtMs: 0, delayMs: 0 };
        queues.set(copy.user, queue);
      }
      queue.copies.push(copy);
      waiting++;
    },
    flush(nowMs) {
      sayLost(nowMs);
      for (const queue of queues.values())
        if (!queue.isBusy && queue.retryAtMs <= nowMs) void write(queue, nowMs);
    },
    async close() {
      // What is under way has its turn first.
      while ([...queues.values()].some(({ isBusy }) => isBusy)) await new Promise(setImmediate);
      await Promise.all([...queues.values()].map((queue) => write(queue, 0)));
      lostSaidAtMs = Number.NEGATIVE_INFINITY;
      sayLost(0);
    },
    size: () => waiting,
  };
}
