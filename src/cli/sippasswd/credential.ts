// A password becomes a line of ~/.sr/passwd, and is compared with one. Pure but for SSHA's salt.

import { randomBytes } from 'node:crypto';
import type { Algorithm } from '../../digest/hash.ts';
import { equalText, ha1, ha1b } from '../../digest/response.ts';
import type { Credential } from '../../home/passwd.ts';
import { formatPassword, matchesPassword } from '../../home/password-form.ts';
import { toOctets } from '../../message/octets.ts';

/** What `--format` names. */
export type StoredFormat = 'ha1' | 'sha1' | 'plain';

/** Whose password it is and for what. Octet strings. */
export interface Key {
  readonly user: string;
  readonly realm: string;
  readonly did: string;
}

/** Hashes that another program made: MD5 at least. */
export interface Hashes {
  readonly ha1: Readonly<Partial<Record<Algorithm, string>>>;
  readonly ha1b?: string | undefined;
}

const saltBytes = 8;

/** Encodes a password as phones do: UTF-8 in Normalization Form C (RFC 7616 §4, RFC 8265 §4.2). */
export function passwordOctets(text: string): string {
  return toOctets(text.normalize('NFC'));
}

/** Makes the credential of a password; `today` is YYYY-MM-DD. */
export function credentialOfPassword(
  key: Key,
  octets: string,
  format: StoredFormat,
  today: string,
): Credential {
  const { user, realm } = key;
  return {
    ...credentialOfHashes(key, { ha1: {} }, today),
    password: storedPassword(format, octets),
    ha1: ha1('MD5', user, realm, octets),
    ha1b: ha1b('MD5', user, realm, realm, octets),
    ha1Sha256: ha1('SHA-256', user, realm, octets),
    ha1bSha256: ha1b('SHA-256', user, realm, realm, octets),
    ha1Sha512_256: ha1('SHA-512-256', user, realm, octets),
    ha1bSha512_256: ha1b('SHA-512-256', user, realm, realm, octets),
  };
}

/** Makes the credential of hashes that were made elsewhere; what they lack stays empty. */
export function credentialOfHashes(key: Key, hashes: Hashes, today: string): Credential {
  return {
    authUsername: key.user,
    realm: key.realm,
    did: key.did,
    uid: key.user,
    flags: 's',
    password: '',
    ha1: hashes.ha1.MD5 ?? '',
    ha1b: hashes.ha1b ?? '',
    ha1Sha256: hashes.ha1['SHA-256'] ?? '',
    ha1bSha256: '',
    ha1Sha512_256: hashes.ha1['SHA-512-256'] ?? '',
    ha1bSha512_256: '',
    changed: today,
    extra: [],
    line: 0,
  };
}

/** Says whether a credential is of this password, by any of the forms it has: its owner may have edited one of them. */
export function isPasswordOf(credential: Credential, octets: string): boolean {
  const { authUsername, realm } = credential;
  const matches = hashesOf(credential).some(({ algorithm, hash }) =>
    equalText(ha1(algorithm, authUsername, realm, octets), hash),
  );
  return matches || matchesPassword(credential.password, octets);
}

/** The algorithms a credential has hashes for. */
export function algorithmsOf(credential: Credential): Algorithm[] {
  return hashesOf(credential).map(({ algorithm }) => algorithm);
}

function hashesOf(credential: Credential): { algorithm: Algorithm; hash: string }[] {
  return [
    { algorithm: 'MD5' as const, hash: credential.ha1 },
    { algorithm: 'SHA-256' as const, hash: credential.ha1Sha256 },
    { algorithm: 'SHA-512-256' as const, hash: credential.ha1Sha512_256 },
  ].filter(({ hash: stored }) => stored !== '');
}

function storedPassword(format: StoredFormat, octets: string): string {
  if (format === 'plain') return formatPassword('PLAIN', octets);
  if (format === 'sha1') return formatPassword('SSHA', octets, randomBytes(saltBytes).toString('latin1'));
  return '';
}
