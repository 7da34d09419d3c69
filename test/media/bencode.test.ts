import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bencode, decodeBencode, encodeBencode } from '../../src/media/bencode.ts';

const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const { value: anyValue } = fc.letrec<{ value: Bencode }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.maxSafeInteger(),
    octets,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(octets, fc.constantFrom('__proto__', 'constructor', '10', '9')), tie('value'), {
      maxKeys: 5,
      noNullPrototype: false,
    }),
  ),
}));

describe('bencode', () => {
  test.each<[string, Bencode]>([
    ['i-42e', -42],
    ['i0e', 0],
    ['0:', ''],
    ['4:\r\n\x00\xff', '\r\n\x00\xff'],
    ['l4:pingi1ee', ['ping', 1]],
    ['d7:command4:ping5:flagsl1:aee', { command: 'ping', flags: ['a'] }],
    ['de', {}],
  ])('%j is one value, both ways', (text, value) => {
    expect(encodeBencode(value)).toBe(text);
    expect(decodeBencode(text)).toEqual(value);
  });

  test('decoding what was encoded is the identity', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const decoded = decodeBencode(encodeBencode(value));
        expect(decoded).toEqual(value);
        expect(encodeBencode(decoded as Bencode)).toBe(encodeBencode(value));
      }),
    );
  });

  test('names of a dictionary are names only', () => {
    const decoded = decodeBencode('d9:__proto__d5:admini1eee') as Record<string, Bencode>;
    expect(Object.keys(decoded)).toEqual(['__proto__']);
    expect(decoded.admin).toBeUndefined();
    expect(decoded.toString).toBeUndefined();
  });

  test('names come in any order, as rtpengine sends them', () => {
    expect(decodeBencode('d6:result2:ok3:sdp1:v7:createdi9ee')).toEqual({
      result: 'ok',
      sdp: 'v',
      created: 9,
    });
  });

  test.each([
    ['nothing', ''],
    ['a value and more', 'i1ei2e'],
    ['an integer without end', 'i1'],
    ['no integer', 'i1.5e'],
    ['a negative zero', 'i-0e'],
    ['leading zeros', 'i01e'],
    ['a string that is shorter', '5:four'],
    ['a string of leading zeros', '01:a'],
    ['a string of negative length', '-1:a'],
    ['a list without end', 'l1:a'],
    ['a dictionary without end', 'd1:a1:b'],
    ['a name without value', 'd1:ae'],
    ['a name that is no string', 'di1e1:ae'],
    ['a name twice', 'd1:a1:b1:a1:ce'],
    ['anything else', 'x'],
    ['more than a datagram holds', `65530:${'a'.repeat(65_530)}`],
  ])('takes no octets for a value: %s', (_, text) => {
    expect(decodeBencode(text)).toBeUndefined();
  });

  test('goes 16 levels down', () => {
    const nested = (levels: number) => 'l'.repeat(levels) + 'e'.repeat(levels);
    expect(decodeBencode(nested(16))).toBeDefined();
    expect(decodeBencode(nested(17))).toBeUndefined();
    expect(decodeBencode('l'.repeat(65_535))).toBeUndefined();
  });

  test('no octets throw', () => {
    const piece = fc.oneof(
      octets,
      fc.constantFrom('d', 'l', 'e', 'i', '1:', '4:ping', '__proto__', '99999:', '-'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        decodeBencode(pieces.join(''));
      }),
      { numRuns: 1000 },
    );
  });

  test('a number that is no safe integer is our own mistake', () => {
    for (const number of [1.5, Number.NaN, 2 ** 53]) expect(() => encodeBencode(number)).toThrow(RangeError);
    expect(Object.is(decodeBencode(encodeBencode(-0)), 0)).toBe(true);
  });
});
