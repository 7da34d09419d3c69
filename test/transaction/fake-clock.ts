// A clock that moves when a test says so, for `createTimers`.

import type { Clock } from '../../src/transaction/timers.ts';

export interface FakeClock extends Clock {
  /** Moves on, and wakes whoever asked for it on the way, in order. */
  advance(ms: number): void;
  /** The number of wake-up calls that are set. */
  calls(): number;
}

/** Makes a clock that stands at 0. */
export function fakeClock(): FakeClock {
  let time = 0;
  const calls = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => time,
    wakeIn(ms, wake) {
      const call = { at: time + ms, wake };
      calls.add(call);
      return () => calls.delete(call);
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        const [next] = [...calls].filter((call) => call.at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        calls.delete(next);
        time = Math.max(time, next.at);
        next.wake();
      }
      time = end;
    },
    calls: () => calls.size,
  };
}
