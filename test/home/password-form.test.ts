import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkNewPassword,
  formatPassword,
  isPasswordForm,
  matchesPassword,
  plainPassword,
} from '../../src/home/password-form.ts';

const octets = fc.string({
  minLength: 1,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});

describe('the forms of RFC 2307 §5.3', () => {
  test('{SHA} is base64 of SHA-1', () => {
    expect(formatPassword('SHA', 'abc')).toBe('{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=');
  });

  test('{SSHA} is base64 of SHA-1 over password and salt, and the salt', () => {
    const hash = createHash('sha1').update(Buffer.from('secret\xfesalt', 'latin1')).digest();
    const expected = Buffer.concat([hash, Buffer.from('\xfesalt', 'latin1')]).toString('base64');
    expect(formatPassword('SSHA', 'secret', '\xfesalt')).toBe(`{SSHA}${expected}`);
  });

  test('{SSHA} without salt is a mistake of ours', () => {
    expect(() => formatPassword('SSHA', 'secret')).toThrow('salt');
  });

  test('octets that are no UTF-8 are hashed as they are', () => {
    const expected = createHash('sha1')
      .update(Buffer.from([0xe9]))
      .digest('base64');
    expect(formatPassword('SHA', '\xe9')).toBe(`{SHA}${expected}`);
  });

  test('every form matches its own password and no other', () => {
    fc.assert(
      fc.property(octets, octets, octets, (password, other, salt) => {
        for (const form of ['PLAIN', 'SHA', 'SSHA'] as const) {
          const stored = formatPassword(form, password, salt);
          expect(isPasswordForm(stored)).toBe(true);
          expect(matchesPassword(stored, password)).toBe(true);
          expect(matchesPassword(stored, other)).toBe(other === password);
          expect(plainPassword(stored)).toBe(form === 'PLAIN' ? password : undefined);
        }
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['empty', ''],
    ['no form', 'secret'],
    ['an unknown form', '{CRYPT}$6$x'],
    ['an empty password', '{PLAIN}'],
    ['no hash', '{SHA}'],
    ['a hash that is too short', '{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J=='],
    ['base64 with an extra character', '{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=!'],
    ['a salted hash without salt', '{SSHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0='],
    ['an open brace', '{SHA'],
  ])('matches nothing: %s', (_why, stored) => {
    expect(isPasswordForm(stored)).toBe(false);
    expect(matchesPassword(stored, '')).toBe(false);
    expect(matchesPassword(stored, stored)).toBe(false);
    expect(plainPassword(stored)).toBeUndefined();
  });

  test('no stored text throws', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', '{SHA}', '{SSHA}', '{PLAIN}', '{'),
        fc.string(),
        (form, text) => typeof matchesPassword(form + text, text) === 'boolean',
      ),
    );
  });
});

describe('a new password', () => {
  test.each([
    ['colons', 'a:b'],
    ['quotes and backslashes', '"\'\\'],
    ['spaces', ' a b '],
    ['UTF-8', 'žluťoučký 🐎'],
    ['256 bytes', 'é'.repeat(128)],
  ])('may have %s', (_why, text) => {
    expect(checkNewPassword(text)).toBeUndefined();
  });

  test.each([
    ['empty', '', 'empty'],
    ['a newline', 'a\nb', 'control'],
    ['a tab', 'a\tb', 'control'],
    ['DEL', 'a\x7f', 'control'],
    ['a C1 control', 'a\x85', 'control'],
    ['257 bytes', `${'é'.repeat(128)}a`, '256 bytes'],
    ['a lone surrogate', 'a\ud800b', 'Unicode'],
    ['a surrogate at the end', 'a\udc00', 'Unicode'],
  ])('is refused: %s', (_why, text, reason) => {
    expect(checkNewPassword(text)).toContain(reason);
  });
});
