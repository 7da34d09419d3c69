// The password field of passwd: {PLAIN}, {SHA} and {SSHA} (RFC 2307 §5.3), and what a new password may be. Pure.

import { timingSafeEqual } from 'node:crypto';
import jsSha1 from 'js-sha1';

/** How a password is kept. */
export type PasswordForm = 'PLAIN' | 'SHA' | 'SSHA';

const SHA1_BYTES = 20;
/** The longest new password, in bytes of UTF-8. */
export const MAX_PASSWORD_BYTES = 256;

/** Formats a password of the octets given; `salt` (octets, fresh and random for each password) is SSHA's only. */
export function formatPassword(form: PasswordForm, octets: string, salt = ''): string {
  if (form === 'PLAIN') return `{PLAIN}${octets}`;
  if (form === 'SHA') return `{SHA}${sha1(octets).toString('base64')}`;
  if (salt === '') throw new Error('SSHA needs a salt');
  return `{SSHA}${Buffer.concat([sha1(octets + salt), Buffer.from(salt, 'latin1')]).toString('base64')}`;
}

/** Says whether a stored form is of these octets, in a time that does not tell where they differ; else false. */
export function matchesPassword(stored: string, octets: string): boolean {
  const form = readForm(stored);
  if (form === undefined) return false;
  if (form.type === 'PLAIN') return timingSafeEqual(sha1(form.text), sha1(octets));
  return timingSafeEqual(form.hash, sha1(octets + form.salt));
}

/** The octets of a {PLAIN} form; undefined for the others. */
export function plainPassword(stored: string): string | undefined {
  const form = readForm(stored);
  return form?.type === 'PLAIN' ? form.text : undefined;
}

/** Says whether a text is one of the three forms, its base64 being exact. */
export function isPasswordForm(stored: string): boolean {
  return readForm(stored) !== undefined;
}

/** Says why a new password (Unicode) is refused; undefined when it is not. */
export function checkNewPassword(text: string): string | undefined {
  if (text === '') return 'the password is empty';
  if (/\p{Surrogate}/u.test(text)) return 'the password is not valid Unicode';
  if (/\p{Control}/u.test(text)) return 'the password has control characters';
  if (Buffer.byteLength(text) > MAX_PASSWORD_BYTES) return `the password is over ${MAX_PASSWORD_BYTES} bytes`;
  return undefined;
}

type Form =
  | { readonly type: 'PLAIN'; readonly text: string }
  | { readonly type: 'SHA'; readonly hash: Buffer; readonly salt: string };

function readForm(stored: string): Form | undefined {
  const end = stored.startsWith('{') ? stored.indexOf('}') : -1;
  if (end < 0 || end > 6) return undefined;
  const scheme = stored.slice(1, end).toUpperCase();
  const text = stored.slice(end + 1);
  if (scheme === 'PLAIN') return text === '' ? undefined : { type: 'PLAIN', text };
  if (scheme !== 'SHA' && scheme !== 'SSHA') return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) return undefined;
  if (scheme === 'SHA' ? bytes.length !== SHA1_BYTES : bytes.length <= SHA1_BYTES) return undefined;
  return { type: 'SHA', hash: bytes.subarray(0, SHA1_BYTES), salt: bytes.toString('latin1', SHA1_BYTES) };
}

function sha1(octets: string): Buffer {
  return Buffer.from(jsSha1.sha1.array(Buffer.from(octets, 'latin1')));
}
