// Timers by the ten thousand: one queue for each duration, in which the next to expire is always the first, and one
// Node timer for each queue. Starting and stopping cost no search.

import { performance } from 'node:perf_hooks';

/** A timer that was started. */
export interface Timer {
  /** False once it has fired or was stopped. */
  readonly running: boolean;
}

/** Starts and stops timers. A timer fires once, never early; late by at most a 128th of its time and a moment. */
export interface Timers {
  /** Calls `fire(argument)` after `ms`. */
  start<T>(ms: number, fire: (argument: T) => void, argument: T): Timer;
  /** Stops a timer of this object; nothing where it does not run. */
  stop(timer: Timer): void;
  /** How many run. */
  size(): number;
  /** Stops all, for good. */
  close(): void;
}

/** The clock and the wake-up calls that timers are made of. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Calls `wake` after `ms`; the answer takes that back. */
  wakeIn(ms: number, wake: () => void): () => void;
}

/** The machine's own clock; does not keep the process alive. */
const systemClock: Clock = {
  now: () => performance.now(),
  wakeIn: (ms, wake) => {
    const timeout = setTimeout(wake, ms);
    timeout.unref();
    return () => clearTimeout(timeout);
  },
};

interface Entry extends Timer {
  running: boolean;
  readonly due: number;
  readonly fire: (argument: never) => void;
  readonly argument: unknown;
  readonly queue: Queue;
  previous: Entry | undefined;
  next: Entry | undefined;
}

interface Queue {
  readonly ms: number;
  first: Entry | undefined;
  last: Entry | undefined;
  /** Takes the wake-up call back; undefined: none is set. */
  asleep: (() => void) | undefined;
}

const longestDelayMs = 250;

/** Makes timers. Durations should be few: each has a queue. */
export function createTimers(clock: Clock = systemClock): Timers {
  const queues = new Map<number, Queue>();
  let running = 0;

  function sleep(queue: Queue, ms: number): void {
    // Waking for each timer alone would cost more than the timers: take those of a moment together.
    const moment = Math.min(Math.max(1, queue.ms / 128), longestDelayMs);
    queue.asleep = clock.wakeIn(Math.max(moment, ms), () => wake(queue));
  }

  function wake(queue: Queue): void {
    queue.asleep = undefined;
    const now = clock.now();
    try {
      for (let entry = queue.first; entry !== undefined && entry.due <= now; entry = queue.first) {
        end(entry);
        (entry.fire as (argument: unknown) => void)(entry.argument);
      }
    } finally {
      if (queue.first !== undefined && queue.asleep === undefined) sleep(queue, queue.first.due - now);
      else if (queue.first === undefined && queues.get(queue.ms) === queue) queues.delete(queue.ms);
    }
  }

  function start<T>(ms: number, fire: (argument: T) => void, argument: T): Timer {
    let queue = queues.get(ms);
    if (queue === undefined) {
      queue = { ms, first: undefined, last: undefined, asleep: undefined };
      queues.set(ms, queue);
    }
    const previous = queue.last;
    const due = clock.now() + ms;
    const entry: Entry = { running: true, due, fire, argument, queue, previous, next: undefined };
    if (previous === undefined) queue.first = entry;
    else previous.next = entry;
    queue.last = entry;
    running++;
    if (queue.asleep === undefined) sleep(queue, ms);
    return entry;
  }

  function close(): void {
    for (const queue of queues.values()) {
      queue.asleep?.();
      while (queue.first !== undefined) end(queue.first);
    }
    queues.clear();
  }

  function end(entry: Entry): void {
    if (entry.running) running--;
    unlink(entry);
  }

  return { start, stop: (timer) => end(timer as Entry), size: () => running, close };
}

function unlink(entry: Entry): void {
  if (!entry.running) return;
  entry.running = false;
  const { queue, previous, next } = entry;
  if (previous === undefined) queue.first = next;
  else previous.next = next;
  if (next === undefined) queue.last = previous;
  else next.previous = previous;
  // Neighbours of an entry somebody still holds must not be kept alive by it.
  entry.previous = undefined;
  entry.next = undefined;
}
