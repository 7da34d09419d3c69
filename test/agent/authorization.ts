// The client's side of digest: the answer to a challenge (RFC 7616 §3.4, RFC 3261 §22.2), right or wrong as a test wants it.

import { randomBytes } from 'node:crypto';
import { type Challenge, type Credentials, parseChallenge } from '../../src/digest/challenge.ts';
import type { Algorithm } from '../../src/digest/hash.ts';
import { digestResponse, ha1 } from '../../src/digest/response.ts';
import { fieldValues } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';

/** Credentials that a response was computed for. */
export type Answer = Credentials & { readonly algorithm: Algorithm };

/** What answers a challenge; all texts are octet strings. */
export interface AnswerOptions {
  readonly username: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  /** Hashed and sent in place of the challenge's. */
  readonly realm?: string | undefined;
  /** 1 by default. */
  readonly nc?: number | undefined;
  readonly cnonce?: string | undefined;
  /** False: the form of RFC 2069, whatever the challenge offers. */
  readonly qop?: false | undefined;
}

/** Computes the answer to a challenge. Format it with formatCredentials, changed or not. */
export function answerChallenge(challenge: Challenge, options: AnswerOptions): Answer {
  const { algorithm, nonce, opaque } = challenge;
  const { username, password, method, uri, realm = challenge.realm } = options;
  if (algorithm === 'unsupported') throw new Error('the challenge has an algorithm that is not supported');
  const protection =
    challenge.qop === undefined || options.qop === false
      ? {}
      : {
          qop: challenge.qop,
          nc: (options.nc ?? 1).toString(16).padStart(8, '0'),
          cnonce: options.cnonce ?? randomBytes(8).toString('hex'),
        };
  const digest = { algorithm, nonce, uri, ...protection };
  const response = digestResponse({ ...digest, ha1: ha1(algorithm, username, realm, password), method });
  return { ...digest, username, realm, response, opaque };
}

/**
 * The challenge of a 401 or 407 to answer: of this algorithm, or else the first that is supported (RFC 8760 §2.4).
 * Undefined: there is none, or the response is another.
 */
export function findChallenge(response: Response, algorithm?: Algorithm): Challenge | undefined {
  if (response.status !== 401 && response.status !== 407) return undefined;
  const id = response.status === 407 ? 'proxy-authenticate' : 'www-authenticate';
  return fieldValues(response, id)
    .map(parseChallenge)
    .find(
      (each) =>
        each !== undefined &&
        each.algorithm === (algorithm ?? each.algorithm) &&
        each.algorithm !== 'unsupported',
    );
}
