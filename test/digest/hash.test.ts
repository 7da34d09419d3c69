// RFC 1321 §A.5, FIPS 180-4 and RFC 4231 vectors; octets above 127.

import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Algorithm, hash, hmac, hmacKey } from '../../src/digest/hash.ts';

const octetString = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const algorithms = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

describe('hash', () => {
  test.each([
    ['MD5', '', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['MD5', 'message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['SHA-256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['SHA-512-256', 'abc', '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23'],
  ] as const)('%s of %j', (algorithm, octets, expected) => {
    expect(hash(algorithm, octets)).toBe(expected);
  });

  test('hashes characters above 127 as single octets', () => {
    fc.assert(
      fc.property(
        octetString,
        fc.constantFrom(...(Object.keys(algorithms) as Algorithm[])),
        (octets, algorithm) => {
          const expected = createHash(algorithms[algorithm])
            .update(Buffer.from(octets, 'latin1'))
            .digest('hex');
          expect(hash(algorithm, octets)).toBe(expected);
        },
      ),
    );
  });
});

describe('hmac', () => {
  test('is HMAC-SHA-256 (RFC 4231 §4.2, §4.3, §4.7)', () => {
    expect(hmac(Buffer.alloc(20, 0x0b), 'Hi There')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
    expect(hmac(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    expect(hmac(Buffer.alloc(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First')).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    );
  });

  test.each([0, 63, 64, 65, 127, 128, 129])('agrees with createHmac for a key of %i octets', (length) => {
    const key = Buffer.alloc(length, 'key');
    expect(hmac(key, 'text')).toBe(createHmac('sha256', key).update('text').digest('hex'));
  });

  test('agrees with createHmac for every key and text, one key used for many texts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 150 }),
        fc.array(octetString, { maxLength: 5 }),
        (bytes, texts) => {
          const key = hmacKey(Buffer.from(bytes));
          for (const text of texts) {
            const expected = createHmac('sha256', bytes).update(Buffer.from(text, 'latin1'));
            const digest = expected.digest();
            expect(hmac(key, text)).toBe(digest.toString('hex'));
            expect(hmac(key, text, 'base64url')).toBe(digest.toString('base64url'));
          }
        },
      ),
    );
  });
});
