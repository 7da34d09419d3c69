// Passwords become credentials and are compared with them; hashes against OpenSSL's (RFC 7616 §3.4.2, RFC 2307 §5.3).

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  algorithmsOf,
  credentialOfHashes,
  credentialOfPassword,
  isPasswordOf,
  passwordOctets,
} from '../../src/cli/sippasswd/credential.ts';
import { alphabet, generatePassword } from '../../src/cli/sippasswd/generate.ts';
import { formatCredential, parsePasswd } from '../../src/home/passwd.ts';

const key = { user: 'jan', realm: 'sip.example', did: '_default' };
const today = '2026-11-22';
const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

test('HA1 and HA1b by all three algorithms, over UTF-8', () => {
  const password = 'kůň:1';
  const credential = credentialOfPassword(key, passwordOctets(password), 'ha1', today);
  const [plain, domain] = [`jan:sip.example:${password}`, `jan@sip.example:sip.example:${password}`];
  expect(credential).toMatchObject({
    authUsername: 'jan',
    uid: 'jan',
    flags: 's',
    password: '',
    ha1: hex('md5', plain),
    ha1b: hex('md5', domain),
    ha1Sha256: hex('sha256', plain),
    ha1bSha256: hex('sha256', domain),
    ha1Sha512_256: hex('sha512-256', plain),
    ha1bSha512_256: hex('sha512-256', domain),
    changed: today,
  });
});

test.each(['ha1', 'sha1', 'plain'] as const)(
  '--format %s: the file gives the password back to be compared',
  (format) => {
    const password = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((text) => !/\p{Control}/u.test(text));
    fc.assert(
      fc.property(password, password, (right, wrong) => {
        const octets = passwordOctets(right);
        const line = `${formatCredential(credentialOfPassword(key, octets, format, today))}\n`;
        const [credential] = parsePasswd(line, { path: 'passwd', owner: 'jan' }).credentials;
        if (credential === undefined) throw new Error(`not read: ${line}`);
        expect(isPasswordOf(credential, octets)).toBe(true);
        expect(isPasswordOf(credential, passwordOctets(wrong))).toBe(octets === passwordOctets(wrong));
      }),
      { numRuns: 50 },
    );
  },
);

test('a password form alone verifies too, and a credential of nothing never does', () => {
  const none = credentialOfHashes(key, { ha1: {} }, today);
  expect(isPasswordOf(none, 'x')).toBe(false);
  expect(isPasswordOf({ ...none, password: '{PLAIN}x' }, 'x')).toBe(true);
  expect(
    isPasswordOf({ ...none, password: `{SHA}${createHash('sha1').update('x').digest('base64')}` }, 'x'),
  ).toBe(true);
  expect(algorithmsOf(none)).toEqual([]);
});

test('imported hashes stand where they belong', () => {
  const credential = credentialOfHashes(
    key,
    { ha1: { MD5: hex('md5', 'jan:sip.example:x') }, ha1b: 'b'.repeat(32) },
    today,
  );
  expect(algorithmsOf(credential)).toEqual(['MD5']);
  expect(credential.ha1b).toBe('b'.repeat(32));
  expect(isPasswordOf(credential, 'x')).toBe(true);
});

test('two {SSHA} of one password differ', () => {
  const [one, other] = [1, 2].map(() => credentialOfPassword(key, 'x', 'sha1', today).password);
  expect(one).not.toBe(other);
});

test('generated passwords: 20 characters that are not mistaken for each other, never the same twice', () => {
  const passwords = Array.from({ length: 1000 }, generatePassword);
  expect(new Set(passwords).size).toBe(1000);
  expect(alphabet).not.toMatch(/[il1o0]/);
  expect(new Set(passwords.join('')).size).toBe(alphabet.length);
  for (const password of passwords) expect(password).toMatch(/^[a-z2-9]{20}$/);
});
