// What of a message nobody may see, its own user included: what proves a password or opens media (RFC 7616, RFC 4568,
// RFC 8839, RFC 3261 §19.1.1). Masks have the length of what they hide, so that Content-Length stays true. Pure.

// Anchored by a line's end before them, which is looked for faster than a line's start. A CR alone ends a line too: what
// is no message is traced as well.
const FIELDS =
  /[\r\n](?:(?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info)[ \t]*:/gi;
const MEDIA_KEYS = /[\r\n](a=crypto:|a=ice-pwd:|a=key-mgmt:|k=)([^\r\n]*)/gi;
const URI_PASSWORDS = /\b(sips?:[^\s:@<>"]{1,256}:)([^\s@<>"]{1,256})(?=@)/gi;
/** What of a digest proves nothing. */
const OPEN_PARAMETERS: ReadonlySet<string> = new Set([
  ...[
    'username',
    'username*',
    'userhash',
    'realm',
    'uri',
    'algorithm',
    'qop',
    'nc',
    'stale',
    'opaque',
    'domain',
    'charset',
  ],
]);
const BLANKS = blanksAnd('');
const NAME_ENDS = blanksAnd('=",;');
const TOKEN_ENDS = blanksAnd('",;');

const CR = 0x0d;
const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A message with its credentials masked. Several that each begin with a letter may stand in it, a line end before each. */
export function maskCredentials(octets: string): string {
  return maskFields(maskUriPasswords(`\n${octets}`))
    .replace(MEDIA_KEYS, (line, kind: string, value: string) => `${line[0]}${kind}${stars(value)}`)
    .slice(1);
}

/** All that a start line can hold. */
export function maskUriPasswords(octets: string): string {
  if (!octets.includes('@')) return octets;
  return octets.replace(URI_PASSWORDS, (_, user: string, password: string) => user + stars(password));
}

function maskFields(octets: string): string {
  let masked = '';
  let copied = 0;
  FIELDS.lastIndex = 0;
  for (let found = FIELDS.exec(octets); found !== null; found = FIELDS.exec(octets)) {
    const start = FIELDS.lastIndex;
    const end = endOfField(octets, start);
    masked += octets.slice(copied, start) + maskField(found[0], octets.slice(start, end));
    copied = end;
    FIELDS.lastIndex = end;
  }
  return copied === 0 ? octets : masked + octets.slice(copied);
}

/** Where the line ends, with those that continue it (RFC 3261 §7.3.1). */
function endOfField(octets: string, start: number): number {
  for (let at = start; at < octets.length; at++) {
    const code = octets.charCodeAt(at);
    if (code !== CR && code !== LF) continue;
    const next = code === CR && octets.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
    const follows = octets[next];
    if (follows !== ' ' && follows !== '\t') return at;
    at = next;
  }
  return octets.length;
}

/** Of a digest what its proof is made of; of any other scheme, and of what is no list, all behind its name. */
function maskField(name: string, value: string): string {
  const schemeEnd = /-info[ \t]*:$/i.test(name) ? 0 : pastOctets(value, pastBlanks(value, 0), BLANKS);
  const scheme = value.slice(0, schemeEnd);
  const rest = value.slice(schemeEnd);
  const isDigest = schemeEnd === 0 || /^\s*digest$/i.test(scheme);
  return scheme + ((isDigest ? maskDigest(rest) : undefined) ?? stars(rest));
}

/** A list of `name=value` and `name="value"` (RFC 7616 §3.4); undefined where it is none. */
function maskDigest(text: string): string | undefined {
  let masked = '';
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const name = pastBlanks(text, at);
    const nameEnd = pastOctets(text, name, NAME_ENDS);
    const equals = pastBlanks(text, nameEnd);
    if (nameEnd === name || text.charCodeAt(equals) !== EQUALS) return undefined;
    const value = pastBlanks(text, equals + 1);
    const valueEnd =
      text.charCodeAt(value) === QUOTE ? pastQuoted(text, value) : pastOctets(text, value, TOKEN_ENDS);
    const behind = pastBlanks(text, valueEnd);
    if (valueEnd === value || (behind < text.length && text.charCodeAt(behind) !== COMMA)) return undefined;
    if (!isOpen(text.slice(name, nameEnd))) {
      masked += text.slice(copied, value) + stars(text.slice(value, valueEnd));
      copied = valueEnd;
    }
    at = behind + 1;
  }
  return masked + text.slice(copied);
}

function isOpen(name: string): boolean {
  return OPEN_PARAMETERS.has(name) || OPEN_PARAMETERS.has(name.toLowerCase());
}

/** Behind the quotation mark that ends it; where there is none, its start. */
function pastQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return start;
}

function pastBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && BLANKS[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** Up to a blank or one of these. */
function pastOctets(text: string, start: number, ends: Uint8Array): number {
  let at = start;
  while (at < text.length && ends[text.charCodeAt(at)] === 0) at++;
  return at;
}

function stars(text: string): string {
  if (/^[^\s"]*$/.test(text)) return '*'.repeat(text.length);
  if (/^"[^\s"]*"$/.test(text)) return `"${'*'.repeat(text.length - 2)}"`;
  return text.replace(/[^\s"]/g, '*');
}

/** 1 at the code of each of these octets, and of what `\s` means among octets. */
function blanksAnd(octets: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const octet of `${octets}\t\n\v\f\r \xa0`) set[octet.charCodeAt(0)] = 1;
  return set;
}
