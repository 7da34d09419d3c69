import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../src/home/instant.ts';

test.each([
  ['whole seconds without fraction', Date.UTC(2026, 10, 22, 10, 15), '2026-11-22T10:15:00Z'],
  ['milliseconds where there are any', Date.UTC(2026, 10, 22, 10, 15, 0, 7), '2026-11-22T10:15:00.007Z'],
  ['a leap day', Date.UTC(2028, 1, 29), '2028-02-29T00:00:00Z'],
  ['the last of all', 253402300799999, '9999-12-31T23:59:59.999Z'],
])('%s', (_why, ms, text) => {
  expect(formatInstant(ms)).toBe(text);
  expect(parseInstant(text)).toBe(ms);
});

test.each([
  ['before 1970', -1, 0],
  ['no number', Number.NaN, 0],
  ['for ever', Number.POSITIVE_INFINITY, 253402300799999],
])('%s is written as the nearest there is', (_why, ms, written) => {
  expect(parseInstant(formatInstant(ms))).toBe(written);
});

test.each([
  ['2026-02-29T00:00:00Z'],
  ['2026-13-01T00:00:00Z'],
  ['2026-00-01T00:00:00Z'],
  ['2026-01-01T24:00:00Z'],
  ['2026-01-01T00:60:00Z'],
  ['2026-01-01 00:00:00Z'],
  ['2026-01-01T00:00:00+'],
  ['2026-01-01T00:00:00,000Z'],
  ['2026-01-01T00:00:00.00xZ'],
  ['1969-12-31T23:59:59Z'],
  ['+026-01-01T00:00:00Z'],
  ['soon'],
  [''],
])('refuses %j', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

test('parse∘format is the identity', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253402300799999 }), (ms) => {
      expect(parseInstant(formatInstant(ms))).toBe(ms);
    }),
  );
});
