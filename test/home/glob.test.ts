import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob, matchesUriGlob } from '../../src/home/glob.ts';

test.each([
  ['jan', 'jan', true],
  ['jan', 'jana', false],
  ['*', '', true],
  ['j*n', 'jan', true],
  ['j?n', 'jn', false],
  ['*a*b*', 'xxaxxbxx', true],
  ['*a*b', 'ba', false],
  ['', 'x', false],
])('%j and %j: %s', (pattern, text, expected) => {
  expect(matchesGlob(pattern, text)).toBe(expected);
});

test('agrees with the same pattern as a regular expression', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
      (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesGlob(pattern, text)).toBe(expression.test(text));
      },
    ),
    { numRuns: 500 },
  );
});

test('a pattern made to be slow is not', () => {
  expect(matchesGlob(`${'*a'.repeat(1000)}b`, 'a'.repeat(4000))).toBe(false);
}, 2000);

test.each([
  ['a number is the user part', '+49900*', 'sip:+49900123@gw.example.org;user=phone', true],
  ['or that of a tel URI', '+49900*', 'tel:+49900123', true],
  ['with @ it is user and host', '*@example.org', 'sip:jan@example.org', true],
  ['hosts have no case', '*@Example.ORG', 'sip:jan@EXAMPLE.org', true],
  ['a pattern with @ is no other host', '*@example.org', 'sip:jan@example.org.evil', false],
  ['parameters do not count', '*@example.org', 'sip:jan@evil;x=@example.org', false],
  ['headers do not count', '*@example.org', 'sip:jan@evil?x=@example.org', false],
  ['a scheme is held against the scheme', 'sips:*', 'sip:jan@example.org', false],
  ['a URI without user', 'jan', 'sip:example.org', false],
  ['* is everybody', '*', 'sip:example.org', true],
])('%s', (_why, pattern, uri, expected) => {
  expect(matchesUriGlob(pattern, uri)).toBe(expected);
});
