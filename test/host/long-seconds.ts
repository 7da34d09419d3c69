// How long a test of test/long/ runs.

/** Seconds a long test lasts: LONG_SECONDS, or 10 in CI, or ten minutes. */
export function longSeconds(): number {
  const asked = Number(process.env.LONG_SECONDS);
  if (asked > 0) return asked;
  return process.env.CI ? 10 : 600;
}
