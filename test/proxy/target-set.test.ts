// The target set (RFC 3261 §16.5, §16.6) and Max-Breadth (RFC 5393 §5.3.3).

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Binding } from '../../src/home/usrloc.ts';
import { sharesOf, targetSet, withinBreadth } from '../../src/proxy/target-set.ts';

const contact = (uri: string, q?: number, expiresAt?: number) =>
  ({ uri, q, expiresAt }) as unknown as Binding;
const urisOf = (groups: readonly (readonly Binding[])[]) =>
  groups.map((group) => group.map(({ uri }) => uri));

test.each<[string, Binding[], string[][]]>([
  ['nobody', [], []],
  ['one', [contact('a')], [['a']]],
  ['equal q at once, in their order', [contact('a', 0.5), contact('b', 0.5)], [['a', 'b']]],
  ['the highest first', [contact('a', 0.1), contact('b', 0.9), contact('c', 0.5)], [['b'], ['c'], ['a']]],
  ['no q is 1', [contact('a', 0.9), contact('b'), contact('c', 1)], [['b', 'c'], ['a']]],
  ['q 0 is the last, but is tried', [contact('a', 0), contact('b', 0.1)], [['b'], ['a']]],
  [
    'none that has expired',
    [contact('a', 1, 999), contact('b', 0.5, 1001), contact('c', 0.5, 1000)],
    [['b']],
  ],
])('%s', (_, bindings, groups) => {
  expect(urisOf(targetSet(bindings, 1000))).toEqual(groups);
});

test('groups beyond the breadth come one behind the other', () => {
  expect(withinBreadth([[1, 2, 3, 4, 5], [6]], 2)).toEqual([[1, 2], [3, 4], [5], [6]]);
  expect(withinBreadth([[1, 2]], 60)).toEqual([[1, 2]]);
});

test('no breadth is lost, none is made, and no branch has more than one more than another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 100 }), (breadth, count) => {
      const shares = sharesOf(breadth, count);
      expect(shares.length).toBe(count);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(breadth);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
  expect(sharesOf(5, 0)).toEqual([]);
});
