import { describe, expect, test } from 'vitest';
import { addressesByHost, parseHosts } from '../../src/transport/hosts-file.ts';

const table = parseHosts(
  [
    '127.0.0.1 localhost',
    '192.0.2.1\tPBX.example.org pbx # the old one',
    '2001:DB8::0:1 pbx',
    '192.0.2.1 pbx',
    '#192.0.2.2 pbx',
    'pbx 192.0.2.3',
    '',
  ].join('\n'),
);

describe('hosts(5)', () => {
  test('gives a name all its addresses in the order of the file, each once', () => {
    expect(addressesByHost(table, 'pbx')).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  test('has no case', () => expect(addressesByHost(table, 'pbx.example.org')).toEqual(['192.0.2.1']));

  test('does not know other names', () => {
    expect(addressesByHost(table, 'example.org')).toBeUndefined();
    expect(addressesByHost(table, '192.0.2.3')).toBeUndefined();
    expect(addressesByHost(table, '__proto__')).toBeUndefined();
  });

  test('keeps sixteen addresses of a name', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `192.0.2.${index} many`);
    expect(parseHosts(lines.join('\n')).get('many')).toHaveLength(16);
  });
});

describe('special names (RFC 6761 §6)', () => {
  test('localhost is what hosts(5) says, else loopback', () => {
    expect(addressesByHost(table, 'localhost')).toEqual(['127.0.0.1']);
    expect(addressesByHost(new Map(), 'localhost')).toEqual(['127.0.0.1', '::1']);
    expect(addressesByHost(new Map(), 'a.localhost')).toEqual(['127.0.0.1', '::1']);
    expect(addressesByHost(new Map(), 'alocalhost')).toBeUndefined();
  });

  test('invalid is nowhere', () => {
    expect(addressesByHost(table, 'a.invalid')).toEqual([]);
    expect(addressesByHost(table, 'invalid')).toEqual([]);
    expect(addressesByHost(table, 'notinvalid')).toBeUndefined();
  });
});
