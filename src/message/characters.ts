// The character classes of RFC 3261 §25.1, as one table of flags by octet, and the smallest scanners over them. Pure.

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const COMMA = 44;
export const SLASH = 47;
export const COLON = 58;
export const SEMICOLON = 59;
export const LESS = 60;
export const EQUALS = 61;
export const GREATER = 62;
export const QUESTION = 63;
export const AT = 64;
const BACKSLASH = 92;
export const BRACKET = 91;
export const PERCENT = 37;

/** `token`. */
export const TOKEN = 1;
/** A host name or IPv4 address; the underscore is no DNS, but lives in local networks. */
export const HOST = 2;
/** `user` and `password` but for escapes; with the `#` that phones dial, and UTF-8. */
export const USER = 4;
/** `paramchar` but for escapes. */
export const URI_PARAMETER = 8;
/** `hname` and `hvalue` but for escapes. */
export const URI_HEADER = 16;
export const HEX = 32;
export const DIGIT = 64;
export const ALPHA = 128;
/** What may stand in a display name that is not quoted: wider than token, for what phones send. */
export const DISPLAY = 256;

const CLASSES = new Uint16Array(256);
const alpha = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const digits = '0123456789';
const unreserved = `${alpha}${digits}-_.!~*'()`;
const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => index + 33));
const upper = String.fromCharCode(...Array.from({ length: 128 }, (_, index) => index + 128));

function add(flag: number, characters: string, except = ''): void {
  for (const character of characters) {
    if (!except.includes(character)) {
      const code = character.charCodeAt(0);
      CLASSES[code] = (CLASSES[code] ?? 0) | flag;
    }
  }
}

add(TOKEN, `${alpha}${digits}-.!%*_+\`'~`);
add(HOST, `${alpha}${digits}-._`);
add(USER, `${unreserved}&=+$,;?/#${upper}`);
add(URI_PARAMETER, `${unreserved}[]/:&+$`);
add(URI_HEADER, `${unreserved}[]/?:+$`);
add(HEX, `${digits}abcdefABCDEF`);
add(DIGIT, digits);
add(ALPHA, alpha);
add(DISPLAY, `${visible}${upper} \t`, '<>",;');

/** Whether the octet `code` is of the class `flag`. */
export function isOf(flag: number, code: number): boolean {
  return ((CLASSES[code] as number) & flag) !== 0;
}

/** The first position from `start` whose octet is not of the class, at most `end`. */
export function skipClass(flag: number, text: string, start: number, end: number): number {
  let position = start;
  while (position < end && ((CLASSES[text.charCodeAt(position)] as number) & flag) !== 0) position++;
  return position;
}

/** The first position from `start` that is neither space nor tab, at most `end`. */
export function skipBlanks(text: string, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const code = text.charCodeAt(position);
    if (code !== SPACE && code !== TAB) break;
    position++;
  }
  return position;
}

/** Where the spaces and tabs that end [start, end) begin. */
export function blanksStart(text: string, start: number, end: number): number {
  let position = end;
  while (position > start) {
    const code = text.charCodeAt(position - 1);
    if (code !== SPACE && code !== TAB) break;
    position--;
  }
  return position;
}

/** The text without the spaces and tabs at its ends. String.trim also takes octets that are part of UTF-8. */
export function trimBlanks(text: string): string {
  const start = skipBlanks(text, 0, text.length);
  return text.slice(start, blanksStart(text, start, text.length));
}

/** Whether all of `text` is of the class, and it is not empty. */
export function isAll(flag: number, text: string): boolean {
  return text.length > 0 && skipClass(flag, text, 0, text.length) === text.length;
}

/** The decimal number in [start, end), or -1 where that is empty, not digits only, or above `max`. */
export function parseDecimal(text: string, start: number, end: number, max: number): number {
  if (start >= end) return -1;
  let number = 0;
  for (let position = start; position < end; position++) {
    const digit = text.charCodeAt(position) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number > max) return -1;
  }
  return number;
}

const plainQuoted = /"[^"\\\r\n]*"/y;

/** The position behind the quoted-string that starts at `start`, or -1 where it does not end before `end`. */
export function skipQuoted(text: string, start: number, end: number): number {
  plainQuoted.lastIndex = start;
  if (plainQuoted.test(text)) return plainQuoted.lastIndex <= end ? plainQuoted.lastIndex : -1;
  for (let position = start + 1; position < end; position++) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) return position + 1;
    if (code === CR || code === LF) return -1;
    if (code === BACKSLASH) {
      position++;
      const escaped = text.charCodeAt(position);
      if (escaped === CR || escaped === LF) return -1;
    }
  }
  return -1;
}

// What is long goes through sticky expressions: measured twice as fast as a loop over charCodeAt from 20 octets on.
const uriOctets = /[!#-;=?-~\x80-\xff]*/y;
const valueOctets = /[!#-+\--:=?-[\]-~\x80-\xff]*/y;

/** Behind what a URI may hold between its brackets or its blanks. */
export function skipUri(text: string, start: number): number {
  uriOctets.lastIndex = start;
  uriOctets.test(text);
  return uriOctets.lastIndex;
}

/** Behind a parameter's value that is not quoted: wider than token, for base64 tags and IPv6. */
export function skipValue(text: string, start: number): number {
  valueOctets.lastIndex = start;
  valueOctets.test(text);
  return valueOctets.lastIndex;
}
