// The values of Authorization, WWW-Authenticate and their kin: a scheme and parameters (RFC 3261 §25.1, RFC 7616). Pure.

import { COMMA, EQUALS, QUOTE, skipBlanks, skipClass, skipQuoted, skipValue, TOKEN } from './characters.ts';
import { unfold } from './fields.ts';
import { MAX_PARAMETERS } from './parameters.ts';
import { unescapeQuoted } from './quoted-string.ts';

/** A challenge or credentials. */
export interface AuthParams {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case; values without quotes and escapes. */
  readonly params: ReadonlyMap<string, string>;
}

/**
 * Parses the value of one Authorization, WWW-Authenticate, Proxy-… header field; undefined where it breaks the
 * grammar gives a parameter twice, or too many. Of a scheme other than Digest whatever cannot be read is left out.
 */
export function parseAuthParams(value: string): AuthParams | undefined {
  const text = unfold(value);
  const end = text.length;
  const start = skipBlanks(text, 0, end);
  const schemeEnd = skipClass(TOKEN, text, start, end);
  if (schemeEnd === start) return undefined;
  const written = text.slice(start, schemeEnd);
  const scheme = written === 'Digest' ? 'digest' : written.toLowerCase();
  const params = readParams(text, schemeEnd, end);
  if (params !== undefined) return { scheme, params };
  return scheme === 'digest' ? undefined : { scheme, params: new Map() };
}

function readParams(text: string, start: number, end: number): Map<string, string> | undefined {
  const params = new Map<string, string>();
  let position = skipBlanks(text, start, end);
  if (position === start && position < end) return undefined;
  while (position < end) {
    if (text.charCodeAt(position) !== COMMA) {
      const nameStart = position;
      const nameEnd = skipClass(TOKEN, text, nameStart, end);
      position = skipBlanks(text, nameEnd, end);
      if (nameEnd === nameStart || position === end || text.charCodeAt(position) !== EQUALS) return undefined;
      const valueStart = skipBlanks(text, position + 1, end);
      if (valueStart === end) return undefined;
      const quoted = text.charCodeAt(valueStart) === QUOTE;
      position = quoted ? skipQuoted(text, valueStart, end) : skipValue(text, valueStart);
      if (position <= valueStart) return undefined;
      const name = text.slice(nameStart, nameEnd).toLowerCase();
      if (params.has(name) || params.size === MAX_PARAMETERS) return undefined;
      params.set(
        name,
        quoted ? unescapeQuoted(text.slice(valueStart + 1, position - 1)) : text.slice(valueStart, position),
      );
      position = skipBlanks(text, position, end);
      if (position < end && text.charCodeAt(position) !== COMMA) return undefined;
    }
    position = skipBlanks(text, position + 1, end);
  }
  return params;
}
