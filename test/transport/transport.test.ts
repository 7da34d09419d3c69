import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Interfaces, ListenAddress } from '../../src/transport/listen-address.ts';
import { ListenFault } from '../../src/transport/listen-fault.ts';
import { openTransport } from '../../src/transport/transport.ts';
import { station, tcpPeer, udpPeer } from './peers.ts';

const info = (address: string) =>
  ({
    address,
    family: address.includes(':') ? 'IPv6' : 'IPv4',
    netmask: '',
    mac: '',
    internal: true,
    cidr: null,
  }) as never;
const host = (...addresses: string[]): Interfaces => ({ lo: addresses.map(info) });

/** A UDP port of 127.0.0.1 that is taken until the test ends. */
async function takenUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return socket.address().port;
}

/** A port of 127.0.0.1 that was free for both transports a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function faultOf(listen: readonly ListenAddress[]): Promise<ListenFault> {
  const opened = openTransport({
    listen,
    onMessage: () => {},
    log: () => {},
    interfaces: () => host('127.0.0.1'),
  });
  const fault = await opened.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(fault).toBeInstanceOf(ListenFault);
  return fault as ListenFault;
}

describe('openTransport (DESIGN §3)', () => {
  test('opens every socket and says where they are', async () => {
    const { transport, log } = await station(['udp:127.0.0.1', 'tcp:127.0.0.1', 'udp:::1', 'tcp:::1']);
    const bound = transport.addresses();
    expect(bound.map((each) => `${each.transport} ${each.address}`)).toEqual([
      'udp 127.0.0.1',
      'tcp 127.0.0.1',
      'udp ::1',
      'tcp ::1',
    ]);
    expect(bound.every((each) => each.port > 0)).toBe(true);
    expect(log.filter((each) => each.event === 'listening')).toHaveLength(4);
  });

  test('a port in use is one clear line, and leaves nothing open', async () => {
    const taken = await takenUdpPort();
    const free = await freePort();
    const fault = await faultOf([
      { transport: 'udp', host: '127.0.0.1', port: free },
      { transport: 'tcp', host: '127.0.0.1', port: free },
      { transport: 'udp', host: '127.0.0.1', port: taken },
    ]);
    expect(fault.message).toBe(`Listen udp:127.0.0.1:${taken}: address in use`);
    expect(fault.cause).toMatchObject({ code: 'EADDRINUSE' });
    const socket = createSocket('udp4').bind(free, '127.0.0.1');
    await once(socket, 'listening');
    const server = createServer().listen(free, '127.0.0.1');
    await once(server, 'listening');
    socket.close();
    server.close();
  });

  test('of `*` the line names the address too', async () => {
    const taken = await takenUdpPort();
    const fault = await faultOf([{ transport: 'udp', host: '*', port: taken }]);
    expect(fault.message).toBe(`Listen udp:*:${taken}: 127.0.0.1:${taken}: address in use`);
  });

  test.each(['udp', 'tcp'] as const)(
    'an address of another host is one clear line: %s',
    async (transport) => {
      expect((await faultOf([{ transport, host: '203.0.113.1', port: 5060 }])).message).toBe(
        `Listen ${transport}:203.0.113.1:5060: no such address on this host`,
      );
      expect((await faultOf([{ transport, host: '2001:db8::1', port: 5060 }])).message).toBe(
        `Listen ${transport}:[2001:db8::1]:5060: no such address on this host`,
      );
    },
  );

  test('without any address it does not start', async () => {
    const options = { listen: [], onMessage: () => {}, log: () => {} };
    await expect(openTransport(options)).rejects.toThrow('no address to listen on');
  });

  test('`*` is a socket for each address, not the wildcard', async () => {
    const { transport, messages, port } = await station(['udp:*', 'tcp:*'], {
      interfaces: () => host('127.0.0.1', '127.0.0.2', '::1'),
    });
    expect(transport.addresses().map((each) => each.address)).toEqual([
      '127.0.0.1',
      '127.0.0.2',
      '::1',
      '127.0.0.1',
      '127.0.0.2',
      '::1',
    ]);
    const peer = await udpPeer();
    await peer.send('HELLO', port('udp', '127.0.0.2'), '127.0.0.2');
    (await messages.next()).flow.send('OK');
    expect((await peer.datagrams.next()).from.address).toBe('127.0.0.2');
  });

  test('`*` follows the addresses of the host', async () => {
    let now = host('127.0.0.1', '127.0.0.2');
    const { transport, messages, port } = await station(['udp:*', 'tcp:*', 'udp:127.0.0.4'], {
      interfaces: () => now,
    });
    const before = transport.addresses();
    const connected = await tcpPeer(port('tcp', '127.0.0.2'), '127.0.0.2');
    now = host('127.0.0.1', '127.0.0.3');
    await Promise.all([transport.refresh(), transport.refresh()]);
    const after = transport.addresses();
    expect(after.map((each) => `${each.transport} ${each.address}`).sort()).toEqual([
      'tcp 127.0.0.1',
      'tcp 127.0.0.3',
      'udp 127.0.0.1',
      'udp 127.0.0.3',
      'udp 127.0.0.4',
    ]);
    // What stays is not opened again.
    expect(after).toEqual(expect.arrayContaining(before.filter((each) => /\.[14]$/.test(each.address))));
    await connected.closed;
    const peer = await udpPeer();
    await peer.send('HELLO', port('udp', '127.0.0.3'), '127.0.0.3');
    expect((await messages.next()).flow.localAddress).toBe('127.0.0.3');
    expect(transport.isOwn('127.0.0.2', before.find((each) => each.address === '127.0.0.2')?.port)).toBe(
      false,
    );
  });

  test('an address of `*` that cannot be bound is told once and does not stop the rest', async () => {
    let now = host('127.0.0.1', '203.0.113.1');
    const { transport, log } = await station(['udp:*'], { interfaces: () => now });
    await transport.refresh();
    now = host('127.0.0.1');
    await transport.refresh();
    expect(transport.addresses()).toHaveLength(1);
    expect(log.filter((each) => each.level === 'warning')).toMatchObject([
      { fields: { why: 'Listen udp:*:0: 203.0.113.1:0: no such address on this host' } },
    ]);
  });

  test('knows its own sockets and what they are advertised as', async () => {
    const advertise = { host: 'SIP.example.org', port: 5070 };
    const { transport, port } = await station([], {
      listen: [
        { transport: 'udp', host: '127.0.0.1', port: 0, advertise },
        { transport: 'tcp', host: '::1', port: 0, advertise: { host: '198.51.100.1' } },
      ],
    });
    const [udp, tcp] = [port('udp'), port('tcp', '::1')];
    expect(transport.isOwn('127.0.0.1', udp)).toBe(true);
    expect(transport.isOwn('[::1]', tcp)).toBe(true);
    expect(transport.isOwn('0:0::1', tcp)).toBe(true);
    expect(transport.isOwn('sip.EXAMPLE.org', 5070)).toBe(true);
    expect(transport.isOwn('198.51.100.1', tcp)).toBe(true);
    expect(transport.isOwn('127.0.0.1')).toBe(false);
    expect(transport.isOwn('127.0.0.2', udp)).toBe(false);
    expect(transport.isOwn('sip.example.org', udp)).toBe(false);
    expect(transport.addresses()[0]?.advertise).toBe(advertise);
  });

  test('close during a look at the addresses leaves nothing open either', async () => {
    let now = host('127.0.0.1');
    const { transport, log } = await station(['udp:*'], { interfaces: () => now });
    now = host('127.0.0.1', '127.0.0.2', '127.0.0.3');
    await Promise.all([transport.refresh(), transport.close()]);
    const opened = log.filter((each) => each.event === 'listening').map((each) => each.fields);
    expect(opened.length).toBeGreaterThan(1);
    for (const fields of opened) {
      const { address, port } = fields as { address: string; port: number };
      const socket = createSocket('udp4').bind(port, address);
      await once(socket, 'listening');
      socket.close();
    }
  });

  test('close leaves nothing open', async () => {
    const { transport, port } = await station(['udp:127.0.0.1', 'tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    const [udp, tcp] = [port('udp'), port('tcp')];
    await Promise.all([transport.close(), transport.refresh()]);
    await peer.closed;
    expect(transport.addresses()).toEqual([]);
    const socket = createSocket('udp4').bind(udp, '127.0.0.1');
    const server = createServer().listen(tcp, '127.0.0.1');
    await Promise.all([once(socket, 'listening'), once(server, 'listening')]);
    socket.close();
    server.close();
  });
});
