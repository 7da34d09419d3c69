// How much of the server's time those may take who ask over the control socket, each uid on its own, and for metrics, all
// together: phones come first, and who asks waits for what he took.

/** Requests are worked on for so long, then rest nine times as long. */
const WORK_MS = 1;
const REST_PER_WORK = 9;
/** However slow a look into NSS was. */
const LONGEST_REST_MS = 1000;

/** The time that some took. */
export interface ControlPace {
  /** Resolves when the next request has its turn: never before phones had theirs. */
  turn(): Promise<void>;
  /** A request took so long of the server's time, in milliseconds. */
  took(ms: number): void;
}

/** Makes a pace. */
export function createControlPace(): ControlPace {
  let taken = 0;
  let restsUntil = 0;
  return {
    async turn() {
      for (let rest = restsUntil - performance.now(); rest > 0; rest = restsUntil - performance.now())
        await new Promise((resolve) => setTimeout(resolve, Math.ceil(rest)));
      await new Promise((resolve) => setImmediate(resolve));
    },
    took(ms) {
      taken += ms;
      if (taken < WORK_MS) return;
      restsUntil = performance.now() + Math.min(taken * REST_PER_WORK, LONGEST_REST_MS);
      taken = 0;
    },
  };
}
