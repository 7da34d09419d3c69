// Who sends this request: auth_db's www_authenticate and proxy_authenticate over RFC 7616 and RFC 8760 (DESIGN §4.2).
// Decides what is asked of the store and what its answer means; does no I/O.

import {
  type Credentials,
  formatAuthenticationInfo,
  formatChallenge,
  isAnswerFor,
  parseCredentials,
} from '../digest/challenge.ts';
import type { Algorithm } from '../digest/hash.ts';
import { checkNonce, createNonce, type NonceKey, nonceOrdinal } from '../digest/nonce.ts';
import type { NonceCounts } from '../digest/nonce-counts.ts';
import { fieldValues } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { bareHost, parseUri } from '../message/uri.ts';
import type { Answer, DigestFields } from '../store/store.ts';
import { type Rejection, reject, rejectForNow } from './rejection.ts';

/** Where credentials stand and how they are asked for: REGISTER is `www`, the rest `proxy` (RFC 3261 §22). */
export type Scheme = 'www' | 'proxy';

const SCHEMES = {
  www: {
    status: 401,
    credentials: 'authorization',
    challenge: 'WWW-Authenticate',
    info: 'Authentication-Info',
  },
  proxy: {
    status: 407,
    credentials: 'proxy-authorization',
    challenge: 'Proxy-Authenticate',
    info: 'Proxy-Authentication-Info',
  },
} as const;

/** What authentication needs to know and to keep. */
export interface Authenticator {
  readonly realm: string;
  readonly algorithms: readonly Algorithm[];
  readonly nonceLifetimeMs: number;
  /** Nonces of another start are stale: their counts are forgotten. */
  readonly key: NonceKey;
  readonly counts: NonceCounts;
  readonly isLocal: (host: string) => boolean;
}

/** Credentials that carry a nonce of ours and may be asked of the store. */
export interface Presented {
  readonly type: 'presented';
  /** The account asked for. */
  readonly user: string;
  readonly digest: DigestFields;
  readonly scheme: Scheme;
}

/** A user who proved who he is. */
export interface Authenticated {
  readonly type: 'authenticated';
  readonly user: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The Authentication-Info field for the final answer; undefined without qop. */
  readonly info: HeaderField | undefined;
}

/** Reads the credentials of a request: presented, or the challenge or refusal to answer with. No home is touched. */
export function readCredentials(
  authenticator: Authenticator,
  request: Request,
  scheme: Scheme,
  sourceAddress: string,
  nowMs: number,
  did: string,
): Presented | Rejection {
  const fields = fieldValues(request, SCHEMES[scheme].credentials);
  const ask = (stale: boolean, why: string) =>
    challenge(authenticator, scheme, sourceAddress, nowMs, stale, why);
  if (fields.length === 0) return ask(false, 'no credentials');
  const credentials = forRealm(fields, authenticator.realm);
  if (credentials === 'unreadable')
    return reject(400, 'unreadable credentials', { reason: 'Bad Credentials' });
  if (credentials === undefined) return ask(false, 'no credentials for this realm');
  const { algorithm } = credentials;
  if (algorithm === 'unsupported' || !authenticator.algorithms.includes(algorithm))
    return ask(false, 'algorithm not offered');
  const { key, nonceLifetimeMs } = authenticator;
  const state = checkNonce(key, credentials.nonce, nowMs, sourceAddress, nonceLifetimeMs);
  if (state === 'forged') return ask(false, 'nonce is not ours');
  if (state === 'stale') return ask(true, 'stale nonce');
  if (!namesUs(credentials.uri, request, authenticator))
    return reject(400, `digest uri ${credentials.uri}`, { reason: 'Bad Digest URI' });
  const [user, domain] = splitUsername(credentials.username);
  return {
    type: 'presented',
    // A domain that is not ours is nobody's: the empty name never is an account.
    user: domain !== undefined && !authenticator.isLocal(domain) ? '' : user,
    digest: digestFields(credentials, algorithm, request.method, did),
    scheme,
  };
}

/** What the store's answer to `verify` means. A nonce-count that was spent before is stale, never a second yes. */
export function judge(
  authenticator: Authenticator,
  presented: Presented,
  answer: Answer,
  isFresh: boolean,
  sourceAddress: string,
  nowMs: number,
): Authenticated | Rejection {
  const { digest, scheme, user } = presented;
  if (isFresh) settleCount(authenticator, digest, answer.type === 'yes');
  if (answer.type === 'failed') return rejectForNow(answer.why);
  if (answer.type !== 'yes') {
    const why = answer.type === 'no' ? answer.why : `store answered ${answer.type}`;
    return challenge(authenticator, scheme, sourceAddress, nowMs, false, why);
  }
  if (!isFresh) return challenge(authenticator, scheme, sourceAddress, nowMs, true, 'nonce-count used');
  return {
    type: 'authenticated',
    user,
    attributes: answer.attributes,
    info: authenticationInfo(digest, scheme, answer),
  };
}

/**
 * Holds the nonce-count, before anything is asked of the store: of two requests with one count at most one is acted on,
 * whatever the digest does not cover (the contact!) they say. False: it was used, or another request has it. `judge`
 * ends the hold.
 */
export function reserveCount({ key, counts }: Authenticator, { digest }: Presented): boolean {
  return counts.reserve(nonceOrdinal(key, digest.nonce), countOf(digest));
}

/** Ends the hold of a request that the store did not answer. */
export function releaseCount(authenticator: Authenticator, { digest }: Presented): void {
  settleCount(authenticator, digest, false);
}

function settleCount({ key, counts }: Authenticator, digest: DigestFields, isRight: boolean): void {
  counts.settle(nonceOrdinal(key, digest.nonce), countOf(digest), isRight);
}

/** The nonce-count; undefined without qop. */
function countOf({ qop, nc }: DigestFields): number | undefined {
  return qop === undefined ? undefined : Number.parseInt(nc as string, 16);
}

function authenticationInfo(
  digest: DigestFields,
  scheme: Scheme,
  answer: Answer & { type: 'yes' },
): HeaderField | undefined {
  if (digest.qop === undefined || digest.nc === undefined || digest.cnonce === undefined) return undefined;
  return createField(
    SCHEMES[scheme].info,
    formatAuthenticationInfo({
      rspauth: answer.rspauth,
      qop: digest.qop,
      nc: digest.nc,
      cnonce: digest.cnonce,
    }),
  );
}

function challenge(
  authenticator: Authenticator,
  scheme: Scheme,
  sourceAddress: string,
  nowMs: number,
  stale: boolean,
  why: string,
): Rejection {
  const nonce = createNonce(authenticator.key, nowMs, sourceAddress);
  const fields = authenticator.algorithms.map((algorithm) =>
    createField(
      SCHEMES[scheme].challenge,
      formatChallenge({ realm: authenticator.realm, nonce, algorithm, stale, qop: 'auth' }),
    ),
  );
  return reject(SCHEMES[scheme].status, why, { fields });
}

function forRealm(fields: readonly string[], realm: string): Credentials | 'unreadable' | undefined {
  let unreadable = false;
  for (const value of fields) {
    if (!/^digest[ \t\r]/i.test(value)) continue;
    const credentials = parseCredentials(value);
    if (credentials === undefined) unreadable ||= isAnswerFor(value, realm);
    else if (credentials.realm === realm) return credentials;
  }
  return unreadable ? 'unreadable' : undefined;
}

/** The digest `uri` may name us or what the request names; it is hashed as sent. */
function namesUs(text: string, request: Request, authenticator: Authenticator): boolean {
  if (text === request.requestUri) return true;
  const uri = parseUri(text);
  if (uri === undefined) return isLocalAddress(text, authenticator);
  if (uri.type !== 'sip' && uri.type !== 'sips') return false;
  if (authenticator.isLocal(bareHost(uri.host))) return true;
  const target = parseUri(request.requestUri);
  return target !== undefined && 'host' in target && target.host === uri.host;
}

/** sipp writes an IPv6 address without brackets: `sip:::1:5060`. */
function isLocalAddress(text: string, authenticator: Authenticator): boolean {
  const address = /^sip:([0-9a-f:.]+):\d+$/i.exec(text)?.[1];
  return address !== undefined && authenticator.isLocal(address);
}

function splitUsername(username: string): [string, string | undefined] {
  const at = username.indexOf('@');
  if (at < 0) return [copyOf(username), undefined];
  return [copyOf(username.slice(0, at)), username.slice(at + 1)];
}

/** The text of a name that caches will hold: a slice would keep the whole message it was cut from alive. */
function copyOf(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

function digestFields(
  { username, realm, nonce, uri, response, qop, nc, cnonce }: Credentials,
  algorithm: Algorithm,
  method: string,
  did: string,
): DigestFields {
  return { algorithm, username, realm, nonce, uri, response, qop, nc, cnonce, method, did };
}
