// The client's answers: the examples of RFC 7616 §3.9, which challenge is chosen, and that a server verifies them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerChallenges } from '../../src/digest/answer.ts';
import { formatChallenge, parseCredentials } from '../../src/digest/challenge.ts';
import { digestResponse, equalText, ha1 } from '../../src/digest/response.ts';
import { toOctets } from '../../src/message/octets.ts';

const jan = { username: 'jan', password: 'secret' };
const register = { method: 'REGISTER', uri: 'sip:sip.test' };
const challenge = (rest: string) => `Digest realm="sip.test", nonce="n"${rest}`;

/** The answer to these challenges, read as a server reads it. */
function answered(...challenges: string[]) {
  const answer = answerChallenges(challenges, jan, register, {}, 'c');
  return answer && parseCredentials(answer.value);
}

describe('the examples of RFC 7616', () => {
  const offered = (algorithm: string) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

  test.each([
    [
      'SHA-256 of both',
      ['MD5', 'SHA-256'],
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    ],
    ['MD5 alone', ['MD5'], '8ca523f5e9506fed4657c9700eebdbec'],
  ])('§3.9.1: %s', (_what, algorithms, response) => {
    const answer = answerChallenges(
      algorithms.map(offered),
      { username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life' },
      { method: 'GET', uri: '/dir/index.html' },
      {},
      'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    );
    expect(answer?.value).toBe(
      `Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", response="${response}", algorithm=${algorithms.at(-1)}, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, nc=00000001, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    );
  });

  test('§3.9.2, whose printed response is wrong (erratum 4897)', () => {
    const answer = answerChallenges(
      [
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
      ],
      { username: toOctets('Jäsøn Doe'), password: 'Secret, or not?' },
      { method: 'GET', uri: '/doe.json' },
      {},
      'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    );
    expect(parseCredentials(answer?.value ?? '')).toMatchObject({
      username: toOctets('Jäsøn Doe'),
      response: '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
    });
  });
});

describe('of several challenges', () => {
  const [md5, sha256, sha512, sess] = ['MD5', 'SHA-256', 'SHA-512-256', 'SHA-512-256-sess'].map((algorithm) =>
    challenge(`, qop="auth", algorithm=${algorithm}`),
  ) as [string, string, string, string];

  test.each([
    ['SHA-512-256', [sha256, sha512, md5]],
    ['SHA-256', [md5, sess, sha256]],
    ['MD5', [md5, 'Basic realm="sip.test"', 'Digest', '']],
    ['MD5', [challenge('')]],
  ])('the strongest known is answered: %s', (algorithm, challenges) => {
    expect(answered(...challenges)?.algorithm).toBe(algorithm);
  });

  test('the first of several as strong is answered', () => {
    expect(answered(challenge(', opaque="1"'), challenge(', opaque="2"'))?.opaque).toBe('1');
  });

  test('only one of the realm asked for is answered, be it the weaker', () => {
    const other = 'Digest realm="other.test", nonce="o", algorithm=SHA-256';
    const answer = (...challenges: string[]) =>
      answerChallenges(challenges, { ...jan, realm: 'sip.test' }, register, {}, 'c')?.value;
    expect(parseCredentials(answer(other, md5) ?? '')).toMatchObject({ realm: 'sip.test', nonce: 'n' });
    expect(answer(other)).toBeUndefined();
  });

  test.each([
    ['none', []],
    ['an unknown algorithm', [challenge(', algorithm=SHA-1'), sess]],
    ['auth-int alone', [challenge(', qop="auth-int"')]],
    ['another scheme', ['Basic realm="sip.test"']],
    ['no nonce', ['Digest realm="sip.test"']],
    ['two in one value', [`${md5}, ${sha256}`]],
  ])('%s is not answered', (_what, challenges) => {
    expect(answered(...challenges)).toBeUndefined();
  });
});

describe('the protection', () => {
  test('is auth where it is offered', () => {
    expect(answered(challenge(', qop="auth-int,auth"'))).toMatchObject({
      qop: 'auth',
      nc: '00000001',
      cnonce: 'c',
    });
  });

  test('is none of RFC 2617 where no qop is offered (RFC 2069)', () => {
    const { value = '' } = answerChallenges([challenge('')], jan, register, {}, 'c') ?? {};
    expect(value).not.toMatch(/qop|nc=|cnonce/);
    const nonceOnly = { algorithm: 'MD5', nonce: 'n', uri: 'sip:sip.test', method: 'REGISTER' } as const;
    expect(parseCredentials(value)?.response).toBe(
      digestResponse({ ...nonceOnly, ha1: ha1('MD5', 'jan', 'sip.test', 'secret') }),
    );
  });
});

describe('a nonce', () => {
  const value = challenge(', qop="auth"');
  const answer = (last: { nonce: string; nc: number } | undefined) =>
    answerChallenges([value], jan, register, { last }, 'c');

  test('that comes again is counted on, and another begins anew', () => {
    const first = answer(undefined);
    expect(first?.use).toEqual({ nonce: 'n', nc: 1 });
    const second = answer(first?.use);
    expect(second?.use).toEqual({ nonce: 'n', nc: 2 });
    expect(second?.value).toContain(', nc=00000002');
    expect(answer({ nonce: 'N', nc: 7 })?.use.nc).toBe(1);
    expect(answer({ nonce: 'n', nc: 0xfe })?.value).toContain(', nc=000000ff');
  });

  test('whose count would take more than eight digits is not answered', () => {
    expect(answer({ nonce: 'n', nc: 0xfffffffe })?.value).toContain(', nc=ffffffff');
    expect(answer({ nonce: 'n', nc: 0xffffffff })).toBeUndefined();
  });

  test('that was answered for the same request is answered again only if it was stale', () => {
    const again = (rest: string) =>
      answerChallenges([challenge(rest)], jan, register, { wasRefused: true }, 'c')?.use;
    expect(again(', qop="auth"')).toBeUndefined();
    expect(again(', stale=false')).toBeUndefined();
    expect(again(', stale=TRUE, qop="auth"')).toEqual({ nonce: 'n', nc: 1 });
  });
});

const octets = fc
  .string({ unit: fc.constantFrom(...'"\\:,=@%; aZ\x80\xe9\xff') })
  .filter((text) => text.length <= 512);

test('what a server challenges and verifies is what is answered, whatever the octets', () => {
  fc.assert(
    fc.property(
      fc.record({ username: octets.filter((text) => text !== ''), password: octets }),
      fc.record({
        realm: octets,
        nonce: octets.filter((text) => text !== ''),
        algorithm: fc.constantFrom('MD5', 'SHA-256', 'SHA-512-256'),
        stale: fc.boolean(),
        qop: fc.constantFrom('auth', undefined),
        opaque: fc.option(octets, { nil: undefined }),
      }),
      octets,
      (credentials, asked, cnonce) => {
        const answer = answerChallenges([formatChallenge(asked)], credentials, register, {}, cnonce);
        const read = parseCredentials(answer?.value ?? '');
        expect(read).toMatchObject({
          username: credentials.username,
          realm: asked.realm,
          nonce: asked.nonce,
          algorithm: asked.algorithm,
          opaque: asked.opaque,
          uri: register.uri,
        });
        expect(read?.qop).toBe(asked.qop);
        if (read === undefined) return;
        const known = ha1(asked.algorithm, credentials.username, asked.realm, credentials.password);
        const input = { ...read, algorithm: asked.algorithm, method: register.method };
        expect(equalText(digestResponse({ ...input, ha1: known }), read.response)).toBe(true);
        expect(equalText(digestResponse({ ...input, ha1: known.replace(/^./, 'x') }), read.response)).toBe(
          false,
        );
      },
    ),
  );
});

test('no challenge throws', () => {
  const piece = fc.constantFrom(
    'Digest ',
    'realm=',
    'nonce=',
    '"',
    '\\',
    ', ',
    'qop=auth',
    'algorithm=',
    '=',
    '\r\n ',
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.oneof(piece, fc.string())).map((pieces) => pieces.join(''))),
      (values) => {
        answerChallenges(values, jan, register, {}, 'c');
      },
    ),
  );
});
