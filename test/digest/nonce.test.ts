// Nonces (RFC 7616 §5.4): good once issued, stale when old, of another start or another's, forged when touched anywhere.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkNonce, createNonce, nonceKey, nonceOrdinal, nonceTimeMs } from '../../src/digest/nonce.ts';

const secret = Buffer.from('a secret of the server, 32 octets');
const key = nonceKey(secret);
const now = Date.UTC(2026, 10, 22, 10);
const lifetimeMs = 300_000;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('createNonce', () => {
  test('makes 48 URL-safe characters that tell their time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.ipV6(), (time, address) => {
        const nonce = createNonce(key, time, address);
        expect(nonce).toMatch(/^[A-Za-z0-9_-]{48}$/);
        expect(nonceTimeMs(nonce)).toBe(time);
        expect(nonceOrdinal(key, nonce)).toBe(key.made);
      }),
    );
  });

  test('makes no nonce twice within one millisecond', () => {
    const nonces = new Set(Array.from({ length: 10_000 }, () => createNonce(key, now, '192.0.2.1')));
    expect(nonces.size).toBe(10_000);
  });

  test('carries the number over at its end', () => {
    const last = { ...nonceKey(secret), start: 2 ** 48 - 3 };
    for (const ordinal of [1, 2, 3, 4, 5]) {
      const made = createNonce(last, now, '192.0.2.1');
      expect(nonceOrdinal(last, made)).toBe(ordinal);
      expect(checkNonce(last, made, now, '192.0.2.1', lifetimeMs)).toBe('good');
    }
  });
});

describe('checkNonce', () => {
  const nonce = createNonce(key, now, '192.0.2.1');

  test('finds its own nonce good until its lifetime is over', () => {
    expect(checkNonce(key, nonce, now, '192.0.2.1', lifetimeMs)).toBe('good');
    expect(checkNonce(key, nonce, now + 300_000, '192.0.2.1', lifetimeMs)).toBe('good');
    expect(checkNonce(key, nonce, now + 300_001, '192.0.2.1', lifetimeMs)).toBe('stale');
  });

  test('finds stale the nonce of another start with the same key, and forged that of another key', () => {
    expect(checkNonce(nonceKey(secret), nonce, now, '192.0.2.1', lifetimeMs)).toBe('stale');
    expect(checkNonce(nonceKey(Buffer.from('another')), nonce, now, '192.0.2.1', lifetimeMs)).toBe('forged');
  });

  test('knows the nonces of its own start by their numbers, whatever the clock does', () => {
    const own = { ...nonceKey(secret), start: 1000 };
    const first = createNonce(own, now, '192.0.2.1');
    const before = createNonce({ ...own, start: 998, made: 1 }, now, '192.0.2.1');
    const behind = createNonce({ ...own, made: 5 }, now, '192.0.2.1');
    expect(checkNonce(own, first, now, '192.0.2.1', lifetimeMs)).toBe('good');
    expect(checkNonce(own, before, now, '192.0.2.1', lifetimeMs)).toBe('stale');
    expect(checkNonce(own, behind, now, '192.0.2.1', lifetimeMs)).toBe('stale');
    // Set back by an hour: the nonces made from then on are good at once.
    const set = now - 3_600_000;
    expect(checkNonce(own, createNonce(own, set, '192.0.2.1'), set, '192.0.2.1', lifetimeMs)).toBe('good');
  });

  test('finds stale what is from the future or for another address', () => {
    expect(checkNonce(key, nonce, now - 1, '192.0.2.1', lifetimeMs)).toBe('stale');
    expect(checkNonce(key, nonce, now, '192.0.2.10', lifetimeMs)).toBe('stale');
    expect(checkNonce(key, nonce, now, '', lifetimeMs)).toBe('stale');
  });

  test('finds forged every nonce with one character changed, added or missing', () => {
    for (let i = 0; i < nonce.length; i += 1) {
      const original = nonce.charAt(i);
      for (const other of [
        ...alphabet,
        '+',
        '/',
        '=',
        ' ',
        '\0',
        '\xff',
        String.fromCharCode(original.charCodeAt(0) ^ 0x80),
      ]) {
        if (other === original) continue;
        const touched = nonce.slice(0, i) + other + nonce.slice(i + 1);
        expect(checkNonce(key, touched, now, '192.0.2.1', lifetimeMs)).toBe('forged');
      }
      expect(checkNonce(key, nonce.slice(0, i) + nonce.slice(i + 1), now, '192.0.2.1', lifetimeMs)).toBe(
        'forged',
      );
    }
    for (const touched of [`${nonce}=`, `${nonce}A`, ` ${nonce}`, nonce + nonce, ''])
      expect(checkNonce(key, touched, now, '192.0.2.1', lifetimeMs)).toBe('forged');
  });

  test('does not let the address of one nonce be put into another', () => {
    const other = createNonce(key, now, '192.0.2.2');
    const spliced = nonce.slice(0, 16) + other.slice(16, 27) + nonce.slice(27);
    expect(checkNonce(key, spliced, now, '192.0.2.2', lifetimeMs)).toBe('forged');
    expect(checkNonce(key, other.slice(0, 16) + nonce.slice(16), now, '192.0.2.1', lifetimeMs)).toBe(
      'forged',
    );
  });

  test('is good for its address and no other, however many addresses came between', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { minLength: 2, maxLength: 20 }), (addresses) => {
        const nonces = addresses.map((address) => createNonce(key, now, address));
        for (const [i, made] of nonces.entries()) {
          for (const [j, address] of addresses.entries()) {
            const expected = addresses[i] === address ? 'good' : 'stale';
            expect(checkNonce(key, made, now, address, lifetimeMs), `${i} ${j}`).toBe(expected);
          }
        }
      }),
    );
    for (let i = 0; i < 5000; i += 1) createNonce(key, now, `10.0.${i >> 8}.${i & 255}`);
    expect(key.tags.size).toBeLessThanOrEqual(1024);
    expect(checkNonce(key, nonce, now, '192.0.2.1', lifetimeMs)).toBe('good');
  });

  test('never throws, and finds no random octets good', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 46, maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
        (octets) => {
          expect(checkNonce(key, octets, now, '192.0.2.1', lifetimeMs)).toBe('forged');
        },
      ),
    );
  });
});
