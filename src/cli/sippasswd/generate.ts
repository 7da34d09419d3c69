// Makes passwords that are typed on telephones: strong, and easy to read off a screen.

import { randomInt } from 'node:crypto';

/** Lower-case letters and digits without those that look alike: i, l and 1, o and 0. */
export const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Makes a password of 20 characters, 99 bits. */
export function generatePassword(): string {
  return Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
