// How many calls of one user are being set up at once: a phone that went wild costs its owner's calls and nobody else's.

/** The most: a person needs one or two, an office's telephone exchange some ten. */
const MOST = 30;

/** Counts calls without a final response. */
export interface CallAttempts {
  /** Begins a call of a user; what to call when it is set up or has failed. Undefined: he has too many. */
  begin(user: string): (() => void) | undefined;
  /** All of them. */
  size(): number;
}

/** Starts with none. */
export function createCallAttempts(most: number = MOST): CallAttempts {
  const counts = new Map<string, number>();
  let size = 0;
  return {
    size: () => size,
    begin(user) {
      const count = counts.get(user) ?? 0;
      if (count >= most) return undefined;
      counts.set(user, count + 1);
      size++;
      return () => {
        size--;
        const left = (counts.get(user) ?? 1) - 1;
        if (left === 0) counts.delete(user);
        else counts.set(user, left);
      };
    },
  };
}
