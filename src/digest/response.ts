// HA1, the request digest and the response digest (RFC 7616 §3.4, §3.5; RFC 2617 §3.2.2; RFC 3261 §22.4). Pure.

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
  const ha2 = hashOfA2(input.algorithm, a2);
  if (input.qop === undefined) return hash(input.algorithm, `${input.ha1}:${input.nonce}:${ha2}`);
  return hash(
    input.algorithm,
    `${input.ha1}:${input.nonce}:${input.nc ?? ''}:${input.cnonce ?? ''}:${input.qop}:${ha2}`,
  );
}

/** A2 is no secret, and nearly the same for all requests to a server. */
const hashesOfA2 = new Map<string, string>();
const MOST_HASHES = 64;

function hashOfA2(algorithm: Algorithm, a2: string): string {
  const key = `${algorithm} ${a2}`;
  const known = hashesOfA2.get(key);
  if (known !== undefined) return known;
  const made = hash(algorithm, a2);
  if (hashesOfA2.size >= MOST_HASHES) hashesOfA2.clear();
  hashesOfA2.set(key, made);
  return made;
}

/** Compares two octet strings in a time that depends on their lengths only: every character of both is looked at. */
export function equalText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at += 1) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
