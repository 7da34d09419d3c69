// The target set of an address-of-record (RFC 3261 §16.5, §16.6): live contacts in groups of equal q, the highest first;
// a group is tried at once, groups one behind the other. Pure.

import type { Binding } from '../home/usrloc.ts';

/** The contacts that have not expired, grouped. A contact without q is as good as one can be (RFC 3261 §20.10). */
export function targetSet(bindings: readonly Binding[], nowMs: number): Binding[][] {
  const live = bindings.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > nowMs);
  if (live.length < 2) return live.length === 0 ? [] : [live];
  const groups = new Map<number, Binding[]>();
  for (const binding of live) {
    const q = binding.q ?? 1;
    const group = groups.get(q);
    if (group === undefined) groups.set(q, [binding]);
    else group.push(binding);
  }
  return [...groups].sort(([one], [other]) => other - one).map(([, group]) => group);
}

/**
 * Groups no larger than the breadth a request may have (RFC 5393 §5.3.3.1): what goes beyond it comes one behind the
 * other instead of at once.
 */
export function withinBreadth<T>(groups: readonly (readonly T[])[], breadth: number): T[][] {
  const narrow: T[][] = [];
  for (const group of groups)
    for (let start = 0; start < group.length; start += breadth)
      narrow.push(group.slice(start, start + breadth));
  return narrow;
}

/** The breadth that each of `count` branches may have, so that all together have no more (RFC 5393 §5.3.3.1). */
export function sharesOf(breadth: number, count: number): number[] {
  const share = Math.floor(breadth / count);
  const rest = breadth % count;
  return Array.from({ length: count }, (_, index) => (index < rest ? share + 1 : share));
}
