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
  ['parameters of a number do not hide it', '+49900*', 'sip:+49900123;ext=1@gw.example.org', true],
  ['nor those of a user its host', 'sip:+*@*', 'sip:+49900123;ext=1@gw.example.org', true],
  ['a question mark in the user part is a part of it', '*@evil.example', 'sip:spam?x@evil.example', true],
  ['an escape is what it stands for', 'sip:+*@*', 'sip:%2B49900123@gw.example.org', true],
  ['of any letter and digit', 'sip:00*@*', 'sip:%300%34@gw.example.org', true],
  ['an escaped @ is none before the host', '*@example.org', 'sip:a%40evil@example.org', true],
  ['an escape that is none stays', '*', 'sip:%zz@example.org', true],
  ['a scheme is held against the scheme', 'sips:*', 'sip:jan@example.org', false],
  ['a URI without user', 'jan', 'sip:example.org', false],
  ['* is everybody', '*', 'sip:example.org', true],
])('%s', (_why, pattern, uri, expected) => {
  expect(matchesUriGlob(pattern, uri)).toBe(expected);
});
