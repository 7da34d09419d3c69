// The client's side of digest: which challenge of a 401 or 407 to answer, and the answer (RFC 7616 §3.4, RFC 8760 §2.4,
// RFC 3261 §22). Pure: the cnonce comes in, the nonce count goes out.

import { type Challenge, formatCredentials, parseChallenge } from './challenge.ts';
import type { Algorithm } from './hash.ts';
import { digestResponse, ha1 } from './response.ts';

/** HA1s in hex; of an algorithm that is missing, or empty, none is known. */
export type KnownHashes = Readonly<Partial<Record<Algorithm, string>>>;

/** What a client is known by; octet strings. With hashes, challenges by other algorithms are not answered. */
export type ClientCredentials = {
  readonly username: string;
  /** The only one whose challenges are answered; undefined: any. */
  readonly realm?: string | undefined;
} & ({ readonly password: string } | { readonly hashes: KnownHashes });

/** The request that will carry the answer. */
export interface AnsweredRequest {
  readonly method: string;
  /** The Request-URI as sent. */
  readonly uri: string;
}

/** A nonce that was answered, and how many times (nc). */
export interface NonceUse {
  readonly nonce: string;
  readonly nc: number;
}

/** What a client knows of its earlier answers to this server. */
export interface AnswerState {
  /** The last answer; a nonce that comes again is counted on from it (RFC 7616 §3.4). */
  readonly last?: NonceUse | undefined;
  /**
   * The challenge came in response to an answer of ours that was made for the same request: only a stale nonce is
   * answered then, for the password was wrong (RFC 3261 §22.2). The caller limits how often.
   */
  readonly wasRefused?: boolean | undefined;
}

/** An answer. */
export interface ClientAnswer {
  /** The value of Authorization or Proxy-Authorization. */
  readonly value: string;
  /** The `last` of the next answer. */
  readonly use: NonceUse;
}

type Answerable = Challenge & { readonly algorithm: Algorithm };

const STRENGTH = { 'SHA-512-256': 3, 'SHA-256': 2, MD5: 1 } satisfies Record<Algorithm, number>;
const HIGHEST_COUNT = 0xffffffff;

/**
 * Answers one of the challenges, each the value of one header field: the strongest algorithm, the first of several as
 * strong. Undefined: none can be answered, be it for its realm, its algorithm, or qop without auth, or the password was
 * refused. Departs from RFC 8760 §2.4, which takes the topmost: the order is not protected, and strength is our policy.
 * `cnonce` should be letters and digits: Kamailio hashes a quoted-string with its escapes.
 */
export function answerChallenges(
  challenges: readonly string[],
  credentials: ClientCredentials,
  request: AnsweredRequest,
  state: AnswerState,
  cnonce: string,
): ClientAnswer | undefined {
  const challenge = strongest(challenges, credentials);
  if (challenge === undefined || (state.wasRefused === true && !challenge.stale)) return undefined;
  const { realm, nonce, algorithm, qop, opaque } = challenge;
  const { username } = credentials;
  const use = { nonce, nc: state.last?.nonce === nonce ? state.last.nc + 1 : 1 };
  if (use.nc > HIGHEST_COUNT) return undefined;
  const protection = qop === undefined ? {} : { qop, nc: use.nc.toString(16).padStart(8, '0'), cnonce };
  const fields = { algorithm, nonce, uri: request.uri, ...protection };
  const hashed =
    'hashes' in credentials
      ? (credentials.hashes[algorithm] as string)
      : ha1(algorithm, username, realm, credentials.password);
  const response = digestResponse({ ...fields, ha1: hashed, method: request.method });
  return { value: formatCredentials({ ...fields, username, realm, response, opaque }), use };
}

function strongest(values: readonly string[], credentials: ClientCredentials): Answerable | undefined {
  const { realm } = credentials;
  let best: Answerable | undefined;
  for (const value of values) {
    const challenge = parseChallenge(value);
    if (challenge === undefined || !isAnswerable(challenge)) continue;
    if (realm !== undefined && challenge.realm !== realm) continue;
    if ('hashes' in credentials && !credentials.hashes[challenge.algorithm]) continue;
    if (best === undefined || STRENGTH[challenge.algorithm] > STRENGTH[best.algorithm]) best = challenge;
  }
  return best;
}

function isAnswerable(challenge: Challenge): challenge is Answerable {
  return challenge.algorithm !== 'unsupported';
}
