import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { request, station, udpPeer } from './peers.ts';

describe('UDP (RFC 3261 §18)', () => {
  test.each(['127.0.0.1', '::1'])('takes a datagram and answers on its flow: %s', async (address) => {
    const { messages, port } = await station([`udp:${address}`]);
    const peer = await udpPeer(address);
    await peer.send('HELLO \xe9\xff\x00', port('udp', address), address);
    const { octets, flow } = await messages.next();
    expect(octets).toBe('HELLO \xe9\xff\x00');
    expect(flow).toMatchObject({
      transport: 'udp',
      reliable: false,
      localAddress: address,
      remoteAddress: address,
    });
    expect([flow.localPort, flow.remotePort]).toEqual([port('udp', address), peer.port]);
    flow.send('OK \xe9\xff\x00');
    const { bytes, from } = await peer.datagrams.next();
    expect(bytes).toEqual(Buffer.from('OK \xe9\xff\x00', 'latin1'));
    expect([from.address, from.port]).toEqual([address, port('udp', address)]);
  });

  test('answers from the address the datagram came to', async () => {
    const { messages, port } = await station(['udp:127.0.0.1', 'udp:127.0.0.2']);
    const peer = await udpPeer();
    for (const address of ['127.0.0.2', '127.0.0.1']) {
      await peer.send('HELLO', port('udp', address), address);
      const { flow } = await messages.next();
      expect(flow.localAddress).toBe(address);
      flow.send('OK');
      expect((await peer.datagrams.next()).from).toMatchObject({ address, port: port('udp', address) });
    }
  });

  test('takes a datagram of 65,507 octets', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    const text = 'x'.repeat(65507);
    await peer.send(text, port('udp'), '127.0.0.1');
    expect((await messages.next()).octets === text).toBe(true);
  });

  test('drops keepalives of at most 4 bytes, or of CR, LF and NUL only (RFC 5626 §4.4)', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    const keepalives = [
      '',
      '\0',
      '\r\n',
      'jaK',
      'ping',
      '\r\n\r\n',
      '\r\n\r\n\r\n',
      '\0'.repeat(20),
      '\r\n\0\0\0\n',
    ];
    for (const text of [...keepalives, '\r\n\r\n\r\nOPTIONS', 'pings']) {
      await peer.send(text, port('udp'), '127.0.0.1');
    }
    expect((await messages.next()).octets).toBe('\r\n\r\n\r\nOPTIONS');
    expect((await messages.next()).octets).toBe('pings');
  });

  test('answers a STUN Binding request and hands no STUN up (RFC 5389 §7.3)', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    const indication = Buffer.from('001100002112a442000102030405060708090a0b', 'hex');
    await peer.send(indication, port('udp'), '127.0.0.1');
    await peer.send(binding, port('udp'), '127.0.0.1');
    const { bytes } = await peer.datagrams.next();
    expect(bytes.subarray(0, 2).toString('hex')).toBe('0101');
    expect(bytes.readUInt16BE(26) ^ 0x2112).toBe(peer.port);
    // Without the cookie it is not STUN, and somebody else's to judge.
    const old = Buffer.from('0001000000000000000102030405060708090a0b', 'hex');
    await peer.send(old, port('udp'), '127.0.0.1');
    expect((await messages.next()).octets).toBe(old.toString('latin1'));
  });

  test('reuses the Flow of a peer, and keeps peers apart however many there are', async () => {
    const { messages, port, transport } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    await peer.send('first', port('udp'), '127.0.0.1');
    const { flow } = await messages.next();
    await peer.send('again', port('udp'), '127.0.0.1');
    expect((await messages.next()).flow).toBe(flow);
    for (let count = 1; count <= 65535; count += 1) {
      const remoteAddress = `10.${count % 7}.${count >> 8}.${count & 255}`;
      const remotePort = count % 3 === 0 ? 5060 : count;
      const other = transport.findFlow({ ...flowEnds(flow), remotePort, remoteAddress });
      if (other?.remotePort !== remotePort || other.remoteAddress !== remoteAddress)
        throw new Error('mixed up');
    }
    flow.send('still here');
    expect((await peer.datagrams.next()).bytes.toString()).toBe('still here');
  });

  test('reaches another port of the peer by the same socket', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const [peer, other] = [await udpPeer(), await udpPeer()];
    await peer.send(request('a'), port('udp'), '127.0.0.1');
    (await messages.next()).flow.atPort(other.port).send('OK');
    expect((await other.datagrams.next()).from.port).toBe(port('udp'));
  });

  test.each(['127.0.0.1', '::1'])(
    'takes a flood in order, and single datagrams before and after: %s',
    async (address) => {
      const { messages, port } = await station([`udp:${address}`]);
      const [peer, other] = [await udpPeer(address), await udpPeer(address)];
      for (let round = 0; round < 3; round += 1) {
        for (let each = 0; each < 100; each += 1) {
          await Promise.all(
            [peer, other].map((from) => from.send(`number ${each}`, port('udp', address), address)),
          );
        }
        const came = new Map<number, string[]>();
        for (let each = 0; each < 200; each += 1) {
          const { octets, flow } = await messages.next();
          came.set(flow.remotePort, [...(came.get(flow.remotePort) ?? []), octets]);
          flow.send(`answer to ${octets}`);
        }
        const numbers = Array.from({ length: 100 }, (_, each) => `number ${each}`);
        for (const { port: from, datagrams } of [peer, other]) {
          expect(came.get(from)).toEqual(numbers);
          for (const number of numbers)
            expect((await datagrams.next()).bytes.toString()).toBe(`answer to ${number}`);
        }
        // Long enough for the socket to be watched again; nothing tells.
        await new Promise((resolve) => setTimeout(resolve, 250));
        await peer.send('single', port('udp', address), address);
        expect((await messages.next()).octets).toBe('single');
      }
    },
  );

  test('sends what is said in one turn in its order', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    await peer.send('HELLO', port('udp'), '127.0.0.1');
    const { flow } = await messages.next();
    for (let each = 0; each < 100; each += 1) flow.send(`number ${each}`);
    for (let each = 0; each < 100; each += 1)
      expect((await peer.datagrams.next()).bytes.toString()).toBe(`number ${each}`);
  });

  test('shares its port with nobody, before and after a flood', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    for (let round = 0; round < 2; round += 1) {
      const thief = createSocket({ type: 'udp4', reuseAddr: true });
      const refused = once(thief, 'error');
      thief.bind(port('udp'), '127.0.0.1');
      expect((await refused)[0]).toMatchObject({ code: 'EADDRINUSE' });
      thief.close();
      for (let each = 0; each < 100; each += 1) await peer.send('flood', port('udp'), '127.0.0.1');
      for (let each = 0; each < 100; each += 1) await messages.next();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  });

  test('reports a failure to send once and goes on', async () => {
    const { messages, port } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    await peer.send('HELLO', port('udp'), '127.0.0.1');
    const { flow } = await messages.next();
    const tooLong = await new Promise<Error>((resolve) => flow.send('x'.repeat(70_000), resolve));
    expect(tooLong.message).toContain('EMSGSIZE');
    flow.send('x'.repeat(70_000));
    flow.send('OK');
    expect((await peer.datagrams.next()).bytes.toString()).toBe('OK');
  });

  test('reports sending after close, and closes twice', async () => {
    const { messages, port, transport } = await station(['udp:127.0.0.1']);
    const peer = await udpPeer();
    await peer.send('HELLO', port('udp'), '127.0.0.1');
    const { flow } = await messages.next();
    await transport.close();
    await transport.close();
    const error = await new Promise<Error>((resolve) => flow.send('OK', resolve));
    expect(error.message).toBe('the socket is closed');
    flow.send('OK');
  });
});

function flowEnds(flow: { localAddress: string; localPort: number }) {
  return { transport: 'udp' as const, localAddress: flow.localAddress, localPort: flow.localPort };
}
