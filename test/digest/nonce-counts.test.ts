// Nonce counts: a window of 64 against a model, and a memory that forgets without forgiving.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNonce, nonceKey } from '../../src/digest/nonce.ts';
import { createNonceCounts } from '../../src/digest/nonce-counts.ts';

const key = nonceKey(Buffer.alloc(32, 7));
const nonceAt = (ms: number) => createNonce(key, ms, '192.0.2.1');

describe('use', () => {
  test('takes each count once, late ones up to 63 below the highest', () => {
    const counts = createNonceCounts({ places: 10 });
    const nonce = nonceAt(1000);
    expect(counts.use(nonce, 1)).toBe('fresh');
    expect(counts.use(nonce, 1)).toBe('used');
    expect(counts.use(nonce, 100)).toBe('fresh');
    expect(counts.use(nonce, 37)).toBe('fresh');
    expect(counts.use(nonce, 37)).toBe('used');
    expect(counts.use(nonce, 36)).toBe('used');
    expect(counts.use(nonce, 0xffffffff)).toBe('fresh');
    expect(counts.use(nonce, 0xffffffff)).toBe('used');
    expect(counts.use(nonce, 101)).toBe('used');
  });

  test('agrees with a set of used counts for every order of counts', () => {
    const step = fc.oneof(
      fc.integer({ min: -66, max: 3 }),
      fc.constantFrom(1, 30, 31, 32, 33, 62, 63, 64, 65),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        const counts = createNonceCounts({ places: 1 });
        const nonce = nonceAt(1000);
        const used = new Set<number>();
        let highest = 0;
        for (const step of steps) {
          const nc = Math.max(1, highest + step);
          const expected = used.has(nc) || nc <= highest - 64 ? 'used' : 'fresh';
          expect(counts.use(nonce, nc)).toBe(expected);
          used.add(nc);
          highest = Math.max(highest, nc);
        }
      }),
    );
  });

  test.each([0, -1, Number.NaN, 0x1_0000_0000, Number.POSITIVE_INFINITY])('takes no count %s', (nc) => {
    expect(createNonceCounts({ places: 10 }).use(nonceAt(1000), nc)).toBe('used');
  });

  test('keeps the nonces of one millisecond apart', () => {
    const counts = createNonceCounts({ places: 10 });
    expect(counts.use(nonceAt(1000), 1)).toBe('fresh');
    expect(counts.use(nonceAt(1000), 1)).toBe('fresh');
  });
});

describe('useOnce', () => {
  test('is fresh only as the first use of all', () => {
    const counts = createNonceCounts({ places: 10 });
    const [once, counted] = [nonceAt(1000), nonceAt(1001)];
    expect(counts.useOnce(once)).toBe('fresh');
    expect(counts.useOnce(once)).toBe('used');
    expect(counts.use(once, 1)).toBe('used');
    expect(counts.use(once, 0xffffffff)).toBe('used');
    expect(counts.use(counted, 1)).toBe('fresh');
    expect(counts.useOnce(counted)).toBe('used');
  });
});

describe('a full memory', () => {
  /** Nonces made one behind the other have neighbouring places. */
  const made = (times: readonly number[]) => times.map(nonceAt);

  test('gives the place of a nonce to a younger one, and the older then counts as used', () => {
    const counts = createNonceCounts({ places: 2 });
    const [a, b, c, d] = made([1000, 1001, 1002, 1003]) as [string, string, string, string];
    for (const nonce of [a, b, c]) expect(counts.use(nonce, 1)).toBe('fresh');
    expect(counts.use(a, 2)).toBe('used');
    expect(counts.useOnce(a)).toBe('used');
    expect(counts.reserve(a, 2)).toBe(false);
    expect(counts.use(b, 2)).toBe('fresh');
    expect(counts.use(c, 2)).toBe('fresh');
    expect(counts.use(d, 1)).toBe('fresh');
    expect(counts.use(b, 3)).toBe('used');
  });

  test('never takes an older nonce for a new one, though nobody used it', () => {
    const counts = createNonceCounts({ places: 2 });
    const [a, b, c] = made([1000, 1000, 1000]) as [string, string, string];
    expect(counts.use(c, 1)).toBe('fresh');
    expect(counts.use(a, 1)).toBe('used');
    expect(counts.use(b, 1)).toBe('fresh');
  });

  test('takes the nonces of a server that counts from elsewhere by their time', () => {
    const counts = createNonceCounts({ places: 1 });
    const other = { ...nonceKey(Buffer.alloc(32, 7)), count: 2 ** 48 - 100 };
    const theirs = createNonce(other, 1000, '192.0.2.1');
    const low = { ...nonceKey(Buffer.alloc(32, 7)), count: 5 };
    expect(counts.use(theirs, 1)).toBe('fresh');
    expect(counts.use(createNonce(low, 1001, '192.0.2.1'), 1)).toBe('fresh');
    expect(counts.use(theirs, 2)).toBe('used');
  });

  test('never takes one count of one nonce twice, whatever goes between', () => {
    const step = fc.record({ nonce: fc.nat(19), nc: fc.integer({ min: 1, max: 5 }), once: fc.boolean() });
    const times = fc.array(fc.integer({ min: 1000, max: 1030 }), { minLength: 20, maxLength: 20 });
    const many = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(times, fc.array(step, { maxLength: 200 }), many, (createdMs, steps, places) => {
        const counts = createNonceCounts({ places });
        const nonces = made(createdMs);
        const taken = new Set<string>();
        for (const { nonce, nc, once } of steps) {
          const text = nonces[nonce] as string;
          if (once) {
            if (counts.useOnce(text) === 'fresh') {
              expect([...taken].some((entry) => entry.startsWith(`${nonce}/`))).toBe(false);
              taken.add(`${nonce}/once`);
            }
          } else if (counts.use(text, nc) === 'fresh') {
            expect(taken.has(`${nonce}/${nc}`) || taken.has(`${nonce}/once`)).toBe(false);
            taken.add(`${nonce}/${nc}`);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
