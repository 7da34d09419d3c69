// RateLimit: a token bucket for each source (DESIGN §3).

import { describe, expect, test } from 'vitest';
import { createSourceLimits } from '../../src/server/source-limits.ts';

const limits = () => createSourceLimits({ rate: 10, burst: 3 }, 4);

describe('a source', () => {
  test('may send its burst at once and then its rate', () => {
    const bucket = limits();
    const at = (nowMs: number) => bucket.admit('192.0.2.1', nowMs);
    expect([at(0), at(0), at(0), at(0), at(0)]).toEqual([
      ...['admitted', 'admitted', 'admitted'],
      ...['refused-first', 'refused'],
    ]);
    expect([at(99), at(100), at(150), at(200)]).toEqual(['refused', 'admitted', 'refused', 'admitted']);
  });

  test('is reported again when it had been within its rate between', () => {
    const bucket = limits();
    const at = (nowMs: number) => bucket.admit('192.0.2.1', nowMs);
    for (let count = 0; count < 4; count++) at(0);
    expect([at(10_000), at(10_000), at(10_000), at(10_000)].at(-1)).toBe('refused-first');
  });

  test('costs no other its tokens', () => {
    const bucket = limits();
    for (let count = 0; count < 9; count++) bucket.admit('192.0.2.1', 0);
    expect(bucket.admit('192.0.2.2', 0)).toBe('admitted');
  });
});

test('addresses of one /64 are one source', () => {
  const bucket = limits();
  const verdicts = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::', '2001:db8::ffff'].map((address) =>
    bucket.admit(address, 0),
  );
  expect(verdicts.at(-1)).toBe('refused-first');
  expect(bucket.admit('2001:db8:0:1::1', 0)).toBe('admitted');
});

test('no more sources are remembered than it was told', () => {
  const bucket = limits();
  for (let host = 0; host < 100; host++) bucket.admit(`192.0.2.${host}`, 0);
  expect(bucket.size()).toBe(4);
});
