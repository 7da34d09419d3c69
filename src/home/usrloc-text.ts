// The pieces of a usrloc line, written so that no octet of a value can end the line or its own place in it
// (RFC 3261 §25.1: quoted-string, generic-param, the characters of a URI). Pure.

import type { Parameter } from '../message/parameters.ts';

/** What no line may hold: control octets, and characters that are no octets (as latin1 they could become one). */
const FORBIDDEN = /[\x00-\x1f\x7f\u0100-\uffff]/;
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
/** A value that is not quoted, wider than token: for base64 and IPv6. */
const BARE_VALUE = /^[!#-+\--:=?-[\]-~\x80-\xff]+$/;
const QUOTED_VALUE = /^"(?:[^"\\]|\\.)*"$/s;
const FORBIDDEN_RUNS = /[\x00-\x1f\x7f\u0100-\uffff]+/g;

/** Text as a line holds it: a run of octets that none may hold is one space. */
export function lineText(text: string): string {
  return FORBIDDEN.test(text) ? text.replace(FORBIDDEN_RUNS, ' ') : text;
}

/** Formats any text as a quoted-string; a run of control octets becomes one space, as a fold does (§7.3.1). */
export function quotedString(text: string): string {
  if (!/["\\\x00-\x1f\x7f\u0100-\uffff]/.test(text)) return `"${text}"`;
  return `"${lineText(text).replace(/["\\]/g, '\\$&')}"`;
}

/** Formats a URI in angle brackets; octets that no URI holds are escaped, so that it can't leave them. */
export function bracketedUri(uri: string): string {
  if (!/[\x00-\x20\x7f<>"\u0100-\uffff]/.test(uri)) return `<${uri}>`;
  return `<${uri.replace(/[\x00-\x20\x7f<>"\u0100-\uffff]/g, escapeOctet)}>`;
}

/** Formats `;name=value`, the value as it was sent; nothing where the name is no token. */
export function parameterText({ name, value }: Parameter): string {
  if (!TOKEN.test(name)) return '';
  if (value === undefined) return `;${name}`;
  if (BARE_VALUE.test(value)) return `;${name}=${value}`;
  const line = lineText(value);
  return `;${name}=${QUOTED_VALUE.test(line) ? line : quotedString(line)}`;
}

/** Says whether a parameter's name begins with `sr-`: the server's, never the client's. */
export function isServerName(name: string): boolean {
  return (
    name.charCodeAt(2) === 0x2d &&
    (name.charCodeAt(0) | 0x20) === 0x73 &&
    (name.charCodeAt(1) | 0x20) === 0x72
  );
}

function escapeOctet(octet: string): string {
  const code = octet.charCodeAt(0);
  return code > 0xff ? '%3F' : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The server's parameters that are known. */
export const SERVER_NAMES = new Set([
  'sr-expires-at',
  'sr-received',
  'sr-path',
  'sr-call-id',
  'sr-cseq',
  'sr-user-agent',
  'sr-socket',
  'sr-source',
  'sr-modified',
  'sr-rtt',
  'sr-unreachable-since',
  'sr-mac',
  'sr-removed-by',
]);

/** Says whether a parameter is the client's own: neither the server's nor `expires`, which says what a line does. */
export function isClientParameter({ name }: Parameter): boolean {
  return !isServerName(name) && (name.length !== 7 || name.toLowerCase() !== 'expires');
}

/** Says whether a number is kept as a round-trip time in milliseconds. */
export function isRtt(ms: number): boolean {
  return Number.isInteger(ms) && ms >= 0 && ms < 1e9;
}

/** Says whether a number is kept as a CSeq: RFC 3261 §8.1.1.5 has it below 2^31, here it is below 2^32. */
export function isCSeq(cseq: number): boolean {
  return Number.isInteger(cseq) && cseq >= 0 && cseq < 2 ** 32;
}
