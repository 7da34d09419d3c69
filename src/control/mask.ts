// What of a message nobody may see, its own user included: what proves a password or opens media (RFC 7616, RFC 4568,
// RFC 8839, RFC 3261 §19.1.1). Masks have the length of what they hide, so that Content-Length stays true. Pure.

// Anchored by a line's end before them, which is looked for faster than a line's start. A CR alone ends a line too: what
// is no message is traced as well.
const FIELDS =
  /[\r\n]((?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info)([ \t]*:)([^\r\n]*(?:(?:\r\n?|\n)[ \t][^\r\n]*)*)/gi;
const DIGEST_PARAMETER = /\s*([^\s=",;]+)(\s*=\s*)("(?:[^"\\]|\\[\s\S])*"|[^\s,;"]+)\s*(?:,|$)/gy;
/** What of a digest proves nothing. */
const OPEN_PARAMETERS = /^(?:username\*?|userhash|realm|uri|algorithm|qop|nc|stale|opaque|domain|charset)$/i;
const URI_PASSWORDS = /\b(sips?:[^\s:@<>"]{1,256}:)([^\s@<>"]{1,256})(?=@)/gi;
const MEDIA_KEYS = /[\r\n](a=crypto:|a=ice-pwd:|a=key-mgmt:|k=)([^\r\n]*)/gi;

/** A message with its credentials masked. */
export function maskCredentials(octets: string): string {
  return maskUriPasswords(`\n${octets}`)
    .replace(FIELDS, (field, name: string, colon: string, value: string) => {
      return `${field[0]}${name}${colon}${maskField(name, value)}`;
    })
    .replace(MEDIA_KEYS, (line, kind: string, value: string) => `${line[0]}${kind}${stars(value)}`)
    .slice(1);
}

/** All that a start line can hold. */
export function maskUriPasswords(octets: string): string {
  if (!octets.includes('@')) return octets;
  return octets.replace(URI_PASSWORDS, (_, user: string, password: string) => user + stars(password));
}

/** Of a digest what its proof is made of; of any other scheme, and of what is no list, all behind its name. */
function maskField(name: string, value: string): string {
  const [, scheme = '', rest = ''] = /-info$/i.test(name)
    ? ['', '', value]
    : (/^(\s*\S+)([\s\S]*)$/.exec(value) ?? ['', '', value]);
  const isDigest = scheme === '' || /^\s*digest$/i.test(scheme);
  return scheme + ((isDigest ? maskDigest(rest) : undefined) ?? stars(rest));
}

function maskDigest(text: string): string | undefined {
  let end = 0;
  const masked = text.replace(DIGEST_PARAMETER, (parameter, name: string, equals: string, value: string) => {
    end += parameter.length;
    if (OPEN_PARAMETERS.test(name)) return parameter;
    const before = parameter.indexOf(name) + name.length + equals.length;
    return parameter.slice(0, before) + stars(value) + parameter.slice(before + value.length);
  });
  return end === text.length ? masked : undefined;
}

function stars(text: string): string {
  return text.replace(/[^\s"]/g, '*');
}
