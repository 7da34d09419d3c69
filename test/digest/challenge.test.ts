// The header fields of RFC 3261 §22.4, §20.6 and RFC 7616 §3.3 to §3.5, there and back, and what is refused.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAuthenticationInfo,
  formatChallenge,
  formatCredentials,
  isDigest,
  parseAuthenticationInfo,
  parseChallenge,
  parseCredentials,
} from '../../src/digest/challenge.ts';

const response = '6629fae49393a05397450978507c4ef1';
const bob =
  'Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="sip:bob@biloxi.com", ' +
  `qop=auth, nc=00000001, cnonce="0a4f113b", response="${response}", opaque="5ccc069c403ebaf9f0171e9517f40e41"`;

/** Text a parameter may hold: octets but control characters. */
const text = fc
  .array(
    fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f),
    { minLength: 1, maxLength: 30 },
  )
  .map((codes) => String.fromCharCode(...codes));
const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((d) => d.join(''));
const algorithm = fc.constantFrom('MD5' as const, 'SHA-256' as const, 'SHA-512-256' as const);

describe('challenge', () => {
  test('is formatted as RFC 7616 §3.3 has it', () => {
    expect(
      formatChallenge({ realm: 'sip.example.org', nonce: 'n', algorithm: 'MD5', stale: false, qop: 'auth' }),
    ).toBe('Digest realm="sip.example.org", nonce="n", algorithm=MD5, qop="auth"');
    expect(
      formatChallenge({ realm: 'a"b\\', nonce: 'n', algorithm: 'SHA-256', stale: true, qop: 'auth' }),
    ).toBe('Digest realm="a\\"b\\\\", nonce="n", stale=true, algorithm=SHA-256, qop="auth"');
  });

  test('is parsed as other servers write it (RFC 3261 §20.44)', () => {
    expect(
      parseChallenge(
        'Digest realm="atlanta.com", domain="sip:ss1.carrier.com", qop="auth,auth-int", nonce="f84f", opaque="", stale=FALSE, algorithm=MD5',
      ),
    ).toEqual({
      realm: 'atlanta.com',
      nonce: 'f84f',
      algorithm: 'MD5',
      stale: false,
      qop: 'auth',
      opaque: '',
    });
    expect(parseChallenge('digest realm="r",nonce="n",stale=TRUE')).toMatchObject({
      stale: true,
      algorithm: 'MD5',
    });
    expect(parseChallenge('Digest realm="r", nonce="n", algorithm=SHA-512-256')).toMatchObject({
      algorithm: 'SHA-512-256',
      qop: undefined,
    });
    expect(parseChallenge('Digest realm="r", nonce="n", algorithm=MD5-sess')?.algorithm).toBe('unsupported');
  });

  test.each([
    'Basic realm="r"',
    'Digest realm="r"',
    'Digest nonce="n"',
    'Digest realm="r", nonce="n", qop="auth-int"',
    '',
  ])('is refused as %j', (value) => {
    expect(parseChallenge(value)).toBeUndefined();
  });

  test('comes back from its text', () => {
    fc.assert(
      fc.property(
        fc.record({
          realm: text,
          nonce: text,
          algorithm,
          stale: fc.boolean(),
          qop: fc.constantFrom('auth' as const, undefined),
          opaque: fc.option(text, { nil: undefined }),
        }),
        (challenge) => {
          expect(parseChallenge(formatChallenge(challenge))).toEqual(challenge);
        },
      ),
    );
  });
});

describe('credentials', () => {
  test('are parsed from the example of RFC 3261 §22.4', () => {
    expect(parseCredentials(bob)).toEqual({
      username: 'bob',
      realm: 'biloxi.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: 'sip:bob@biloxi.com',
      response,
      algorithm: 'MD5',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a4f113b',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
    });
  });

  test('are parsed as phones write them: other case, quoted tokens, upper-case digits', () => {
    const credentials = parseCredentials(
      `DIGEST USERNAME="u",realm="r",nonce="n",uri="sip:x",response="${response.toUpperCase()}",algorithm="md5",QOP="auth",nc=0000001A,cnonce=""`,
    );
    expect(credentials).toMatchObject({
      response,
      algorithm: 'MD5',
      qop: 'auth',
      nc: '0000001A',
      cnonce: '',
    });
  });

  test('without qop are the form of RFC 2069, whatever nc and cnonce say', () => {
    const credentials = parseCredentials(bob.replace(' qop=auth,', ''));
    expect(credentials).toMatchObject({ username: 'bob', opaque: '5ccc069c403ebaf9f0171e9517f40e41' });
    expect(credentials?.qop).toBeUndefined();
    expect(credentials?.nc).toBeUndefined();
  });

  test.each(['MD5-sess', 'SHA-256-sess', 'SHA-512-256-sess', 'AKAv1-MD5', '__proto__', 'constructor'])(
    'with algorithm %s are unsupported',
    (token) => {
      expect(parseCredentials(`${bob}, algorithm=${token}`)?.algorithm).toBe('unsupported');
    },
  );

  test.each([
    ['another scheme', bob.replace('Digest', 'Basic')],
    ['no username', bob.replace('username="bob", ', '')],
    ['an empty username', bob.replace('"bob"', '""')],
    ['no realm', bob.replace('realm="biloxi.com", ', '')],
    ['no nonce', bob.replace('nonce=', 'n=')],
    ['no uri', bob.replace('uri=', 'u=')],
    ['no response', bob.replace('response=', 'r=')],
    ['a response too short for its algorithm', `${bob}, algorithm=SHA-256`],
    ['a response that is not hex', bob.replace(response, 'g'.repeat(32))],
    ['qop=auth-int, which is never offered', bob.replace('qop=auth', 'qop=auth-int')],
    ['qop without nc', bob.replace(' nc=00000001,', '')],
    ['qop without cnonce', bob.replace(' cnonce="0a4f113b",', '')],
    ['a short nc', bob.replace('00000001', '1')],
    ['an nc that is not hex', bob.replace('00000001', '0000000x')],
    ['a parameter twice', `${bob}, nc=00000002`],
    ['a control character', bob.replace('"0a4f113b"', '"a\x01b"')],
    ['a line break', bob.replace('"0a4f113b"', '"a\\\r\nEvil: b"')],
    ['a parameter of 1,025 octets', bob.replace('0a4f113b', 'c'.repeat(1025))],
    ['nothing', ''],
  ])('are refused with %s', (_, value) => {
    expect(value).not.toBe(bob);
    expect(parseCredentials(value)).toBeUndefined();
  });

  test('come back from their text', () => {
    const common = {
      username: text,
      realm: text,
      nonce: text,
      uri: text,
      opaque: fc.option(text, { nil: undefined }),
    };
    const hashed = fc.oneof(
      fc.record({ algorithm: fc.constant('MD5' as const), response: hex(32) }),
      fc.record({
        algorithm: fc.constantFrom('SHA-256' as const, 'SHA-512-256' as const),
        response: hex(64),
      }),
    );
    const quality = fc.oneof(
      fc.constant({}),
      fc.record({ qop: fc.constant('auth' as const), nc: hex(8), cnonce: text }),
    );
    fc.assert(
      fc.property(fc.record(common), hashed, quality, (fields, digest, protection) => {
        const credentials = { ...fields, ...digest, ...protection };
        expect(parseCredentials(formatCredentials(credentials))).toEqual(credentials);
      }),
    );
  });
});

test('isDigest knows the scheme in any case, and not a longer one', () => {
  expect(isDigest('Digest x')).toBe(true);
  expect(isDigest('dIGEST\tusername="')).toBe(true);
  expect(isDigest('Digests x')).toBe(false);
  expect(isDigest('Basic Digest')).toBe(false);
});

test('Authentication-Info comes back from its text (RFC 7616 §3.5)', () => {
  expect(formatAuthenticationInfo({ rspauth: 'ab', qop: 'auth', nc: '00000001', cnonce: 'c"' })).toBe(
    'qop=auth, rspauth="ab", cnonce="c\\"", nc=00000001',
  );
  fc.assert(
    fc.property(
      fc.record({
        rspauth: hex(32),
        qop: fc.constant('auth' as const),
        nc: hex(8),
        cnonce: text,
        nextnonce: fc.option(text, { nil: undefined }),
      }),
      (info) => {
        expect(parseAuthenticationInfo(formatAuthenticationInfo(info))).toEqual(info);
      },
    ),
  );
  expect(parseAuthenticationInfo('qop=auth')).toBeUndefined();
});

test('no octets make a parser throw', () => {
  const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const mutated = fc
    .tuple(fc.nat(bob.length - 1), octets)
    .map(([at, garbage]) => bob.slice(0, at) + garbage + bob.slice(at + garbage.length));
  fc.assert(
    fc.property(fc.oneof(octets, mutated), (value) => {
      parseCredentials(value);
      parseChallenge(value);
      parseAuthenticationInfo(value);
      isDigest(value);
    }),
    { numRuns: 1000 },
  );
});
