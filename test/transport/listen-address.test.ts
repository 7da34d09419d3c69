import { describe, expect, test } from 'vitest';
import {
  canonicalAddress,
  formatHostPort,
  isLinkLocalIPv6,
  withoutZone,
} from '../../src/transport/address.ts';
import {
  expandListen,
  formatListen,
  type Interfaces,
  localAddresses,
} from '../../src/transport/listen-address.ts';

const info = (address: string, family: 'IPv4' | 'IPv6') =>
  ({ address, family, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }) as never;
const interfaces: Interfaces = {
  lo: [info('127.0.0.1', 'IPv4'), info('::1', 'IPv6')],
  eth0: [info('192.0.2.2', 'IPv4'), info('fd00::2', 'IPv6'), info('fe80::fc:ff:fe00:1', 'IPv6')],
  eth1: [info('192.0.2.2', 'IPv4')],
  down: undefined,
};

describe('Listen (DESIGN §3)', () => {
  test('`*` is every local address of both families, once, without link-local IPv6', () => {
    expect(localAddresses(interfaces)).toEqual(['127.0.0.1', '::1', '192.0.2.2', 'fd00::2']);
    const wanted = expandListen([{ transport: 'udp', host: '*', port: 5060 }], interfaces);
    expect(wanted.map((each) => each.key)).toEqual([
      'udp:127.0.0.1:5060',
      'udp:[::1]:5060',
      'udp:192.0.2.2:5060',
      'udp:[fd00::2]:5060',
    ]);
    expect(wanted.every((each) => each.wildcard)).toBe(true);
  });

  test('an address written out wins over the same one of `*`, wherever it stands', () => {
    const advertise = { host: 'sip.example.org' };
    const wanted = expandListen(
      [
        { transport: 'udp', host: '*', port: 5060 },
        { transport: 'udp', host: '192.0.2.2', port: 5060, advertise },
        { transport: 'tcp', host: '192.0.2.2', port: 5060 },
        { transport: 'udp', host: '192.0.2.2', port: 5080 },
      ],
      interfaces,
    );
    const same = wanted.filter((each) => each.key === 'udp:192.0.2.2:5060');
    expect(same).toMatchObject([{ wildcard: false, listen: { advertise } }]);
    expect(wanted).toHaveLength(6);
  });

  test('one address in two spellings is one socket; a zone is kept for binding', () => {
    const listen = (host: string) => ({ transport: 'tcp' as const, host, port: 5060 });
    expect(expandListen([listen('0:0::0:1'), listen('::1')], interfaces)).toHaveLength(1);
    expect(expandListen([listen('fe80::1%eth0')], interfaces)[0]?.address).toBe('fe80::1%eth0');
  });

  test('is formatted as it is written', () => {
    expect(formatListen({ transport: 'udp', host: '*', port: 5060 })).toBe('udp:*:5060');
    expect(formatListen({ transport: 'tcp', host: '::1', port: 5061 })).toBe('tcp:[::1]:5061');
  });
});

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::00AB', '2001:db8::ab'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['example.org', undefined],
    ['192.0.2', undefined],

    ['', undefined],
  ])('%s has one spelling', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test('are known as link-local, stripped of zones, bracketed in text', () => {
    expect(['fe80::1', 'FEBF::1', 'fec0::1', 'fd00::1'].map(isLinkLocalIPv6)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([withoutZone('fe80::1%eth0'), withoutZone('::1')]).toEqual(['fe80::1', '::1']);
    expect([formatHostPort('::1', 1), formatHostPort('192.0.2.1', 2)]).toEqual(['[::1]:1', '192.0.2.1:2']);
  });
});
