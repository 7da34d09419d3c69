// SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, as PostgreSQL has it. Pure but for its nonce and salt.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What is kept of a password: it lets nobody in elsewhere. */
export interface ScramVerifier {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const ITERATIONS = 4096;

/** Makes the verifier of a password; PostgreSQL's form of it starts with SCRAM-SHA-256$. */
export function createVerifier(password: string, salt = randomBytes(16)): ScramVerifier {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, ITERATIONS, 32, 'sha256');
  const storedKey = sha256(hmac(salted, 'Client Key'));
  return { salt, iterations: ITERATIONS, storedKey, serverKey: hmac(salted, 'Server Key') };
}

/** One exchange. Each step answers what to send, or undefined: whoever it is does not know the password, or the protocol. */
export interface Scram {
  first(clientFirst: string): string | undefined;
  final(clientFinal: string): string | undefined;
}

/** Begins an exchange; without a verifier (nobody of that name) it goes on all the same, and fails. */
export function createScram(verifier: ScramVerifier | undefined): Scram {
  const known = verifier ?? createNobody();
  let bare = '';
  let serverFirst = '';
  let nonce = '';
  return {
    first(text) {
      // Without channel binding: "n" or, of who could have it and is offered none, "y".
      const match = /^[ny],(?:a=[^,]*)?,(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]{1,200}))(?:,.*)?$/s.exec(text);
      if (match === null) return undefined;
      bare = match[1] as string;
      nonce = `${match[2]}${randomBytes(18).toString('base64')}`;
      serverFirst = `r=${nonce},s=${known.salt.toString('base64')},i=${known.iterations}`;
      return serverFirst;
    },
    final(text) {
      const match = /^(c=(?:biws|eSws),r=([^,]+)),p=([A-Za-z0-9+/]{43}=)$/.exec(text);
      if (match === null || match[2] !== nonce || nonce === '') return undefined;
      const all = `${bare},${serverFirst},${match[1]}`;
      const signature = hmac(known.storedKey, all);
      const proof = Buffer.from(match[3] as string, 'base64');
      const clientKey = Buffer.from(proof.map((octet, index) => octet ^ (signature[index] as number)));
      const isRight = timingSafeEqual(sha256(clientKey), known.storedKey);
      if (!isRight || verifier === undefined) return undefined;
      return `v=${hmac(known.serverKey, all).toString('base64')}`;
    },
  };
}

function createNobody(): ScramVerifier {
  const random = () => randomBytes(32);
  return { salt: randomBytes(16), iterations: ITERATIONS, storedKey: random(), serverKey: random() };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(octets: Buffer): Buffer {
  return createHash('sha256').update(octets).digest();
}
