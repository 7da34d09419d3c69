// Percent-encoding of `:`, `%` and control octets in the fields of passwd and shadow (DESIGN §2). Pure.

/** Encodes a field so that it holds no `:`, no control octet and no bare `%`. Throws for what is no octet string. */
export function encodeField(octets: string): string {
  if (/[\u0100-\uffff]/.test(octets)) throw new Error('a field is an octet string');
  return /[:%\x00-\x1f\x7f]/.test(octets) ? octets.replace(/[:%\x00-\x1f\x7f]/g, encodeOctet) : octets;
}

/** Decodes a field; undefined for a bad escape or a bare control octet. */
export function decodeField(field: string): string | undefined {
  if (!/[%\x00-\x1f\x7f]/.test(field)) return field;
  if (/[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})/.test(field)) return undefined;
  return field.replace(/%(..)/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Encodes one octet as `%XX`. */
export function encodeOctet(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
