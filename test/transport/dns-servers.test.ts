import { Resolver } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { dnsServers } from '../../src/home/keyword-values.ts';
import { parseDnsServer, parseResolvConf } from '../../src/transport/dns-servers.ts';

describe('Resolver (DESIGN §3)', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1:53'],
    ['192.0.2.1:5353', '192.0.2.1:5353'],
    ['2001:DB8:0::1', '[2001:db8::1]:53'],
    ['[2001:db8::1]', '[2001:db8::1]:53'],
    ['[::1]:5353', '[::1]:5353'],
  ])('%s is asked as %s', (text, server) => {
    expect(dnsServers.parse([text])).toEqual([text]);
    expect(parseDnsServer(text)).toBe(server);
    const resolver = new Resolver();
    resolver.setServers([server]);
    expect(resolver.getServers()).toEqual([server.replace(/^\[?(.*?)\]?:53$/, '$1')]);
  });

  test.each([
    '',
    'dns.example',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:',
    '192.0.2',
    '[192.0.2.1]:53',
    '[::1]53',
  ])('%j is no server', (text) => {
    expect(dnsServers.parse([text])).toBeUndefined();
    expect(parseDnsServer(text)).toBeUndefined();
  });
});

test('resolv.conf(5): the first three nameserver lines with an address', () => {
  const text = [
    '# nameserver 192.0.2.9',
    'search example.org',
    'nameserver 192.0.2.1 # one',
    'nameserver  dns.example',
    'nameserver\t2001:db8::1',
    'nameserver fe80::1%eth0',
    'nameserver 192.0.2.4',
  ];
  expect(parseResolvConf(text.join('\n'))).toEqual(['192.0.2.1:53', '[2001:db8::1]:53', '[fe80::1%eth0]:53']);
  expect(parseResolvConf('')).toEqual([]);
});
