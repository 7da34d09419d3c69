// MD5 where OpenSSL refuses it, as in FIPS mode. In a file of its own: a process that has used OpenSSL's MD5 keeps it.

import { hash as cryptoHash, setFips } from 'node:crypto';
import { expect, test } from 'vitest';

test('MD5 is computed without OpenSSL', async () => {
  setFips(true);
  try {
    expect(() => cryptoHash('md5', '')).toThrow();
    const { hash } = await import('../../src/digest/hash.ts');
    expect(hash('MD5', 'message digest')).toBe('f96b697d7cb7938d525a2f31aaf161d0');
    expect(hash('MD5', 'caf\xe9')).toBe('961f50f6282239d09e48f812c1ca7276');
  } finally {
    setFips(false);
  }
});
