// SIP, SIPS and other URIs: parse, format (RFC 3261 §19.1, §25.1; RFC 3966 for tel). Pure.

import {
  ALPHA,
  AT,
  COLON,
  DIGIT,
  EQUALS,
  isOf,
  parseDecimal,
  QUESTION,
  SEMICOLON,
  skipClass,
  skipUri,
  URI_HEADER,
  URI_PARAMETER,
  USER,
} from './characters.ts';
import { skipEscaped } from './escape.ts';
import { skipHost } from './host.ts';
import { formatParameters, isNamed, MAX_PARAMETERS, type Parameter } from './parameters.ts';

export { escapeUser, unescapeUser } from './escape.ts';
export { bareHost } from './host.ts';
export { sameUri } from './same-uri.ts';

const AMPERSAND = 38;

/** A sip or sips URI. Escapes stay as written. */
export interface SipUri {
  readonly type: 'sip' | 'sips';
  /** See `unescapeUser`. Undefined where the URI has no user part. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** In lower case; IPv6 in brackets, see `bareHost`. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly parameters: readonly Parameter[];
  /** What stands behind `?`; undefined where nothing does. */
  readonly headers?: readonly Parameter[] | undefined;
}

/** Any other URI, its scheme in lower case. */
export interface OtherUri {
  readonly type: 'tel' | 'other';
  readonly scheme: string;
  /** What stands behind the scheme's colon, as written. */
  readonly rest: string;
}

/** Parses a URI; undefined where it is none or breaks the grammar of its scheme. */
export function parseUri(text: string): SipUri | OtherUri | undefined {
  const colon = schemeEnd(text, 0, text.length);
  if (colon < 0 || colon + 1 === text.length) return undefined;
  if (text.startsWith('sip:')) return parseSipUri(text, 'sip', 4);
  if (text.startsWith('sips:')) return parseSipUri(text, 'sips', 5);
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(text, scheme, colon + 1);
  if (skipUri(text, colon) < text.length) return undefined;
  return { type: scheme === 'tel' ? 'tel' : 'other', scheme, rest: text.slice(colon + 1) };
}

/** The position of the colon behind the scheme that starts at `start`; -1 where there is none. */
export function schemeEnd(text: string, start: number, end: number): number {
  if (start >= end || !isOf(ALPHA, text.charCodeAt(start))) return -1;
  for (let position = start + 1; position < end; position++) {
    const code = text.charCodeAt(position);
    if (code === COLON) return position;
    if (!isOf(ALPHA | DIGIT, code) && code !== 43 && code !== 45 && code !== 46) return -1;
  }
  return -1;
}

function parseSipUri(text: string, type: 'sip' | 'sips', start: number): SipUri | undefined {
  const end = text.length;
  let user: string | undefined;
  let password: string | undefined;
  let position = start;
  const at = text.indexOf('@', start);
  if (at >= 0) {
    position = skipEscaped(USER, text, start, at);
    if (position === start) return undefined;
    user = text.slice(start, position);
    if (text.charCodeAt(position) === COLON) {
      const passwordStart = position + 1;
      position = skipEscaped(USER, text, passwordStart, at);
      password = text.slice(passwordStart, position);
    }
    if (position !== at || text.charCodeAt(position) !== AT) return undefined;
    position++;
  }
  const hostStart = position;
  position = skipHost(text, hostStart, end);
  if (position < 0) return undefined;
  const host = text.slice(hostStart, position).toLowerCase();
  let port: number | undefined;
  if (position < end && text.charCodeAt(position) === COLON) {
    const portStart = position + 1;
    position = skipClass(DIGIT, text, portStart, end);
    port = parseDecimal(text, portStart, position, 65535);
    if (port < 0) return undefined;
  }
  const parameters: Parameter[] = [];
  while (position < end && text.charCodeAt(position) === SEMICOLON) {
    const nameStart = position + 1;
    position = skipEscaped(URI_PARAMETER, text, nameStart, end);
    if (position === nameStart || parameters.length === MAX_PARAMETERS) return undefined;
    const name = text.slice(nameStart, position);
    let value: string | undefined;
    if (position < end && text.charCodeAt(position) === EQUALS) {
      const valueStart = position + 1;
      position = skipEscaped(URI_PARAMETER, text, valueStart, end);
      if (position === valueStart) return undefined;
      value = text.slice(valueStart, position);
    }
    if (parameters.length > 0 && repeats(parameters, name)) return undefined;
    parameters.push({ name, value });
  }
  let headers: Parameter[] | undefined;
  if (position < end && text.charCodeAt(position) === QUESTION) {
    headers = parseUriHeaders(text, position + 1, end);
    if (headers === undefined) return undefined;
    position = end;
  }
  return position === end ? { type, user, password, host, port, parameters, headers } : undefined;
}

/** A name must not appear twice (RFC 3261 §19.1.1). */
function repeats(parameters: readonly Parameter[], name: string): boolean {
  const lower = name.toLowerCase();
  for (const parameter of parameters) if (isNamed(parameter, lower)) return true;
  return false;
}

function parseUriHeaders(text: string, start: number, end: number): Parameter[] | undefined {
  const headers: Parameter[] = [];
  for (let nameStart = start; ; ) {
    const equals = skipEscaped(URI_HEADER, text, nameStart, end);
    if (equals === nameStart || equals === end || text.charCodeAt(equals) !== EQUALS) return undefined;
    const valueEnd = skipEscaped(URI_HEADER, text, equals + 1, end);
    headers.push({ name: text.slice(nameStart, equals), value: text.slice(equals + 1, valueEnd) });
    if (valueEnd === end) return headers;
    if (text.charCodeAt(valueEnd) !== AMPERSAND) return undefined;
    nameStart = valueEnd + 1;
  }
}

/** Formats a URI: the text it was parsed from, but for the case of scheme and host. */
export function formatUri(uri: SipUri | OtherUri): string {
  if ('rest' in uri) return `${uri.scheme}:${uri.rest}`;
  let text = `${uri.type}:`;
  if (uri.user !== undefined)
    text += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  text += uri.host;
  if (uri.port !== undefined) text += `:${uri.port}`;
  text += formatParameters(uri.parameters);
  if (uri.headers === undefined) return text;
  return `${text}?${uri.headers.map(({ name, value }) => `${name}=${value ?? ''}`).join('&')}`;
}
