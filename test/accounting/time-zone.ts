// Runs the tests of a file in a time zone, as TZ has it.

import { afterAll, beforeAll } from 'vitest';

/** Sets TZ for the tests that follow, and sets it back after them. */
export function useTimeZone(zone: string): void {
  const before = process.env.TZ;
  beforeAll(() => {
    process.env.TZ = zone;
  });
  afterAll(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
}
