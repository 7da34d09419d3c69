// RFC 3263 against a DNS server of Debian's.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  createLocator,
  type Locator,
  type LocatorOptions,
  type NextHop,
} from '../../src/transport/locate.ts';
import { describeNeeding } from '../host/required.ts';
import { type Dnsmasq, startDnsmasq } from './dnsmasq.ts';

const many = Array.from({ length: 40 }, (_, index) => `s${index}-of-many-servers.example.org`);

const records = [
  'host-record=a.example.org,192.0.2.1,2001:db8::1',
  'host-record=b.example.org,192.0.2.2',
  'host-record=c.example.org,192.0.2.3',
  'host-record=six.example.org,2001:db8::6',
  'cname=alias.example.org,b.example.org',

  'naptr-record=naptr.example.org,20,10,s,SIP+D2U,,_sip._udp.naptr.example.org',
  'naptr-record=naptr.example.org,10,20,s,SIP+D2T,,_sip._tcp.naptr.example.org',
  'naptr-record=naptr.example.org,10,10,s,SIPS+D2T,,_sips._tcp.naptr.example.org',
  'srv-host=_sip._tcp.naptr.example.org,b.example.org,5070',
  'srv-host=_sip._udp.naptr.example.org,c.example.org,5080',
  'srv-host=_sips._tcp.naptr.example.org,a.example.org,5061',

  'srv-host=_sip._udp.backup.example.org,c.example.org,5063,30,100',
  'srv-host=_sip._udp.backup.example.org,a.example.org,5061,10,0',
  'srv-host=_sip._udp.backup.example.org,b.example.org,5062,20,0',
  'srv-host=_sip._tcp.backup.example.org,b.example.org,5064',

  'srv-host=_sip._udp.shared.example.org,b.example.org,5060,1,75',
  'srv-host=_sip._udp.shared.example.org,c.example.org,5060,1,25',

  'srv-host=_sip._udp.none.example.org',
  'host-record=none.example.org,192.0.2.9',

  ...many.map((name) => `srv-host=_sip._udp.many.example.org,${name},5060`),
  ...many.map((name, index) => `host-record=${name},192.0.2.${100 + index}`),
];

/** A generator of numbers that is the same in each run (Numerical Recipes' LCG). */
function sameEachTime(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describeNeeding(['dnsmasq'], 'locating servers by dnsmasq', () => {
  let dnsmasq: Dnsmasq;
  const locators: Locator[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    dnsmasq = await startDnsmasq(records);
  });
  afterAll(() => dnsmasq?.stop());
  afterEach(() => {
    for (const each of [...locators.splice(0), ...sockets.splice(0)]) each.close();
  });

  function locator(options: Partial<LocatorOptions> = {}): Locator {
    const made = createLocator({
      resolver: [`127.0.0.1:${dnsmasq.port}`],
      transports: () => new Set(['udp4', 'udp6', 'tcp4', 'tcp6'] as const),
      hostsFile: '/dev/null',
      ...options,
    });
    locators.push(made);
    return made;
  }

  /** A UDP port on loopback that passes datagrams on to dnsmasq after a time; never, where it is undefined. */
  async function delaying(delayMs: number | undefined): Promise<string> {
    const front = createSocket('udp4');
    sockets.push(front);
    front.on('message', (query, client) => {
      if (delayMs === undefined) return;
      const back = createSocket('udp4');
      back.once('message', (answer) => {
        back.close();
        if (sockets.includes(front)) front.send(answer, client.port, client.address);
      });
      setTimeout(() => back.send(query, dnsmasq.port, '127.0.0.1'), delayMs);
    });
    front.bind(0, '127.0.0.1');
    await once(front, 'listening');
    return `127.0.0.1:${front.address().port}`;
  }

  const lines = (hops: readonly NextHop[]) =>
    hops.map(({ transport, address, port }) => `${transport} ${address} ${port}`);

  test('NAPTR chooses TCP before UDP, and passes over TLS (§4.1)', async () => {
    expect(lines(await locator().locate({ host: 'naptr.example.org' }))).toEqual([
      'tcp 192.0.2.2 5070',
      'udp 192.0.2.3 5080',
    ]);
  });

  test('SRV servers come by priority, with all their addresses, UDP before TCP (§4.2)', async () => {
    const udp = ['udp 192.0.2.1 5061', 'udp 2001:db8::1 5061', 'udp 192.0.2.2 5062', 'udp 192.0.2.3 5063'];
    expect(lines(await locator().locate({ host: 'backup.example.org' }))).toEqual([
      ...udp,
      'tcp 192.0.2.2 5064',
    ]);
    expect(lines(await locator().locate({ host: 'backup.example.org', transport: 'udp' }))).toEqual(udp);
    const onlyIpv4 = locator({ transports: () => new Set(['udp4'] as const) });
    expect(lines(await onlyIpv4.locate({ host: 'backup.example.org' }))).toEqual(
      udp.filter((line) => !line.includes(':')),
    );
  });

  test('SRV weights share requests 75 to 25 (RFC 2782), without asking again', async () => {
    const { locate } = locator({ random: sameEachTime() });
    let first = 0;
    for (let count = 0; count < 1000; count++) {
      const hops = await locate({ host: 'shared.example.org' });
      expect(hops).toHaveLength(2);
      if (hops[0]?.address === '192.0.2.2') first += 1;
    }
    expect(first).toBeGreaterThan(690);
    expect(first).toBeLessThan(810);
    expect(dnsmasq.asked('SRV', '_sip._udp.shared.example.org')).toBe(1);
  });

  test('a service that is said not to be there is not tried at the name itself', async () => {
    expect(await locator().locate({ host: 'none.example.org' })).toEqual([]);
    expect(lines(await locator().locate({ host: 'none.example.org', port: 5060 }))).toEqual([
      'udp 192.0.2.9 5060',
    ]);
  });

  test('without NAPTR and SRV the addresses of the name are, through an alias too', async () => {
    const { locate } = locator();
    expect(lines(await locate({ host: 'a.example.org' }))).toEqual([
      'udp 192.0.2.1 5060',
      'udp 2001:db8::1 5060',
    ]);
    expect(lines(await locate({ host: 'alias.example.org', transport: 'tcp' }))).toEqual([
      'tcp 192.0.2.2 5060',
    ]);
    expect(lines(await locate({ host: 'six.example.org' }))).toEqual(['udp 2001:db8::6 5060']);
  });

  test('a name that does not exist is nowhere, and not asked for again', async () => {
    const { locate } = locator();
    expect(await locate({ host: 'gone.example.org' })).toEqual([]);
    expect(locate({ host: 'gone.example.org' })).toEqual([]);
    expect(dnsmasq.asked('A', 'gone.example.org')).toBe(1);
  });

  test('an answer that fits no datagram is fetched by TCP; eight of its servers are followed', async () => {
    const hops = await locator().locate({ host: 'many.example.org' });
    expect(new Set(hops.map(({ address }) => address)).size).toBe(8);
    const followed = many.filter((name) => dnsmasq.asked('A', name) > 0);
    expect(followed).toHaveLength(8);
  });

  test('a dead server before the live one costs half a second', async () => {
    const began = performance.now();
    const { locate } = locator({ resolver: [await delaying(undefined), `127.0.0.1:${dnsmasq.port}`] });
    expect(await locate({ host: 'naptr.example.org' })).toHaveLength(2);
    const tookMs = performance.now() - began;
    expect(tookMs).toBeGreaterThan(490);
    expect(tookMs).toBeLessThan(1500);
  });

  test('a server that takes 600 ms an answer is slow, and no less right', async () => {
    const { locate } = locator({ resolver: [await delaying(600)] });
    expect(lines(await locate({ host: 'naptr.example.org' }))).toEqual([
      'tcp 192.0.2.2 5070',
      'udp 192.0.2.3 5080',
    ]);
  });

  test('with nothing but dead servers the answer is nothing, after three seconds', async () => {
    const began = performance.now();
    const resolver = [await delaying(undefined), await delaying(undefined)];
    expect(await locator({ resolver }).locate({ host: 'naptr.example.org' })).toEqual([]);
    expect(performance.now() - began).toBeLessThan(4500);
  });
});
