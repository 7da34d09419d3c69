import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NaptrRecord, SrvRecord } from '../../src/transport/dns-records.ts';
import {
  type KnownNames,
  type LocateTarget,
  nextHops,
  type SocketFamily,
} from '../../src/transport/next-hops.ts';

const srv = (target: string, port = 5060): SrvRecord => ({ priority: 1, weight: 1, port, target });
const naptr = (order: number, preference: number, service: string, replacement: string): NaptrRecord => ({
  order,
  preference,
  flags: 's',
  service,
  replacement,
});

interface Zone {
  readonly ofHost?: Record<string, readonly string[]>;
  readonly addresses?: Record<string, readonly string[]>;
  readonly srv?: Record<string, readonly SrvRecord[]>;
  readonly naptr?: Record<string, readonly NaptrRecord[]>;
}

/** Everything that is not in the zone does not exist. */
function known(zone: Zone, asked: string[] = []): KnownNames {
  const look =
    <T>(type: string, table: Record<string, readonly T[]> = {}) =>
    (name: string) => {
      asked.push(`${type} ${name}`);
      return table[name] ?? [];
    };
  return {
    ofHost: (name) => zone.ofHost?.[name],
    addresses: look('A', zone.addresses),
    srv: look('SRV', zone.srv),
    naptr: look('NAPTR', zone.naptr),
  };
}

const everySocket: ReadonlySet<SocketFamily> = new Set(['udp4', 'udp6', 'tcp4', 'tcp6'] as const);

function locate(target: LocateTarget, zone: Zone, sockets = everySocket): string[] | undefined {
  const hops = nextHops(target, known(zone), sockets);
  return hops?.map(({ transport, address, port }) => `${transport} ${address} ${port}`);
}

const simple: Zone = { addresses: { 'example.org': ['192.0.2.1', '2001:db8::1'] } };

describe('the transport (RFC 3263 §4.1)', () => {
  test('a literal is reached by UDP, or by the transport parameter', () => {
    expect(locate({ host: '192.0.2.1' }, {})).toEqual(['udp 192.0.2.1 5060']);
    expect(locate({ host: '[2001:DB8::1]', port: 5070, transport: 'tcp' }, {})).toEqual([
      'tcp 2001:db8::1 5070',
    ]);
    expect(locate({ host: '[::ffff:192.0.2.1]' }, {})).toEqual(['udp 192.0.2.1 5060']);
  });

  test('a literal and a name with a port ask for no service', () => {
    const asked: string[] = [];
    nextHops({ host: '192.0.2.1' }, known(simple, asked), everySocket);
    expect(asked).toEqual([]);
    nextHops({ host: 'example.org', port: 5070 }, known(simple, asked), everySocket);
    expect(asked).toEqual(['A example.org']);
  });

  test('NAPTR chooses by order, then preference; what we do not speak is passed over', () => {
    const zone: Zone = {
      ...simple,
      naptr: {
        'example.org': [
          naptr(20, 1, 'SIP+D2U', '_sip._udp.example.org'),
          naptr(10, 2, 'SIP+D2T', 'second.example.org'),
          naptr(10, 1, 'SIP+D2T', 'first.example.org'),
          naptr(1, 1, 'SIPS+D2T', '_sips._tcp.example.org'),
          { ...naptr(2, 1, 'SIP+D2U', 'wrong.example.org'), flags: 'u' },
        ],
      },
      srv: {
        'first.example.org': [srv('example.org', 5061)],
        'second.example.org': [srv('example.org', 5062)],
        '_sip._udp.example.org': [srv('example.org', 5063)],
        '_sip._tcp.example.org': [srv('example.org', 5064)],
      },
    };
    const ipv4 = new Set(['udp4', 'tcp4'] as const);
    expect(locate({ host: 'example.org' }, zone, ipv4)).toEqual([
      'tcp 192.0.2.1 5061',
      'tcp 192.0.2.1 5062',
      'udp 192.0.2.1 5063',
    ]);
    expect(locate({ host: 'example.org' }, zone, new Set(['udp4'] as const))).toEqual(['udp 192.0.2.1 5063']);
  });

  test('without NAPTR the SRV records of UDP come first, then those of TCP', () => {
    const zone: Zone = {
      addresses: { 'u.example.org': ['192.0.2.1'], 't.example.org': ['192.0.2.2'] },
      srv: {
        '_sip._udp.example.org': [srv('u.example.org', 5070)],
        '_sip._tcp.example.org': [srv('t.example.org', 5080)],
      },
    };
    expect(locate({ host: 'example.org' }, zone)).toEqual(['udp 192.0.2.1 5070', 'tcp 192.0.2.2 5080']);
    expect(locate({ host: 'example.org', transport: 'tcp' }, zone)).toEqual(['tcp 192.0.2.2 5080']);
    expect(locate({ host: 'example.org.' }, zone)).toEqual(['udp 192.0.2.1 5070', 'tcp 192.0.2.2 5080']);
  });

  test('without either the name itself is tried by UDP at 5060', () => {
    expect(locate({ host: 'example.org' }, simple)).toEqual(['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060']);
    expect(locate({ host: 'example.org', transport: 'tcp' }, simple)?.[0]).toBe('tcp 192.0.2.1 5060');
  });

  test('what NAPTR chose holds where its SRV records are missing (§4.2)', () => {
    const zone: Zone = { ...simple, naptr: { 'example.org': [naptr(1, 1, 'SIP+D2T', 'gone.example.org')] } };
    expect(locate({ host: 'example.org' }, zone)?.[0]).toBe('tcp 192.0.2.1 5060');
  });

  test.each(['tls', 'ws', 'sctp', ''])('transport=%s is not to be had', (transport) => {
    expect(locate({ host: '192.0.2.1', transport }, simple)).toEqual([]);
  });

  test('sips: is never reached in clear', () => {
    expect(locate({ host: '192.0.2.1', secure: true }, simple)).toEqual([]);
    expect(locate({ host: 'example.org', secure: true }, simple)).toEqual([]);
  });
});

describe('the hops (RFC 3263 §4.2)', () => {
  test('only families we have sockets for; TCP where UDP is not to be had', () => {
    const target = { host: 'example.org' };
    expect(locate(target, simple, new Set(['udp6'] as const))).toEqual(['udp 2001:db8::1 5060']);
    expect(locate(target, simple, new Set(['tcp4', 'udp6'] as const))).toEqual([
      'tcp 192.0.2.1 5060',
      'udp 2001:db8::1 5060',
    ]);
    expect(locate({ host: '192.0.2.1', transport: 'udp' }, {}, new Set(['tcp4'] as const))).toEqual([]);
    expect(locate(target, simple, new Set())).toEqual([]);
  });

  test('a target of `.` says that there is no service, and the name itself is not tried', () => {
    const none: Zone = { ...simple, srv: { '_sip._udp.example.org': [srv('', 0)] } };
    expect(locate({ host: 'example.org' }, none)).toEqual([]);
    const byTcp: Zone = { ...simple, srv: { ...none.srv, '_sip._tcp.example.org': [srv('example.org')] } };
    expect(locate({ host: 'example.org' }, byTcp)?.[0]).toBe('tcp 192.0.2.1 5060');
  });

  test('hosts(5) comes before DNS, for the target and for the targets of its SRV records', () => {
    const zone: Zone = {
      ...simple,
      ofHost: { 'pbx.example.org': ['192.0.2.9'] },
      srv: { '_sip._udp.example.org': [srv('pbx.example.org', 5070)] },
    };
    expect(locate({ host: 'example.org' }, zone)).toEqual(['udp 192.0.2.9 5070']);
    const asked: string[] = [];
    nextHops({ host: 'pbx.example.org' }, known(zone, asked), everySocket);
    expect(asked).toEqual([]);
  });

  test('eight SRV records are followed and sixteen hops given, none twice', () => {
    const records = Array.from({ length: 30 }, (_, index) => srv(`s${index}.example.org`));
    const addresses = Object.fromEntries(
      records.map(({ target }, index) => [target, [1, 2, 3].map((last) => `192.0.${index}.${last}`)]),
    );
    const asked: string[] = [];
    const zone: Zone = { addresses, srv: { '_sip._udp.example.org': records } };
    expect(nextHops({ host: 'example.org' }, known(zone, asked), everySocket)).toHaveLength(16);
    expect(asked.filter((question) => question.startsWith('A '))).toHaveLength(8);
    const same: Zone = {
      ...simple,
      srv: { '_sip._udp.example.org': [srv('example.org'), srv('example.org')] },
    };
    expect(locate({ host: 'example.org' }, same)).toHaveLength(2);
  });

  test.each(['1.2.3', 'a..b', '.', '', 'a.256', 'ä.example', `${'a'.repeat(64)}.example`, 'a.'.repeat(140)])(
    '%j is no name to ask for',
    (host) => {
      const asked: string[] = [];
      expect(nextHops({ host }, known(simple, asked), everySocket)).toEqual([]);
      expect(asked).toEqual([]);
    },
  );

  test('port 0 cannot be reached', () => {
    expect(locate({ host: '192.0.2.1', port: 0 }, {})).toEqual([]);
  });

  test('whatever DNS says, there are hops, and all of them are within bounds', () => {
    const name = fc.constantFrom('example.org', 'a.example', '', '.', '192.0.2.1', '_sip._udp.example.org');
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    const record = fc.record({
      target: name,
      port: fc.nat(65_535),
      priority: fc.nat(65_535),
      weight: fc.nat(),
    });
    const service = fc.record({
      order: fc.nat(9),
      preference: fc.nat(9),
      flags: fc.constantFrom('s', 'u', ''),
      service: fc.constantFrom('SIP+D2U', 'SIP+D2T', 'constructor'),
      replacement: name,
    });
    const zone = fc.record({
      addresses: fc.dictionary(name, fc.array(address, { maxLength: 20 })),
      srv: fc.dictionary(name, fc.array(record, { maxLength: 20 })),
      naptr: fc.dictionary(name, fc.array(service, { maxLength: 20 })),
    });
    fc.assert(
      fc.property(zone, name, (said, host) => {
        const hops = nextHops({ host }, known(said), everySocket);
        expect(hops?.length).toBeLessThanOrEqual(16);
        for (const hop of hops ?? []) expect(hop.port).toBeGreaterThan(0);
      }),
    );
  });
});

describe('while answers are awaited', () => {
  test('NAPTR and both SRV are asked together, and the name itself only after them', () => {
    const asked: string[] = [];
    const pending = (type: string) => (name: string) => {
      asked.push(`${type} ${name}`);
      return undefined;
    };
    const nothingYet: KnownNames = {
      ofHost: () => undefined,
      addresses: pending('A'),
      srv: pending('SRV'),
      naptr: pending('NAPTR'),
    };
    expect(nextHops({ host: 'example.org' }, nothingYet, everySocket)).toBeUndefined();
    expect(asked.sort()).toEqual([
      'NAPTR example.org',
      'SRV _sip._tcp.example.org',
      'SRV _sip._udp.example.org',
    ]);
  });

  test('the addresses of all servers are asked together', () => {
    const asked: string[] = [];
    const zone: Zone = { srv: { '_sip._udp.example.org': [srv('a.example.org'), srv('b.example.org')] } };
    const names: KnownNames = {
      ...known(zone),
      addresses: (name) => {
        asked.push(name);
        return undefined;
      },
    };
    expect(nextHops({ host: 'example.org' }, names, everySocket)).toBeUndefined();
    expect(asked).toEqual(['a.example.org', 'b.example.org']);
  });
});
