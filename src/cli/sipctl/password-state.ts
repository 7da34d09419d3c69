// Whether an account's passwd answers the challenges of a server, by the rules the server verifies by. Pure.

import type { KnownHashes } from '../../digest/answer.ts';
import type { Algorithm } from '../../digest/hash.ts';
import { ha1 } from '../../digest/response.ts';
import { type Credential, isEnabled } from '../../home/passwd.ts';
import { plainPassword } from '../../home/password-form.ts';
import type { ServerSettings } from '../../store/server-settings.ts';

/** What a passwd is good for. */
export type PasswordState =
  | { readonly type: 'set'; readonly algorithms: readonly Algorithm[] }
  | { readonly type: 'none' }
  /** There are credentials, but for these realms only (octets). */
  | { readonly type: 'other-realm'; readonly realms: readonly string[] }
  /** With `UseDid yes`: there are credentials, but for these domain ids only (octets). */
  | { readonly type: 'other-did'; readonly dids: readonly string[] }
  | { readonly type: 'disabled'; readonly flags: string }
  /** Usable, but some of the algorithms offered have no hash. */
  | { readonly type: 'incomplete'; readonly missing: readonly Algorithm[] };

const defaultDid = '_default';

/** Judges credentials against a server's realm, algorithms and UseDid. */
export function passwordState(
  credentials: readonly Credential[],
  { realm, algorithms, verify }: Pick<ServerSettings, 'realm' | 'algorithms' | 'verify'>,
): PasswordState {
  if (credentials.length === 0) return { type: 'none' };
  const ofRealm = credentials.filter((credential) => credential.realm === realm);
  if (ofRealm.length === 0)
    return { type: 'other-realm', realms: unique(credentials.map((credential) => credential.realm)) };
  const candidates = candidatesOf(ofRealm, verify);
  const first = candidates[0];
  if (first === undefined) return { type: 'other-did', dids: unique(ofRealm.map(({ did }) => did)) };
  const credential = candidates.find(isEnabled);
  if (credential === undefined) return { type: 'disabled', flags: first.flags };
  const computed = verify.calculateHa1 && plainPassword(credential.password) !== undefined;
  const missing = algorithms.filter((algorithm) => !computed && hashOf(credential, algorithm) === '');
  return missing.length > 0 ? { type: 'incomplete', missing } : { type: 'set', algorithms };
}

/** The HA1s of the credential that counts, by which its owner can answer a challenge; empty where there is none. */
export function knownHashes(
  credentials: readonly Credential[],
  { realm, verify }: Pick<ServerSettings, 'realm' | 'verify'>,
): KnownHashes {
  const ofRealm = credentials.filter((credential) => credential.realm === realm);
  const credential = candidatesOf(ofRealm, verify).find(isEnabled);
  if (credential === undefined) return {};
  const plain = verify.calculateHa1 ? plainPassword(credential.password) : undefined;
  const known = (algorithm: Algorithm) =>
    plain === undefined
      ? hashOf(credential, algorithm)
      : ha1(algorithm, credential.authUsername, realm, plain);
  return { MD5: known('MD5'), 'SHA-256': known('SHA-256'), 'SHA-512-256': known('SHA-512-256') };
}

function candidatesOf(
  ofRealm: readonly Credential[],
  { useDid }: ServerSettings['verify'],
): readonly Credential[] {
  return useDid ? ofRealm.filter(({ did }) => did === defaultDid) : ofRealm;
}

function hashOf({ ha1, ha1Sha256, ha1Sha512_256 }: Credential, algorithm: Algorithm): string {
  if (algorithm === 'MD5') return ha1;
  return algorithm === 'SHA-256' ? ha1Sha256 : ha1Sha512_256;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
