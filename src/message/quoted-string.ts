// quoted-string (RFC 3261 §25.1): text between quotes, in which a backslash escapes one octet. Pure.

/** The text of a quoted-string, of which `text` is what stands between the quotes. */
export function unescapeQuoted(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text;
}

/** The text of a value that may be a quoted-string; any other is returned as it is. */
export function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? unescapeQuoted(value.slice(1, -1))
    : value;
}

/** Writes text as a quoted-string. CR and LF, which none can hold, become spaces. */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n]+/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
