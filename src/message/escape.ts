// Escapes in URIs, `%` and two hexadecimal digits (RFC 3261 §19.1.2, RFC 2396 §2). Pure.

import { HEX, isOf, PERCENT, skipClass, USER } from './characters.ts';

const RESERVED_OR_PERCENT = ';/?:@&=+$,%';

/** The first position from `start` that is neither of the class nor an escape, at most `end`. */
export function skipEscaped(flag: number, text: string, start: number, end: number): number {
  let position = skipClass(flag, text, start, end);
  while (position + 2 < end && isEscape(text, position)) position = skipClass(flag, text, position + 3, end);
  return position;
}

function isEscape(text: string, position: number): boolean {
  return (
    text.charCodeAt(position) === PERCENT &&
    isOf(HEX, text.charCodeAt(position + 1)) &&
    isOf(HEX, text.charCodeAt(position + 2))
  );
}

/** The octets that the user part of a URI stands for, perhaps with NUL among them; undefined for a bad escape. */
export function unescapeUser(user: string): string | undefined {
  if (!user.includes('%')) return user;
  if (/%(?![0-9a-fA-F]{2})/.test(user)) return undefined;
  return user.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Writes octets as the user part of a URI: what it cannot hold is escaped. */
export function escapeUser(octets: string): string {
  let escaped = '';
  for (let position = 0; position < octets.length; position++) {
    const code = octets.charCodeAt(position);
    escaped += isOf(USER, code) && code < 128 && code !== 35 ? octets[position] : `%${hexadecimal(code)}`;
  }
  return escaped;
}

function hexadecimal(code: number): string {
  return code.toString(16).toUpperCase().padStart(2, '0');
}

/** A form in which two parts of URIs are equal when §19.1.4 has them equal: only reserved octets stay escaped. */
export function comparableEscapes(part: string): string {
  if (!part.includes('%')) return part;
  return part.replace(/%([0-9a-fA-F]{2})/g, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return RESERVED_OR_PERCENT.includes(character) ? written.toUpperCase() : character;
  });
}
