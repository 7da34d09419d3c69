// What of a message nobody may see, its own user included: what proves a password or opens media (RFC 7616, RFC 4568,
// RFC 8839, RFC 3261 §19.1.1). Masks have the length of what they hide, so that Content-Length stays true. Pure.

// Anchored by a line's end before them, which is looked for faster than a line's start.
const FIELDS =
  /\n((?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info)([ \t]*:)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gi;
const DIGEST_VALUES =
  /\b(response|nonce|cnonce|nextnonce|rspauth)(\s*=\s*)("(?:[^"\\]|\\[\s\S])*"?|[^\s,;"]+)/gi;
const URI_PASSWORDS = /\b(sips?:[^\s:@<>"]{1,256}:)([^\s@<>",;?]{1,256})(?=@)/gi;
const MEDIA_KEYS = /\n(a=crypto:|a=ice-pwd:|a=key-mgmt:|k=)([^\r\n]*)/gi;

/** A message with its credentials masked. */
export function maskCredentials(octets: string): string {
  return maskUriPasswords(`\n${octets}`)
    .replace(
      FIELDS,
      (_, name: string, colon: string, value: string) => `\n${name}${colon}${maskField(name, value)}`,
    )
    .replace(MEDIA_KEYS, (_, kind: string, value: string) => `\n${kind}${stars(value)}`)
    .slice(1);
}

/** All that a start line can hold. */
export function maskUriPasswords(octets: string): string {
  if (!octets.includes('@')) return octets;
  return octets.replace(URI_PASSWORDS, (_, user: string, password: string) => user + stars(password));
}

/** Of a digest what its proof is made of; of any other scheme all behind its name. */
function maskField(name: string, value: string): string {
  if (/-info$/i.test(name) || /^\s*digest\s/i.test(value))
    return value.replace(
      DIGEST_VALUES,
      (_, key: string, equals: string, text: string) => key + equals + stars(text),
    );
  return value.replace(/^(\s*\S+)([\s\S]*)$/, (_, scheme: string, rest: string) => scheme + stars(rest));
}

function stars(text: string): string {
  return text.replace(/[^\s"]/g, '*');
}
