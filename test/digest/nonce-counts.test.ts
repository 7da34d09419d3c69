// Nonce counts: a window of 64 against a model, and a memory that forgets without forgiving.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNonce, nonceKey } from '../../src/digest/nonce.ts';
import { createNonceCounts } from '../../src/digest/nonce-counts.ts';

const key = nonceKey(Buffer.alloc(32, 7));
const nonceAt = (ms: number) => createNonce(key, ms, '192.0.2.1');

describe('use', () => {
  test('takes each count once, late ones up to 63 below the highest', () => {
    const counts = createNonceCounts({ maxNonces: 10 });
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
        const counts = createNonceCounts({ maxNonces: 1 });
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
    expect(createNonceCounts({ maxNonces: 10 }).use(nonceAt(1000), nc)).toBe('used');
  });

  test('keeps the nonces of one millisecond apart', () => {
    const counts = createNonceCounts({ maxNonces: 10 });
    expect(counts.use(nonceAt(1000), 1)).toBe('fresh');
    expect(counts.use(nonceAt(1000), 1)).toBe('fresh');
  });
});

describe('useOnce', () => {
  test('is fresh only as the first use of all', () => {
    const counts = createNonceCounts({ maxNonces: 10 });
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
  test('drops the oldest, which then counts as used', () => {
    const counts = createNonceCounts({ maxNonces: 2 });
    const nonces = [1000, 1001, 1002].map(nonceAt) as [string, string, string];
    for (const nonce of nonces) expect(counts.use(nonce, 1)).toBe('fresh');
    expect(counts.size).toBe(2);
    expect(counts.use(nonces[0], 2)).toBe('used');
    expect(counts.useOnce(nonces[0])).toBe('used');
    expect(counts.use(nonces[1], 2)).toBe('fresh');
    expect(counts.use(nonces[2], 2)).toBe('fresh');
    expect(counts.use(nonceAt(1000), 1), 'as old as one dropped').toBe('used');
    expect(counts.use(nonceAt(1003), 1)).toBe('fresh');
  });

  test('drops what a younger nonce proves to be expired', () => {
    const counts = createNonceCounts({ maxNonces: 100, lifetimeMs: 300 });
    const old = nonceAt(1000);
    counts.use(old, 1);
    counts.use(nonceAt(1300), 1);
    expect(counts.use(old, 2)).toBe('fresh');
    counts.use(nonceAt(1301), 1);
    expect(counts.size).toBe(2);
    expect(counts.use(old, 3)).toBe('used');
  });

  test('never takes one count of one nonce twice, whatever is dropped between', () => {
    const step = fc.record({ nonce: fc.nat(19), nc: fc.integer({ min: 1, max: 5 }), once: fc.boolean() });
    const times = fc.array(fc.integer({ min: 1000, max: 1030 }), { minLength: 20, maxLength: 20 });
    const options = fc.record({
      maxNonces: fc.integer({ min: 0, max: 5 }),
      lifetimeMs: fc.integer({ min: 0, max: 40 }),
    });
    fc.assert(
      fc.property(times, fc.array(step, { maxLength: 200 }), options, (createdMs, steps, limits) => {
        const counts = createNonceCounts(limits);
        const nonces = createdMs.map(nonceAt);
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
          expect(counts.size).toBeLessThanOrEqual(limits.maxNonces);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes a new nonce as quickly when it was full a hundred times as when it is empty', () => {
    const counts = createNonceCounts({ maxNonces: 2000 });
    const fill = (from: number) => {
      const nonces = Array.from({ length: 20_000 }, (_, i) => nonceAt(from + i));
      const start = process.hrtime.bigint();
      for (const nonce of nonces) counts.use(nonce, 1);
      return Number(process.hrtime.bigint() - start);
    };
    const rounds = Array.from({ length: 10 }, (_, i) => fill(1_000_000 * (i + 1)));
    expect(Math.min(...rounds.slice(5))).toBeLessThan(10 * Math.min(...rounds.slice(0, 5)));
    expect(counts.size).toBe(2000);
  });
});
