import { describe, expect, test } from 'vitest';
import {
  addressOf,
  copySockaddr,
  createSockaddr,
  isIPv6Sockaddr,
  isSameSockaddr,
  portOf,
  withPort,
} from '../../src/unix/sockaddr.ts';

describe('a sockaddr', () => {
  test.each([
    ['127.0.0.1', 5060],
    ['255.255.255.255', 65_535],
    ['::1', 5060],
    ['2001:db8::7:0:1', 1],
  ])('says the address and port it was made of: %s %i', (address, port) => {
    const made = createSockaddr(address, port);
    expect([addressOf(made), portOf(made)]).toEqual([address, port]);
    expect(isIPv6Sockaddr(made)).toBe(address.includes(':'));
    const copied = copySockaddr(Buffer.concat([made.octets, Buffer.alloc(100, 0xff)]));
    expect(isSameSockaddr(copied, made)).toBe(true);
    const other = withPort(made, 7);
    expect([addressOf(other), portOf(other), portOf(made)]).toEqual([address, 7, port]);
    expect(isSameSockaddr(other, made)).toBe(false);
  });

  test('keeps zones apart, by number and by name', () => {
    const [one, two, lo] = ['fe80::1%1', 'fe80::1%2', 'fe80::1%lo'].map((each) => createSockaddr(each, 5060));
    if (one === undefined || two === undefined || lo === undefined) throw new Error('unreachable');
    expect(addressOf(one)).toBe('fe80::1');
    expect(isSameSockaddr(one, two)).toBe(false);
    expect(isSameSockaddr(one, lo)).toBe(true);
  });

  test.each(['', 'localhost', '1.2.3', '::g', '1.2.3.4.5'])('is not made of %j', (text) => {
    expect(() => createSockaddr(text, 1)).toThrow('not an IP literal');
  });
});
