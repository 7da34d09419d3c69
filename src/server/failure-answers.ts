// When a failed authentication is answered: on a grid of absolute times at least 5 ms after it arrived, so that the time
// of an answer says nothing of the work behind it (DESIGN §4.2: the same answer, in the same time). The store sees to it that
// the work is the same too.

const GRID_MS = 10;
const AT_LEAST_MS = 5;
/** Failures waiting at once; beyond it the peer gets no answer and repeats itself. */
const MAX_WAITING = 10_000;
/** With more of them none waits longer than it must. */
const MAX_DELAYED = 1000;

/** Answers failures at times that do not depend on their cause. */
export interface FailureAnswers {
  /** Calls `send` at the first grid point 5 to 15 ms after `arrivedMs` (performance.now()), `moreMs` later at most. */
  defer(arrivedMs: number, send: () => void, moreMs?: number): void;
  close(): void;
}

/**
 * Starts with nothing waiting. A timer of the event loop sleeps whole milliseconds from when the work before it ended,
 * which would tell its length; so the timer wakes early and the loop turns, serving everybody, up to the grid point.
 */
export function createFailureAnswers(): FailureAnswers {
  const waiting: { dueMs: number; send: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let turning: NodeJS.Immediate | undefined;

  function turn(): void {
    turning = undefined;
    const nowMs = performance.now();
    while (waiting[0] !== undefined && waiting[0].dueMs <= nowMs) waiting.shift()?.send();
    arm();
  }

  function arm(): void {
    const next = waiting[0];
    if (next === undefined || timer !== undefined || turning !== undefined) return;
    const sleepMs = Math.floor(next.dueMs - performance.now() - 1.2);
    if (sleepMs < 1) turning = setImmediate(turn);
    else
      timer = setTimeout(() => {
        timer = undefined;
        turn();
      }, sleepMs);
  }

  return {
    defer(arrivedMs, send, moreMs = 0) {
      if (waiting.length >= MAX_WAITING) return;
      const leastMs = AT_LEAST_MS + (waiting.length < MAX_DELAYED ? moreMs : 0);
      const dueMs = Math.ceil((arrivedMs + leastMs) / GRID_MS) * GRID_MS;
      let place = waiting.length;
      while ((waiting[place - 1]?.dueMs ?? 0) > dueMs) place--;
      waiting.splice(place, 0, { dueMs, send });
      if (place === 0) {
        clearTimeout(timer);
        timer = undefined;
      }
      arm();
    },
    close() {
      clearTimeout(timer);
      clearImmediate(turning);
      waiting.length = 0;
    },
  };
}
