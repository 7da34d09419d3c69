// Challenges and credentials (RFC 3261 §25.1, RFC 7616 §3.3, §3.4).

import { describe, expect, test } from 'vitest';
import { parseAuthParams } from '../../src/message/auth-params.ts';

const read = (value: string) => {
  const parsed = parseAuthParams(value);
  return parsed && { scheme: parsed.scheme, ...Object.fromEntries(parsed.params) };
};

describe('parseAuthParams', () => {
  test('reads credentials as RFC 3261 §22.4 shows them, folded', () => {
    expect(
      read(
        'Digest username="bob", realm="biloxi.com",\r\n  nonce="dcd98b", URI="sip:bob@biloxi.com",\r\n\tqop=auth, nc=00000001',
      ),
    ).toEqual({
      scheme: 'digest',
      username: 'bob',
      realm: 'biloxi.com',
      nonce: 'dcd98b',
      uri: 'sip:bob@biloxi.com',
      qop: 'auth',
      nc: '00000001',
    });
  });

  test.each([
    ['DIGEST a = "x\\"y\\\\" ,b=', undefined],
    ['DIGEST a = "x\\"y\\\\" ,b=c==', { scheme: 'digest', a: 'x"y\\', b: 'c==' }],
    ['Digest a="",,b=1,', { scheme: 'digest', a: '', b: '1' }],
    ['Digest a="x,y=z"', { scheme: 'digest', a: 'x,y=z' }],
    ['Digest __proto__="1"', { scheme: 'digest', ['__proto__']: '1' }],
    ['Digest', { scheme: 'digest' }],
    ['Digest a="1", A="2"', undefined],
    ['Digest a', undefined],
    ['Digest a="1" b="2"', undefined],
    ['Digest a="1', undefined],
    ['Digest a="1\\', undefined],
    ['Digest a="1\n2"', undefined],
    ['Digest ="1"', undefined],
    ['Digest=1', undefined],
    ['', undefined],
    [' ', undefined],
    ['"Digest" a=1', undefined],
    ['NoOneKnowsThisScheme opaque-data=here', { scheme: 'nooneknowsthisscheme', 'opaque-data': 'here' }],
    ['Basic YTpi', { scheme: 'basic' }],
    ['Negotiate a b c', { scheme: 'negotiate' }],
  ])('%j', (value, expected) => {
    const result = read(value);
    if (expected === undefined) expect(result).toBeUndefined();
    else expect(Object.entries(result ?? {})).toEqual(Object.entries(expected));
  });
});
