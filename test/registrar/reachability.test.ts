// When a contact is unreachable, and when usrloc is told of it.

import { describe, expect, test } from 'vitest';
import type { Binding } from '../../src/home/usrloc.ts';
import {
  answered,
  isNews,
  type Reachability,
  reachabilityOf,
  unanswered,
} from '../../src/registrar/reachability.ts';

const binding: Binding = { uri: 'sip:jan@h', parameters: [], expiresAt: undefined, extra: [], line: 1 };

function silence(times: number, before: Reachability = answered(23)): Reachability {
  let state = before;
  for (let time = 1; time <= times; time++) state = unanswered(state, 1000 * time);
  return state;
}

describe('unreachable', () => {
  test('is who left three in a row unanswered, since the third', () => {
    expect(silence(2)).toEqual({ rttMs: 23, unreachableSince: undefined, misses: 2 });
    expect(silence(3)).toEqual({ rttMs: 23, unreachableSince: 3000, misses: 3 });
    expect(silence(9)).toEqual({ rttMs: 23, unreachableSince: 3000, misses: 3 });
  });

  test('is nobody who answers between', () => {
    expect(silence(2, answered(5))).toMatchObject({ unreachableSince: undefined });
    expect(answered(12.4)).toEqual({ rttMs: 12, unreachableSince: undefined, misses: 0 });
  });

  test('stays who was so in usrloc, until the first answer', () => {
    const state = unanswered(reachabilityOf({ ...binding, rttMs: 5, unreachableSince: 77 }), 1000);
    expect(state).toEqual({ rttMs: 5, unreachableSince: 77, misses: 3 });
  });
});

describe('news for usrloc', () => {
  test.each([
    ['nothing is known', {}, { rttMs: undefined }, false],
    ['the first measurement', {}, { rttMs: 5 }, true],
    ['the same again', { rttMs: 50 }, { rttMs: 50 }, false],
    ['twice as long', { rttMs: 50 }, { rttMs: 100 }, false],
    ['more than that', { rttMs: 50 }, { rttMs: 101 }, true],
    ['less than half', { rttMs: 50 }, { rttMs: 24 }, true],
    ['short and shorter', { rttMs: 9 }, { rttMs: 1 }, false],
    ['a phone that fell silent', { rttMs: 50 }, { rttMs: 50, unreachableSince: 1 }, true],
    ['a phone that never spoke', {}, { rttMs: undefined, unreachableSince: 1 }, true],
    ['it is still silent', { rttMs: 50, unreachableSince: 1 }, { rttMs: 50, unreachableSince: 2 }, false],
    ['it speaks again', { rttMs: 50, unreachableSince: 1 }, { rttMs: 50 }, true],
  ])('%s', (_why, written, { rttMs, unreachableSince }: Partial<Binding>, news) => {
    expect(isNews({ ...binding, ...written }, { rttMs, unreachableSince, misses: 0 })).toBe(news);
  });
});
