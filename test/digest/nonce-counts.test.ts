// Nonce counts: a window of 64 against a model, and a memory that forgets without forgiving.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNonceCounts } from '../../src/digest/nonce-counts.ts';

describe('use', () => {
  test('takes each count once, late ones up to 63 below the highest', () => {
    const counts = createNonceCounts({ places: 10 });
    expect(counts.use(1, 1)).toBe('fresh');
    expect(counts.use(1, 1)).toBe('used');
    expect(counts.use(1, 100)).toBe('fresh');
    expect(counts.use(1, 37)).toBe('fresh');
    expect(counts.use(1, 37)).toBe('used');
    expect(counts.use(1, 36)).toBe('used');
    expect(counts.use(1, 0xffffffff)).toBe('fresh');
    expect(counts.use(1, 0xffffffff)).toBe('used');
    expect(counts.use(1, 101)).toBe('used');
  });

  test('agrees with a set of used counts for every order of counts', () => {
    const step = fc.oneof(
      fc.integer({ min: -66, max: 3 }),
      fc.constantFrom(1, 30, 31, 32, 33, 62, 63, 64, 65),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        const counts = createNonceCounts({ places: 1 });
        const used = new Set<number>();
        let highest = 0;
        for (const step of steps) {
          const nc = Math.max(1, highest + step);
          const expected = used.has(nc) || nc <= highest - 64 ? 'used' : 'fresh';
          expect(counts.use(1, nc)).toBe(expected);
          used.add(nc);
          highest = Math.max(highest, nc);
        }
      }),
    );
  });

  test.each([0, -1, Number.NaN, 0x1_0000_0000, Number.POSITIVE_INFINITY])('takes no count %s', (nc) => {
    expect(createNonceCounts({ places: 10 }).use(1, nc)).toBe('used');
  });
});

describe('useOnce', () => {
  test('is fresh only as the first use of all', () => {
    const counts = createNonceCounts({ places: 10 });
    expect(counts.useOnce(1)).toBe('fresh');
    expect(counts.useOnce(1)).toBe('used');
    expect(counts.use(1, 1)).toBe('used');
    expect(counts.use(1, 0xffffffff)).toBe('used');
    expect(counts.use(2, 1)).toBe('fresh');
    expect(counts.useOnce(2)).toBe('used');
  });
});

describe('reserve', () => {
  test('holds a count against all others of it, and a whole nonce against all', () => {
    const counts = createNonceCounts({ places: 10 });
    expect(counts.reserve(1, 1)).toBe(true);
    expect(counts.reserve(1, 1)).toBe(false);
    expect(counts.reserve(1, undefined)).toBe(false);
    expect(counts.reserve(1, 2)).toBe(true);
    counts.settle(1, 1, false);
    expect(counts.reserve(1, 1)).toBe(true);
    counts.settle(1, 1, true);
    expect(counts.reserve(1, 1)).toBe(false);
  });

  test('ends what it began and nothing else: who holds nothing spends and frees nothing', () => {
    const counts = createNonceCounts({ places: 10 });
    expect(counts.reserve(1, 1)).toBe(true);
    counts.settle(1, 2, true);
    counts.settle(1, undefined, true);
    counts.settle(2, 1, true);
    expect(counts.reserve(1, 1)).toBe(false);
    expect(counts.use(1, 2)).toBe('fresh');
    expect(counts.use(2, 1)).toBe('fresh');
  });
});

describe('a full memory', () => {
  test('gives the place of a nonce to a younger one, and the older then counts as used', () => {
    const counts = createNonceCounts({ places: 2 });
    for (const ordinal of [1, 2, 3]) expect(counts.use(ordinal, 1)).toBe('fresh');
    expect(counts.use(1, 2)).toBe('used');
    expect(counts.useOnce(1)).toBe('used');
    expect(counts.reserve(1, 2)).toBe(false);
    expect(counts.use(2, 2)).toBe('fresh');
    expect(counts.use(3, 2)).toBe('fresh');
    expect(counts.use(4, 1)).toBe('fresh');
    expect(counts.use(2, 3)).toBe('used');
  });

  test('never takes an older nonce for a new one, though nobody used it', () => {
    const counts = createNonceCounts({ places: 2 });
    expect(counts.use(3, 1)).toBe('fresh');
    expect(counts.use(1, 1)).toBe('used');
    expect(counts.use(2, 1)).toBe('fresh');
  });

  test('never takes one count of one nonce twice, whatever goes between', () => {
    const step = fc.record({
      ordinal: fc.integer({ min: 1, max: 20 }),
      nc: fc.integer({ min: 1, max: 5 }),
      once: fc.boolean(),
    });
    const many = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), many, (steps, places) => {
        const counts = createNonceCounts({ places });
        const taken = new Set<string>();
        for (const { ordinal, nc, once } of steps) {
          if (once) {
            if (counts.useOnce(ordinal) === 'fresh') {
              expect([...taken].some((entry) => entry.startsWith(`${ordinal}/`))).toBe(false);
              taken.add(`${ordinal}/once`);
            }
          } else if (counts.use(ordinal, nc) === 'fresh') {
            expect(taken.has(`${ordinal}/${nc}`) || taken.has(`${ordinal}/once`)).toBe(false);
            taken.add(`${ordinal}/${nc}`);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
