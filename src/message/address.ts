// name-addr and addr-spec with parameters: the value of From, To, Contact, Route … (RFC 3261 §20.10, §25.1). Pure.

import {
  COMMA,
  DISPLAY,
  GREATER,
  LESS,
  QUESTION,
  QUOTE,
  SEMICOLON,
  SPACE,
  skipBlanks,
  skipClass,
  skipQuoted,
  skipUri,
  TAB,
  trimBlanks,
} from './characters.ts';
import { unfold } from './fields.ts';
import { formatParameters, type Parameter, parseParameters } from './parameters.ts';
import { quote, unescapeQuoted } from './quoted-string.ts';
import { schemeEnd } from './uri.ts';

/** One address of a header field. */
export interface Address {
  /** Without quotes and escapes; undefined where there is none. */
  readonly displayName?: string | undefined;
  /** As written, between the brackets if there are any. It has a scheme and no blanks; no more is known of it. */
  readonly uri: string;
  /** The header field's parameters, not the URI's. */
  readonly parameters: readonly Parameter[];
}

/**
 * Parses one address; undefined where it breaks the grammar.
 * Without `<` and `>` all parameters are the header field's, and a URI with `?` or `,` is refused (RFC 3261 §20.10).
 * Departs from §25.1: a display name without quotes may hold any octets but those that end it, as phones send such.
 */
export function parseAddress(value: string): Address | undefined {
  const text = unfold(value);
  const end = text.length;
  const start = skipBlanks(text, 0, end);
  if (start === end) return undefined;
  let displayName: string | undefined;
  let open = start;
  const first = text.charCodeAt(start);
  if (first === QUOTE) {
    const close = skipQuoted(text, start, end);
    if (close < 0) return undefined;
    displayName = unescapeQuoted(text.slice(start + 1, close - 1));
    open = skipBlanks(text, close, end);
    if (open === end || text.charCodeAt(open) !== LESS) return undefined;
  } else if (first !== LESS) {
    open = skipClass(DISPLAY, text, start, end);
    if (open === end || text.charCodeAt(open) !== LESS) return parseBareAddress(text, start, end);
    displayName = trimBlanks(text.slice(start, open));
  }
  const uriEnd = skipUri(text, open + 1);
  if (uriEnd === end || text.charCodeAt(uriEnd) !== GREATER) return undefined;
  if (schemeEnd(text, open + 1, uriEnd) < 0) return undefined;
  const parameters = uriEnd + 1 === end ? [] : parseParameters(text, uriEnd + 1, end);
  if (parameters === undefined) return undefined;
  return { displayName, uri: text.slice(open + 1, uriEnd), parameters };
}

function parseBareAddress(text: string, start: number, end: number): Address | undefined {
  let uriEnd = start;
  for (; uriEnd < end; uriEnd++) {
    const code = text.charCodeAt(uriEnd);
    if (code === SEMICOLON || code === SPACE || code === TAB) break;
    if (code === QUESTION || code === COMMA) return undefined;
  }
  if (schemeEnd(text, start, uriEnd) < 0 || skipUri(text, start) < uriEnd) return undefined;
  const parameters = parseParameters(text, uriEnd, end);
  if (parameters === undefined) return undefined;
  return { displayName: undefined, uri: text.slice(start, uriEnd), parameters };
}

/** Formats an address, always with brackets, a display name always quoted. */
export function formatAddress(address: Address): string {
  const name = address.displayName === undefined ? '' : `${quote(address.displayName)} `;
  return `${name}<${address.uri}>${formatParameters(address.parameters)}`;
}
