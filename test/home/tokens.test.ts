import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandTokens, hasKnownTokens } from '../../src/home/tokens.ts';

const JAN = { user: 'jan', home: '/home/jan', uid: 1000, domain: 'example.org' };

test.each([
  ['%h/.sr/key', '/home/jan/.sr/key'],
  ['sip:%u-%U@%d', 'sip:jan-1000@example.org'],
  ['100%%', '100%'],
  ['%%u', '%u'],
  ['%x', undefined],
  ['%', undefined],
  ['%%%', undefined],
])('%s becomes %s', (text, expected) => {
  expect(expandTokens(text, JAN)).toBe(expected);
  expect(hasKnownTokens(text)).toBe(expected !== undefined);
});

test('a value is not expanded twice', () => {
  expect(expandTokens('%u', { ...JAN, user: '%h$&' })).toBe('%h$&');
});

test('text without % stays', () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes('%')),
      (text) => expandTokens(text, JAN) === text,
    ),
  );
});
