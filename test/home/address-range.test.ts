import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressRange,
  addressOctets,
  createRangeTest,
  formatAddressRange,
  isInRange,
  parseAddressRange,
} from '../../src/home/address-range.ts';

const contains = (range: string, address: string) => {
  const parsed = parseAddressRange(range);
  return parsed !== undefined && isInRange(address, parsed);
};

test.each([
  ['192.0.2.0/24', '192.0.2.255', true],
  ['192.0.2.0/24', '192.0.3.0', false],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['0.0.0.0/0', '203.0.113.1', true],
  ['0.0.0.0/0', '::1', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['::1', '::1', true],
  ['[::1]', '::1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['192.0.2.0/24', '::ffff:192.0.2.1', true],
  ['::ffff:192.0.2.0/120', '192.0.2.1', true],
  ['::/0', '192.0.2.1', false],
  ['192.0.2.0/24', 'jan', false],
])('%s and %s: %s', (range, address, expected) => {
  expect(contains(range, address)).toBe(expected);
});

test.each([
  ['192.0.2.1/24'],
  ['192.0.2.0/33'],
  ['192.0.2.0/'],
  ['192.0.2.0/-1'],
  ['192.0.2/24'],
  ['192.0.2.01'],
  ['256.0.0.1'],
  ['2001:db8::/129'],
  ['1::2::3'],
  ['1:2:3:4:5:6:7'],
  ['1:2:3:4:5:6:7:8:9'],
  ['1:2:3:4:5:6:7::8:9'],
  ['12345::'],
  ['::1.2.3.4:1'],
  ['*'],
  [''],
])('refuses %j', (text) => {
  expect(parseAddressRange(text)).toBeUndefined();
});

describe('properties', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.array(fc.constantFrom(':', '::', '1', 'ffff', '.', '0', '255', '%')).map((parts) => parts.join('')),
  );

  test('a test of ranges says what each range says, the second time too', () => {
    const ranges = ['192.0.2.0/24', '2001:db8::/32'].map((text) => parseAddressRange(text) as AddressRange);
    const isInside = createRangeTest(ranges);
    const addresses = ['192.0.2.1', '192.0.3.1', '2001:db8::1', '2001:db9::1', '::ffff:192.0.2.9', 'x'];
    for (let time = 0; time < 2; time++)
      for (const address of addresses)
        expect(isInside(address), address).toBe(ranges.some((range) => isInRange(address, range)));
    for (let at = 0; at < 3000; at++) expect(isInside(`192.0.${at % 256}.${at >> 8}`)).toBe(at % 256 === 2);
  });

  test('an address is one exactly where the host system says so', () => {
    fc.assert(
      fc.property(texts, (text) => {
        if (!/[%[\]]/.test(text)) expect(addressOctets(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('parse∘format is the identity, and every range holds its own address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const range = parseAddressRange(address);
        if (range === undefined) throw new Error(address);
        expect(parseAddressRange(formatAddressRange(range))).toEqual(range);
        expect(isInRange(address, range)).toBe(true);
      }),
    );
  });
});
