// Addresses, their parameters and quoted strings (RFC 3261 §20.10, §25.1).

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../src/message/address.ts';
import { hasParameter, parameterValue } from '../../src/message/parameters.ts';

describe('parseAddress', () => {
  test.each([
    ['<sip:a@b>', { displayName: undefined, uri: 'sip:a@b', parameters: [] }],
    ['"A. G. Bell" <sip:agb@bell>', { displayName: 'A. G. Bell', uri: 'sip:agb@bell' }],
    ['"a\\"\\\\b"<sip:a@b>', { displayName: 'a"\\b' }],
    ['"" <sip:a@b>', { displayName: '' }],
    ['"a\r\n b" <sip:a@b>', { displayName: 'a b' }],
    ['Watson <sip:w@b>', { displayName: 'Watson' }],
    ['caller<sip:a@b>;tag=1', { displayName: 'caller', parameters: [{ name: 'tag', value: '1' }] }],
    ['sip:a@b;tag=1', { uri: 'sip:a@b', parameters: [{ name: 'tag', value: '1' }] }],
    ['sip:a@b ;x', { uri: 'sip:a@b', parameters: [{ name: 'x', value: undefined }] }],
    ['sip:a@b;+sip.instance="<urn:uuid:1>"', { uri: 'sip:a@b', parameters: [{ value: '"<urn:uuid:1>"' }] }],
    ['<sip:a@b;c?d=e>;f', { uri: 'sip:a@b;c?d=e', parameters: [{ name: 'f' }] }],
    ['<sip:a,b@c>', { uri: 'sip:a,b@c' }],
    ['<tel:+1>\t;\ta = "x\\"y" ;b', { parameters: [{ name: 'a', value: '"x\\"y"' }, { name: 'b' }] }],
    ['<sip:a@b>;received=[::1];t=a==', { parameters: [{ value: '[::1]' }, { value: 'a==' }] }],
  ])('reads %s', (value, expected) => {
    expect(parseAddress(value)).toMatchObject(expected);
  });

  test.each([
    '',
    ' ',
    '*',
    'a',
    '<>',
    '<a>',
    '<:a>',
    '<sip:a@b',
    '< sip:a@b >',
    '<sip:a@b> x',
    '<sip:a@b>,',
    '<<sip:a@b>>',
    '"a <sip:a@b>',
    '"a" sip:a@b',
    '"a"',
    '"a\nb" <sip:a@b>',
    '"a\\\rb" <sip:a@b>',
    'a, b <sip:a@b>',
    'sip:a@b?c=d',
    'sip:a,b@c',
    'sip:a@b c',
    'sip:a"@b',
    'sip:a@b;',
    '<sip:a@b>;=1',
    '<sip:a@b>;a=',
    '<sip:a@b>;a=b c',
    '<sip:a@b>;a="b',
    '<sip:a@b>;a=b"c"',
  ])('refuses %j', (value) => {
    expect(parseAddress(value)).toBeUndefined();
  });

  test('parseAddress reads what formatAddress writes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aB1 "\\<>,;=\xe9\0\t'), maxLength: 12 });
    const parameter = fc.record({
      name: fc.stringMatching(/^[a-zA-Z0-9+.-]{1,8}$/),
      value: fc.option(fc.stringMatching(/^(?:[a-z0-9=:/]{1,8}|"(?:[a-z<>;, ]|\\["\\a]){0,6}")$/), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(
        fc.option(text, { nil: undefined }),
        fc.array(parameter, { maxLength: 4 }),
        (displayName, parameters) => {
          const address = { displayName, uri: 'sip:a@b;c?d=e', parameters };
          expect(parseAddress(formatAddress(address))).toEqual(address);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('takes 64 parameters and no more', () => {
    expect(parseAddress(`<sip:a@b>${';c'.repeat(64)}`)).toBeDefined();
    expect(parseAddress(`<sip:a@b>${';c'.repeat(65)}`)).toBeUndefined();
  });

  test('formatAddress lets no line end through', () => {
    expect(formatAddress({ displayName: 'a\r\nRoute: x', uri: 'sip:a@b', parameters: [] })).toBe(
      '"a Route: x" <sip:a@b>',
    );
  });
});

test('parameters are found by lower-case name, and their text is without quotes', () => {
  const { parameters } = parseAddress('<sip:a@b>;Q=0.5;+SIP.Instance="<urn:\\x>";flag;a="";flag=2') ?? {
    parameters: [],
  };
  expect(parameterValue(parameters, 'q')).toBe('0.5');
  expect(parameterValue(parameters, '+sip.instance')).toBe('<urn:x>');
  expect(parameterValue(parameters, 'a')).toBe('');
  expect(parameterValue(parameters, 'flag')).toBeUndefined();
  expect(parameterValue(parameters, 'none')).toBeUndefined();
  expect(hasParameter(parameters, 'flag')).toBe(true);
  expect(hasParameter(parameters, 'none')).toBe(false);
  expect(parameters.map(({ name }) => name)).toEqual(['Q', '+SIP.Instance', 'flag', 'a', 'flag']);
});
