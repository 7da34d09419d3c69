// The Digest forms of WWW-Authenticate, Authorization and their Proxy- forms, and Authentication-Info (RFC 3261 §20.44,
// §20.7, §20.6; RFC 7616 §3.3 to §3.5): text ⇄ values, all octet strings. Pure.

import { parseAuthParams } from '../message/auth-params.ts';
import { quote } from '../message/quoted-string.ts';
import type { Algorithm } from './hash.ts';

/** What a server asks for. */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm | 'unsupported';
  /** The nonce was too old, the password may well be right. */
  readonly stale: boolean;
  /** Absent: the server knows RFC 2069 only. */
  readonly qop?: 'auth' | undefined;
  readonly opaque?: string | undefined;
}

/** What a client answers to a challenge. */
export interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hex. */
  readonly response: string;
  readonly algorithm: Algorithm | 'unsupported';
  /** With `auth`, nc and cnonce are there. Absent: the form of RFC 2069. */
  readonly qop?: 'auth' | undefined;
  /** Eight hex digits as sent, as they are hashed. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  readonly opaque?: string | undefined;
}

/** What a server tells after a success. */
export interface AuthenticationInfo {
  readonly rspauth: string;
  readonly qop?: 'auth' | undefined;
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  readonly nextnonce?: string | undefined;
}

/** No parameter of credentials is longer: they are hashed, logged and sent back. */
const maxParameterLength = 1024;

const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['md5', 'MD5'],
  ['sha-256', 'SHA-256'],
  ['sha-512-256', 'SHA-512-256'],
]);

/** Formats the value of WWW-Authenticate or Proxy-Authenticate. */
export function formatChallenge(challenge: {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly stale: boolean;
  readonly qop?: 'auth' | undefined;
  readonly opaque?: string | undefined;
  /** Hashed usernames are not offered: the username names the file to look at. */
  readonly userhash?: never;
}): string {
  let text = `Digest realm=${quote(challenge.realm)}, nonce=${quote(challenge.nonce)}`;
  if (challenge.opaque !== undefined) text += `, opaque=${quote(challenge.opaque)}`;
  if (challenge.stale) text += ', stale=true';
  text += `, algorithm=${challenge.algorithm}`;
  if (challenge.qop !== undefined) text += `, qop="${challenge.qop}"`;
  return text;
}

/** Parses the value of WWW-Authenticate or Proxy-Authenticate. Undefined: not Digest, malformed, or qop without auth. */
export function parseChallenge(value: string): Challenge | undefined {
  const parsed = parseAuthParams(value);
  if (parsed?.scheme !== 'digest') return undefined;
  const { params } = parsed;
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (realm === undefined || nonce === undefined || !areTame(params)) return undefined;
  const qop = params.get('qop');
  if (qop !== undefined && !qop.split(',').some((token) => token.trim().toLowerCase() === 'auth'))
    return undefined;
  return {
    realm,
    nonce,
    algorithm: algorithmOf(params.get('algorithm')),
    stale: params.get('stale')?.toLowerCase() === 'true',
    qop: qop === undefined ? undefined : 'auth',
    opaque: params.get('opaque'),
  };
}

/** Formats the value of Authorization or Proxy-Authorization. */
export function formatCredentials(credentials: Credentials & { readonly algorithm: Algorithm }): string {
  const { username, realm, nonce, uri, response, algorithm, qop, nc, cnonce, opaque } = credentials;
  let text = `Digest username=${quote(username)}, realm=${quote(realm)}, nonce=${quote(nonce)}, uri=${quote(uri)}`;
  text += `, response="${response}", algorithm=${algorithm}`;
  if (cnonce !== undefined) text += `, cnonce=${quote(cnonce)}`;
  if (qop !== undefined) text += `, qop=${qop}`;
  if (nc !== undefined) text += `, nc=${nc}`;
  if (opaque !== undefined) text += `, opaque=${quote(opaque)}`;
  return text;
}

/** Says whether the value of an Authorization header field is of the Digest scheme, well-formed or not. */
export function isDigest(value: string): boolean {
  return /^digest(?:[ \t\r\n]|$)/i.test(value);
}

/**
 * Says whether a value that cannot be parsed was meant as an answer to a challenge of `realm`. One of another realm was
 * not, nor the empty response by which an IMS phone says who it is before it is asked (3GPP TS 24.229 §5.1.1.2).
 */
export function isAnswerFor(value: string, realm: string): boolean {
  const params = parseAuthParams(value)?.params;
  if (params === undefined) return true;
  return (params.get('realm') ?? realm) === realm && params.get('response') !== '';
}

/**
 * Parses the value of Authorization or Proxy-Authorization. Undefined: not Digest, a parameter missing or malformed,
 * longer than 1,024 octets or with control characters, or a qop that is never offered.
 */
export function parseCredentials(value: string): Credentials | undefined {
  const parsed = parseAuthParams(value);
  if (parsed?.scheme !== 'digest') return undefined;
  const { params } = parsed;
  const username = params.get('username');
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  const uri = params.get('uri');
  const response = params.get('response')?.toLowerCase();
  if (!username || realm === undefined || !nonce || !uri || !response || !areTame(params)) return undefined;

  const algorithm = algorithmOf(params.get('algorithm'));
  if (!isHex(response)) return undefined;
  if (algorithm !== 'unsupported' && response.length !== (algorithm === 'MD5' ? 32 : 64)) return undefined;

  const opaque = params.get('opaque');
  const qop = params.get('qop');
  if (qop === undefined) return { username, realm, nonce, uri, response, algorithm, opaque };

  const nc = params.get('nc');
  const cnonce = params.get('cnonce');
  if (qop !== 'auth' && qop.toLowerCase() !== 'auth') return undefined;
  if (nc?.length !== 8 || !isHex(nc) || cnonce === undefined) return undefined;
  return { username, realm, nonce, uri, response, algorithm, qop: 'auth', nc, cnonce, opaque };
}

/** Formats the value of Authentication-Info. */
export function formatAuthenticationInfo(info: AuthenticationInfo): string {
  let text = info.nextnonce === undefined ? '' : `nextnonce=${quote(info.nextnonce)}, `;
  if (info.qop !== undefined) text += `qop=${info.qop}, `;
  text += `rspauth="${info.rspauth}"`;
  if (info.cnonce !== undefined) text += `, cnonce=${quote(info.cnonce)}`;
  if (info.nc !== undefined) text += `, nc=${info.nc}`;
  return text;
}

/** Parses the value of Authentication-Info. Undefined: malformed or without rspauth. */
export function parseAuthenticationInfo(value: string): AuthenticationInfo | undefined {
  const params = parseAuthParams(`Digest ${value}`)?.params;
  const rspauth = params?.get('rspauth');
  if (params === undefined || rspauth === undefined || !areTame(params)) return undefined;
  return {
    rspauth,
    qop: params.get('qop')?.toLowerCase() === 'auth' ? 'auth' : undefined,
    nc: params.get('nc'),
    cnonce: params.get('cnonce'),
    nextnonce: params.get('nextnonce'),
  };
}

function algorithmOf(token: string | undefined): Algorithm | 'unsupported' {
  if (token === undefined || token === 'MD5') return 'MD5';
  return algorithms.get(token.toLowerCase()) ?? 'unsupported';
}

function isHex(text: string): boolean {
  return /^[0-9A-Fa-f]+$/.test(text);
}

/** No parameter too long, none with control characters, which an escape may bring in. */
function areTame(params: ReadonlyMap<string, string>): boolean {
  for (const value of params.values()) {
    if (value.length > maxParameterLength || /[\x00-\x1f\x7f]/.test(value)) return false;
  }
  return true;
}
