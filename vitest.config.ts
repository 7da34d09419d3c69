// The four kinds of tests: what each may need of the host, and how long it may take.
//   unit     pure code and the host's own facilities, in parallel
//   program  the built programs as a user runs them: one file at a time, since some compare times
//   peers    real phones, real accounts (root, Debian packages); one file at a time
//   long     fuzzing, kill -9, 100,000 accounts; LONG_SECONDS each, 10 in CI

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { longSeconds } from './test/host/long-seconds.ts';

const alone = { pool: 'forks', fileParallelism: false } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{program,peers,long}/**'],
          pool: 'forks',
          // By default one processor stays idle, half of a small machine.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          ...alone,
          name: 'program',
          include: ['test/program/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          ...alone,
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...alone,
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          testTimeout: (longSeconds() + 120) * 1000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
