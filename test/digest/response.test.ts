// The vectors of RFC 2617 §3.5, RFC 2069 §2.4 and RFC 7616 §3.9; algorithms of RFC 8760 by way of the latter.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestResponse, equalText, ha1, ha1b, rspauth } from '../../src/digest/response.ts';
import { toOctets } from '../../src/message/octets.ts';

describe('digestResponse', () => {
  test('computes the example of RFC 2617 §3.5', () => {
    expect(ha1('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life')).toBe(
      '939e7578ed9e3c518a452acee763bce9',
    );
    const response = digestResponse({
      algorithm: 'MD5',
      ha1: '939e7578ed9e3c518a452acee763bce9',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a4f113b',
      method: 'GET',
    });
    expect(response).toBe('6629fae49393a05397450978507c4ef1');
  });

  test('computes the example of RFC 2069 §2.4 without qop (erratum 749)', () => {
    const response = digestResponse({
      algorithm: 'MD5',
      ha1: ha1('MD5', 'Mufasa', 'testrealm@host.com', 'CircleOfLife'),
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
      method: 'GET',
    });
    expect(response).toBe('1949323746fe6a43ef61f9606e7febea');
  });

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)('computes the example of RFC 7616 §3.9.1 with %s', (algorithm, expected) => {
    const response = digestResponse({
      algorithm,
      ha1: ha1(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life'),
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      method: 'GET',
    });
    expect(response).toBe(expected);
  });

  test('computes the example of RFC 7616 §3.9.2, whose printed response is wrong (erratum 4897)', () => {
    const response = digestResponse({
      algorithm: 'SHA-512-256',
      ha1: ha1('SHA-512-256', toOctets('Jäsøn Doe'), 'api@example.org', 'Secret, or not?'),
      nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
      uri: '/doe.json',
      qop: 'auth',
      nc: '00000001',
      cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
      method: 'GET',
    });
    expect(response).toBe('3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
  });

  test('hashes the user with his domain in HA1b', () => {
    expect(ha1b('SHA-256', 'jan', 'example.net', 'sip.example.org', 'secret')).toBe(
      createHash('sha256').update('jan@example.net:sip.example.org:secret').digest('hex'),
    );
  });
});

describe('rspauth', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const input = { algorithm: 'MD5', ha1: md5('a:b:c'), nonce: 'n', uri: 'sip:x' } as const;

  test('leaves the method out of A2 (RFC 7616 §3.5)', () => {
    expect(rspauth({ ...input, qop: 'auth', nc: '00000001', cnonce: 'c' })).toBe(
      md5(`${input.ha1}:n:00000001:c:auth:${md5(':sip:x')}`),
    );
    expect(rspauth(input)).toBe(md5(`${input.ha1}:n:${md5(':sip:x')}`));
  });
});

test('equalText is equality', () => {
  const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(octets, octets, (a, b) => {
      expect(equalText(a, b)).toBe(a === b);
      expect(equalText(a, `${a}`)).toBe(true);
      expect(equalText(`${a}x`, `${a}y`)).toBe(false);
    }),
  );
});
