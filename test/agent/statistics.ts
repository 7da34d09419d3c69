// The statistics that equal timing is shown with: medians and the rank test of Mann and Whitney.

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface RankTest {
  /** The statistic of the first sample: pairs in which it is the larger, ties counting one half. */
  readonly u: number;
  /** Two-sided: how probable a difference as large is between samples of one distribution. */
  readonly p: number;
}

/**
 * The Mann-Whitney U test by the normal approximation, corrected for ties and continuity. For samples of at least 8
 * values each. Of an empty sample p is NaN; of two samples in which all values are equal it is 1.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): RankTest {
  const pooled = [
    ...a.map((value) => ({ value, first: true })),
    ...b.map((value) => ({ value, first: false })),
  ];
  pooled.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < pooled.length; ) {
    let end = start;
    let ofFirst = 0;
    while (end < pooled.length && pooled[end]?.value === pooled[start]?.value) {
      if (pooled[end]?.first) ofFirst += 1;
      end += 1;
    }
    const count = end - start;
    rankSum += ofFirst * ((start + 1 + end) / 2);
    ties += count ** 3 - count;
    start = end;
  }
  const total = pooled.length;
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const variance = ((a.length * b.length) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (a.length === 0 || b.length === 0) return { u, p: Number.NaN };
  if (variance === 0) return { u, p: 1 };
  const distance = Math.max(0, Math.abs(u - (a.length * b.length) / 2) - 0.5);
  return { u, p: twoSided(distance / Math.sqrt(variance)) };
}

/** The probability that a normal variable is further than `z` from its mean on either side: erfc(z / √2). */
function twoSided(z: number): number {
  // erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all positive.
  const x = z / Math.SQRT2;
  if (x > 6) return 0;
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.max(0, 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum);
}
