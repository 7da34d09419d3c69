// auth_db's check of one digest against an account's credentials (RFC 7616 §3.4, RFC 8760). Pure; HA1s stay in here.

import type { Algorithm } from '../digest/hash.ts';
import {
  ha1 as computeHa1,
  ha1b as computeHa1b,
  digestResponse,
  equalText,
  rspauth,
} from '../digest/response.ts';
import type { Credential } from '../home/passwd.ts';
import { isEnabled } from '../home/passwd.ts';
import { plainPassword } from '../home/password-form.ts';
import type { Answer, DigestFields } from './store.ts';

/** How `credentials` are looked at: keywords CalculateHa1, UseDid and LoadCredentials. */
export interface VerifyRules {
  readonly calculateHa1: boolean;
  readonly useDid: boolean;
  readonly loadCredentials: readonly string[];
}

/** Stands in for the credentials of nobody, so that nobody costs the same hashes as somebody. */
const NOBODY_HA1: Readonly<Record<Algorithm, string>> = {
  MD5: '0'.repeat(32),
  'SHA-256': '0'.repeat(64),
  'SHA-512-256': '0'.repeat(64),
};

/** The account asked for: the digest username without `@domain`. */
function accountOf(username: string): string {
  const at = username.indexOf('@');
  return at < 0 ? username : username.slice(0, at);
}

/** The credential that a digest proved to know, and the answer's rspauth. */
export interface Match {
  readonly type: 'match';
  readonly credential: Credential;
  readonly rspauth: string;
}

/** Answers yes with rspauth, or no; undefined `credentials` (no such account) take the same path to no. */
export function verifyDigest(
  credentials: readonly Credential[] | undefined,
  digest: DigestFields,
  rules: VerifyRules,
): Answer {
  const match = matchDigest(credentials, digest, rules);
  if (match.type === 'no') return match;
  const attributes = loadedAttributes(match.credential, rules.loadCredentials);
  return { type: 'yes', rspauth: match.rspauth, attributes };
}

/** The same, with the credential, for who has attributes elsewhere. */
export function matchDigest(
  credentials: readonly Credential[] | undefined,
  digest: DigestFields,
  rules: VerifyRules,
): Match | (Answer & { readonly type: 'no' }) {
  const candidates = (credentials ?? []).filter((credential) => isCandidate(credential, digest, rules));
  const credential = candidates.find(isEnabled);
  const known = credential === undefined ? undefined : storedHa1(credential, digest, rules);
  const { algorithm, nonce, uri, qop, nc, cnonce, method } = digest;
  const input = { algorithm, ha1: known ?? NOBODY_HA1[algorithm], nonce, uri, qop, nc, cnonce, method };
  const expected = digestResponse(input);
  const matches = equalText(expected, digest.response);
  if (credential === undefined) return { type: 'no', why: noCredential(credentials, candidates, digest) };
  if (known === undefined)
    return { type: 'no', why: `passwd has no ${digest.algorithm} hash for realm ${digest.realm}` };
  if (!matches) return { type: 'no', why: 'wrong password' };
  return { type: 'match', credential, rspauth: rspauth(input) };
}

function isCandidate(credential: Credential, digest: DigestFields, rules: VerifyRules): boolean {
  return (
    credential.realm === digest.realm &&
    credential.authUsername === accountOf(digest.username) &&
    (!rules.useDid || credential.did === digest.did)
  );
}

function noCredential(
  credentials: readonly Credential[] | undefined,
  candidates: readonly Credential[],
  digest: DigestFields,
): string {
  if (credentials === undefined) return 'no such user';
  if (candidates.length > 0) return 'credential disabled (flags)';
  const realms = [...new Set(credentials.map((credential) => credential.realm))];
  if (realms.length === 0) return 'no SIP password';
  return `passwd has hashes for realm ${realms.join(', ')} only, not for ${digest.realm}: run sippasswd again`;
}

function storedHa1(credential: Credential, digest: DigestFields, rules: VerifyRules): string | undefined {
  const { algorithm, username, realm } = digest;
  const at = username.indexOf('@');
  const plain = plainPassword(credential.password);
  if (rules.calculateHa1 && plain !== undefined) return computeHa1(algorithm, username, realm, plain);
  if (at < 0) {
    if (algorithm === 'MD5') return credential.ha1 || undefined;
    return (algorithm === 'SHA-256' ? credential.ha1Sha256 : credential.ha1Sha512_256) || undefined;
  }
  const domain = username.slice(at + 1);
  if (domain !== realm) {
    return plain === undefined
      ? undefined
      : computeHa1b(algorithm, username.slice(0, at), domain, realm, plain);
  }
  if (algorithm === 'MD5') return credential.ha1b || undefined;
  return (algorithm === 'SHA-256' ? credential.ha1bSha256 : credential.ha1bSha512_256) || undefined;
}

function loadedAttributes(credential: Credential, names: readonly string[]): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of names) {
    if (name === 'uid') attributes[name] = credential.uid;
    else if (name === 'did') attributes[name] = credential.did;
    else if (name === 'realm') attributes[name] = credential.realm;
    else if (name === 'auth_username') attributes[name] = credential.authUsername;
    else if (name === 'flags') attributes[name] = credential.flags;
  }
  return attributes;
}
