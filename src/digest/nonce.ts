// Stateless nonces (RFC 7616 §5.4): a nonce tells by itself when, by which start of the server and for which address it was
// made. Pure but for the count and the cache in the key.
//
// A nonce is 48 characters of the base64url alphabet:
//   16  the time it was made in ms and its number, 48 bits each
//   11  the tag of the source address: 66 bits of its HMAC
//   21  126 bits of the HMAC of the 27 characters before
// The last part tells ours from forged; the middle one, which it covers, tells whose.

import { randomInt } from 'node:crypto';
import { type HmacKey, hmac, hmacKey } from './hash.ts';
import { equalText } from './response.ts';

const stampLength = 16;
const tagLength = 11;
const macLength = 21;
const signedLength = stampLength + tagLength;
const nonceLength = signedLength + macLength;
const numberLimit = 2 ** 48;
const maxCachedAddresses = 1024;

/** The keys of nonces, and which of them this start of the server made: their numbers, which no clock can put back. */
export interface NonceKey {
  readonly mac: HmacKey;
  readonly address: HmacKey;
  /** The number before the first; at random, so that no two starts and no two servers of one key have the same. */
  readonly start: number;
  /** How many were made. */
  made: number;
  /** Tags of addresses seen lately. */
  readonly tags: Map<string, string>;
}

/** Prepares the server's key for the nonces of one start. */
export function nonceKey(key: Buffer): NonceKey {
  return {
    mac: hmacKey(Buffer.from(hmac(key, 'nonce'), 'hex')),
    address: hmacKey(Buffer.from(hmac(key, 'nonce address'), 'hex')),
    start: randomInt(numberLimit - 1),
    made: 0,
    tags: new Map(),
  };
}

const stamp = Buffer.alloc(12);
const values = new Uint8Array(128);
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
for (let value = 0; value < alphabet.length; value += 1) values[alphabet.charCodeAt(value)] = value;

/** Makes a nonce for a source address; no two are equal. */
export function createNonce(key: NonceKey, nowMs: number, sourceAddress: string): string {
  key.made += 1;
  stamp.writeUIntBE(nowMs, 0, 6);
  stamp.writeUIntBE((key.start + key.made) % numberLimit, 6, 6);
  const signed = stamp.toString('base64url') + addressTag(key, sourceAddress);
  return signed + mac(key, signed);
}

/**
 * Judges a nonce: `good`; `stale` for one of ours that has expired, is of another start of the server or from the future,
 * or was made for another address; `forged` for anything else.
 */
export function checkNonce(
  key: NonceKey,
  nonce: string,
  nowMs: number,
  sourceAddress: string,
  lifetimeMs: number,
): 'good' | 'stale' | 'forged' {
  if (nonce.length !== nonceLength) return 'forged';
  const signed = nonce.slice(0, signedLength);
  if (!equalText(mac(key, signed), nonce.slice(signedLength))) return 'forged';
  const createdMs = nonceTimeMs(nonce);
  if (nonceOrdinal(key, nonce) > key.made || createdMs > nowMs || nowMs - createdMs > lifetimeMs)
    return 'stale';
  return signed.endsWith(addressTag(key, sourceAddress)) ? 'good' : 'stale';
}

/** When a nonce was made, in ms; meaningless for one that `checkNonce` calls forged. */
export function nonceTimeMs(nonce: string): number {
  return number48(nonce, 0);
}

/** The how manieth of its start a nonce is, from 1. Meaningless for one that `checkNonce` calls forged, or of another start. */
export function nonceOrdinal(key: NonceKey, nonce: string): number {
  const ordinal = number48(nonce, stampLength / 2) - key.start;
  return ordinal > 0 ? ordinal : ordinal + numberLimit;
}

/** The 48 bits in eight characters of base64url. */
function number48(text: string, start: number): number {
  return sextets(text, start) * 2 ** 24 + sextets(text, start + 4);
}

function sextets(text: string, start: number): number {
  let bits = 0;
  for (let at = start; at < start + 4; at += 1)
    bits = (bits << 6) | (values[text.charCodeAt(at) & 0x7f] as number);
  return bits;
}

function addressTag(key: NonceKey, address: string): string {
  let tag = key.tags.get(address);
  if (tag === undefined) {
    tag = hmac(key.address, address, 'base64url').slice(0, tagLength);
    if (key.tags.size >= maxCachedAddresses) key.tags.clear();
    key.tags.set(address, tag);
  }
  return tag;
}

function mac(key: NonceKey, signed: string): string {
  return hmac(key.mac, signed, 'base64url').slice(0, macLength);
}
