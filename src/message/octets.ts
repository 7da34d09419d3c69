// Octet strings, in which each character is one byte, and the way from and to people's text, which is UTF-8. Pure.

/** Encodes text as UTF-8 in an octet string. ASCII is returned as it is. */
export function toOctets(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Decodes the UTF-8 in an octet string; what is not UTF-8 becomes U+FFFD. ASCII is returned as it is. */
export function fromOctets(octets: string): string {
  return Buffer.byteLength(octets) === octets.length
    ? octets
    : Buffer.from(octets, 'latin1').toString('utf8');
}

/** Lower case of ASCII alone: other octets are pieces of UTF-8. */
export function lowerCase(octets: string): string {
  return octets.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
