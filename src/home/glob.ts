// Patterns of sshd_config(5), `*` any text and `?` one character, over names and URIs. Pure.

import { unescapeUser } from '../message/escape.ts';
import { lowerCase } from '../message/octets.ts';

/** Says whether a whole text is as the pattern says. At most length × length steps, no recursion. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = pattern[from];
    if (wanted === '*') {
      star = from++;
      resume = at;
    } else if (wanted === '?' || (wanted !== undefined && wanted === text[at])) {
      at++;
      from++;
    } else if (star >= 0) {
      from = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[from] === '*') from++;
  return from === pattern.length;
}

/**
 * Says whether a URI is as the pattern says, without case. A pattern with a scheme is held against all of the URI up
 * to its parameters, one with `@` against user@host, any other against the user part, or the number of a tel URI.
 * Escapes of the user part are held for what they stand for, so that nobody writes himself around a pattern.
 */
export function matchesUriGlob(pattern: string, uri: string): boolean {
  const wanted = lowerCase(pattern);
  const address = plainAddress(uri);
  if (/^(?:sips?|tel):/.test(wanted)) return matchesGlob(wanted, address);
  const rest = address.slice(address.indexOf(':') + 1);
  if (wanted.includes('@')) return matchesGlob(wanted, rest);
  const at = rest.lastIndexOf('@');
  if (at >= 0) return matchesGlob(wanted, rest.slice(0, at));
  return matchesGlob(wanted, address.startsWith('tel:') ? rest : '');
}

/** Scheme, user part and host, in lower case; `;` and `?` end it only where they are not the user part's. */
function plainAddress(uri: string): string {
  const at = uri.indexOf('@') + 1;
  const host = uri.slice(at).replace(/[;?].*$/s, '');
  const user = uri.slice(0, at);
  return lowerCase((unescapeUser(user) ?? user) + host);
}
