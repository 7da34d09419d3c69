import { describe, expect, test } from 'vitest';
import { formatExpiry, formatPast } from '../../../src/cli/sipctl/human-time.ts';

const now = Date.UTC(2026, 10, 22, 12);
const minute = 60_000;

describe('formatExpiry', () => {
  test.each([
    [undefined, 'permanent'],
    [now, 'expired'],
    [now - 1, 'expired'],
    [now + 999, 'in 0 s'],
    [now + 119_999, 'in 119 s'],
    [now + 2 * minute, 'in 2 min'],
    [now + 42 * minute, 'in 42 min'],
    [now + 120 * minute, 'in 2 h'],
    [now + 47 * 60 * minute, 'in 47 h'],
    [now + 48 * 60 * minute, 'in 2 days'],
  ])('of %s is %s', (expiresAt, text) => {
    expect(formatExpiry(expiresAt, now)).toBe(text);
  });
});

test('formatPast says how long ago, and of a clock that is ahead, in how long', () => {
  expect(formatPast(now - 3 * minute, now)).toBe('3 min ago');
  expect(formatPast(now + 3 * minute, now)).toBe('in 3 min');
  expect(formatPast(undefined, now)).toBe('');
});
