import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SrvRecord } from '../../src/transport/dns-records.ts';
import { orderSrv } from '../../src/transport/srv-order.ts';

const srv = (target: string, priority: number, weight: number): SrvRecord => ({
  target,
  priority,
  weight,
  port: 5060,
});
const targets = (records: readonly SrvRecord[]): string => records.map(({ target }) => target).join('');

/** `count` numbers spread evenly over 0 to 1, so that shares are exact. */
function evenly(count: number): (() => number)[] {
  return Array.from({ length: count }, (_, at) => () => (at + 0.5) / count);
}

describe('the order of SRV records (RFC 2782)', () => {
  test('lower priority numbers come first, whatever the weights', () => {
    const records = [srv('c', 20, 9), srv('a', 0, 0), srv('b', 10, 65_535)];
    for (const random of evenly(20)) expect(targets(orderSrv(records, random))).toBe('abc');
  });

  test('within a priority the first is drawn in proportion to the weights', () => {
    const records = [srv('a', 1, 10), srv('b', 1, 30), srv('c', 1, 60)];
    const firsts = evenly(101).map((random) => orderSrv(records, random)[0]?.target);
    const count = (name: string) => firsts.filter((first) => first === name).length;
    // Marks from 0 to the sum, both included: the first in the list has one more.
    expect([count('a'), count('b'), count('c')]).toEqual([11, 30, 60]);
  });

  test('the second is drawn from what is left', () => {
    const records = [srv('a', 1, 1), srv('b', 1, 1), srv('c', 1, 98)];
    expect(targets(orderSrv(records, () => 0))).toBe('abc');
    expect(targets(orderSrv(records, () => 0.999))).toBe('cba');
    const chances = [0.999, 0, 0];
    expect(targets(orderSrv(records, () => chances.shift() ?? 0))).toBe('cab');
  });

  test('weight 0 has a very small chance beside others, and is not lost', () => {
    const records = [srv('a', 1, 99), srv('b', 1, 0)];
    const firsts = evenly(100).map((random) => targets(orderSrv(records, random)));
    expect(firsts.filter((first) => first === 'ba')).toHaveLength(1);
    expect(firsts.filter((first) => first === 'ab')).toHaveLength(99);
  });

  test('every record stands in the order once', () => {
    const record = fc.record({
      target: fc.string(),
      priority: fc.nat(3),
      weight: fc.nat(65_535),
      port: fc.nat(65_535),
    });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), chance, (records, random) => {
        const order = orderSrv(records, () => random);
        expect(order).toHaveLength(records.length);
        expect(new Set(order)).toEqual(new Set(records));
        expect(order.map(({ priority }) => priority)).toEqual(
          records.map(({ priority }) => priority).sort((a, b) => a - b),
        );
      }),
    );
  });
});
