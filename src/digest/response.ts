// HA1, the request digest and the response digest (RFC 7616 §3.4, §3.5; RFC 2617 §3.2.2; RFC 3261 §22.4). Pure.

import { timingSafeEqual } from 'node:crypto';
import { type Algorithm, hash } from './hash.ts';

/** What a digest is computed from; all octet strings as they were sent, quotes and escapes taken off. */
export interface DigestInput {
  readonly algorithm: Algorithm;
  /** H(username:realm:password), lower-case hex. */
  readonly ha1: string;
  readonly nonce: string;
  readonly uri: string;
  /** Absent: the form of RFC 2069, without nc and cnonce. */
  readonly qop?: 'auth' | undefined;
  /** Eight hex digits. Needed with qop. */
  readonly nc?: string | undefined;
  /** Needed with qop. */
  readonly cnonce?: string | undefined;
}

/** HA1 for a bare username: H(username:realm:password). */
export function ha1(algorithm: Algorithm, username: string, realm: string, password: string): string {
  return hash(algorithm, `${username}:${realm}:${password}`);
}

/** HA1 for phones that send user@domain as their username: H(username@domain:realm:password). */
export function ha1b(
  algorithm: Algorithm,
  username: string,
  domain: string,
  realm: string,
  password: string,
): string {
  return hash(algorithm, `${username}@${domain}:${realm}:${password}`);
}

/** The `response` of credentials (RFC 7616 §3.4.1). */
export function digestResponse(input: DigestInput & { readonly method: string }): string {
  return keyedDigest(input, `${input.method}:${input.uri}`);
}

/** The `rspauth` of Authentication-Info (RFC 7616 §3.5): A2 has no method. */
export function rspauth(input: DigestInput): string {
  return keyedDigest(input, `:${input.uri}`);
}

function keyedDigest(input: DigestInput, a2: string): string {
  const ha2 = hash(input.algorithm, a2);
  if (input.qop === undefined) return hash(input.algorithm, `${input.ha1}:${input.nonce}:${ha2}`);
  return hash(
    input.algorithm,
    `${input.ha1}:${input.nonce}:${input.nc ?? ''}:${input.cnonce ?? ''}:${input.qop}:${ha2}`,
  );
}

/** Compares two octet strings in a time that depends on their lengths only. */
export function equalText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}
