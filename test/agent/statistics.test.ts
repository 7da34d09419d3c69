// Medians and the rank test against values computed by R and SciPy.

import { describe, expect, test } from 'vitest';
import { mannWhitney, median } from './statistics.ts';

test('median is the middle, or the mean of the two middle values', () => {
  expect(median([5, 1, 100])).toBe(5);
  expect(median([10, 9, 2, 1])).toBe(5.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

describe('mannWhitney', () => {
  test("agrees with SciPy's example of the asymptotic method", () => {
    const { u, p } = mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12]);
    expect(u).toBe(17);
    expect(p).toBeCloseTo(0.11134688653314041, 12);
  });

  test("agrees with R's wilcox.test of airquality's ozone in May and August, which has ties", () => {
    const may = [
      41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37,
    ];
    const august = [
      39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84,
      85,
    ];
    const { u, p } = mannWhitney(may, august);
    expect(u).toBe(127.5);
    expect(p).toBeCloseTo(0.0001208, 7);
  });

  test('is symmetric, and sure that a sample is like itself', () => {
    const a = [3, 1, 4, 1, 5, 9, 2, 6];
    const b = [2, 7, 1, 8, 2, 8, 1, 8];
    expect(mannWhitney(a, b).p).toBe(mannWhitney(b, a).p);
    expect(mannWhitney(a, b).u + mannWhitney(b, a).u).toBe(64);
    expect(mannWhitney(a, a).p).toBe(1);
    expect(mannWhitney([1, 1, 1], [1, 1]).p).toBe(1);
  });

  test('finds a small shift of 1,000 samples, and none where there is none', () => {
    const sample = Array.from({ length: 1000 }, (_, i) => 100 + ((i * 7919) % 1000) / 10);
    const other = Array.from({ length: 1000 }, (_, i) => 100 + ((i * 6547 + 3) % 1000) / 10);
    expect(mannWhitney(sample, other).p).toBeGreaterThan(0.9);
    expect(
      mannWhitney(
        sample,
        other.map((value) => value + 5),
      ).p,
    ).toBeLessThan(0.001);
    expect(
      mannWhitney(
        sample,
        other.map((value) => value + 1000),
      ).p,
    ).toBe(0);
  });

  test('has no opinion of nothing', () => {
    expect(mannWhitney([], [1, 2]).p).toBeNaN();
  });
});
