// How much of the server's time those who ask over the control socket may take: phones come first, and each uid waits for
// what it took itself.

/** A uid works so long, then rests nine times as long. */
const WORK_MS = 1;
const REST_PER_WORK = 9;
/** However slow a look into NSS was. */
const LONGEST_REST_MS = 1000;

/** The time that one uid took. */
export interface ControlPace {
  /** Resolves when the next request has its turn: never before phones had theirs. */
  turn(): Promise<void>;
  /** A request took so long of the server's time, in milliseconds. */
  took(ms: number): void;
}

/** Makes the pace of one uid. */
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
