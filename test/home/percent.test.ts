import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeField, encodeField } from '../../src/home/percent.ts';

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

test.each([
  ['plain text stays', 'jan', 'jan'],
  ['the separator', 'a:b', 'a%3Ab'],
  ['the escape itself', '100%', '100%25'],
  ['control characters', 'a\n\x7f\x00', 'a%0A%7F%00'],
  ['UTF-8 stays as it is', 'caf\xc3\xa9', 'caf\xc3\xa9'],
])('encodes: %s', (_why, text, encoded) => {
  expect(encodeField(text)).toBe(encoded);
  expect(decodeField(encoded)).toBe(text);
});

test.each([['%'], ['%4'], ['%zz'], ['%3'], ['a%'], ['%%41'], ['a\tb'], ['a\rb']])('refuses %j', (field) => {
  expect(decodeField(field)).toBeUndefined();
});

test('lower-case escapes are read', () => {
  expect(decodeField('a%3ab%c3%a9')).toBe('a:b\xc3\xa9');
});

test('what is no octet string is refused, because latin1 would make a newline of U+010A', () => {
  expect(() => encodeField('\u010a')).toThrow('octet string');
});

test('decoding an encoded field is the identity, and the field holds neither separator nor control octet', () => {
  fc.assert(
    fc.property(octets, (text) => {
      const encoded = encodeField(text);
      expect(decodeField(encoded)).toBe(text);
      expect(encoded).not.toMatch(/[:\x00-\x1f\x7f]/);
    }),
  );
});

test('no field throws', () => {
  fc.assert(
    fc.property(octets, (field) => {
      decodeField(field);
    }),
  );
});
