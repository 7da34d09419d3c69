import { once } from 'node:events';
import { createServer } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { request, station, tcpPeer } from './peers.ts';

/** Time-outs short enough to wait for; a sweep comes four times in each. */
const hasty = { messageMs: 80, idleMs: 200 };

describe('TCP (RFC 3261 §18)', () => {
  test.each(['127.0.0.1', '::1'])(
    'takes a message and answers on the same connection: %s',
    async (address) => {
      const { messages, port } = await station([`tcp:${address}`]);
      const peer = await tcpPeer(port('tcp', address), address);
      peer.socket.write(request('a', 'body \xff'), 'latin1');
      const { octets, flow } = await messages.next();
      expect(octets).toBe(request('a', 'body \xff'));
      expect(flow).toMatchObject({
        transport: 'tcp',
        reliable: true,
        localAddress: address,
        remoteAddress: address,
      });
      expect(flow.remotePort).toBe(peer.socket.localPort);
      expect(flow.atPort(5060)).toBe(flow);
      flow.send('answer \xff');
      expect(await peer.until(8)).toBe('answer \xff');
    },
  );

  test('puts a message together from chunks of one byte', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    for (const octet of request('slow', 'body')) {
      await new Promise<void>((resolve) => peer.socket.write(octet, 'latin1', () => setImmediate(resolve)));
    }
    expect((await messages.next()).octets).toBe(request('slow', 'body'));
  });

  test('takes two messages of one segment apart, and the half behind them', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a') + request('b', 'x') + request('c').slice(0, 50));
    expect((await messages.next()).octets).toBe(request('a'));
    expect((await messages.next()).octets).toBe(request('b', 'x'));
    peer.socket.write(request('c').slice(50));
    expect((await messages.next()).octets).toBe(request('c'));
  });

  test('any cut of a stream gives the same messages', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const stream = request('a', '1') + request('b') + request('c', '3'.repeat(3000));
    const cuts = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const peer = await tcpPeer(port('tcp'));
        const ends = [...at.sort((a, b) => a - b), stream.length];
        let from = 0;
        for (const end of ends) {
          await new Promise((resolve) => peer.socket.write(stream.slice(from, end), 'latin1', resolve));
          from = end;
        }
        const got = [await messages.next(), await messages.next(), await messages.next()];
        expect(got.map((each) => each.octets).join('')).toBe(stream);
        peer.socket.destroy();
      }),
      { numRuns: 20 },
    );
  });

  test('answers CRLF CRLF with CRLF (RFC 5626 §4.4.1)', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(`\r\n\r\n${request('a')}\r\n\r\n`);
    expect((await messages.next()).octets).toBe(request('a'));
    expect(await peer.until(4)).toBe('\r\n\r\n');
  });

  test('delivers the answer to a broken stream, takes nothing more, then closes', async () => {
    const padding = 'x'.repeat(900_000);
    const { port, messages } = await station(['tcp:127.0.0.1'], {
      onMalformed: (malformed, flow) => flow.send(`400 ${malformed.field} ${padding}`),
    });
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a').replace('Content-Length: 0', 'Content-Length: none') + request('b'));
    await peer.closed;
    expect(peer.text() === `400 Content-Length ${padding}`).toBe(true);
    expect(messages.items).toEqual([]);
  });

  test('forgets half a message when the peer closes', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    peer.socket.end(request('a') + request('b').slice(0, 60));
    await peer.closed;
    const other = await tcpPeer(port('tcp'));
    other.socket.write(request('c'));
    expect([(await messages.next()).octets, (await messages.next()).octets]).toEqual([
      request('a'),
      request('c'),
    ]);
  });

  test('cuts off a message that does not get complete in time', async () => {
    const { port, log } = await station(['tcp:127.0.0.1'], { tcpLimits: { ...hasty, idleMs: 60_000 } });
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a'));
    // An octet now and then keeps it busy, not alive.
    const octets = request('b')[Symbol.iterator]();
    const trickle = setInterval(() => peer.socket.write(octets.next().value ?? 'x'), 10);
    onTestFinished(() => clearInterval(trickle));
    await peer.closed;
    expect(log).toContainEqual({
      level: 'info',
      event: 'tcp-cut',
      fields: expect.objectContaining({ why: 'no complete message in time' }),
    });
  });

  test('cuts off who connects and says nothing', async () => {
    const { port } = await station(['tcp:127.0.0.1'], { tcpLimits: { ...hasty, idleMs: 60_000 } });
    const peer = await tcpPeer(port('tcp'));
    await peer.closed;
  });

  test('pings, and tells of the CRLF that answers (RFC 5626 §4.4.1)', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a'));
    const { flow } = await messages.next();
    const pong = new Promise<void>((resolve) => flow.ping?.(resolve));
    expect(await peer.until(4)).toBe('\r\n\r\n');
    peer.socket.write('\r\n');
    await pong;
    peer.socket.write('\r\n\r\n');
    expect(await peer.until(6)).toBe('\r\n\r\n\r\n');
  });

  test('a connection on which nothing but pings of ours goes is idle', async () => {
    const { messages, port } = await station(['tcp:127.0.0.1'], { tcpLimits: hasty });
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a'));
    const { flow } = await messages.next();
    const timer = setInterval(() => flow.ping?.(() => {}), 20);
    onTestFinished(() => clearInterval(timer));
    await peer.closed;
  });

  test('cuts off an idle connection, but not one with keepalives', async () => {
    const { port, messages } = await station(['tcp:127.0.0.1'], { tcpLimits: hasty });
    const [idle, alive] = [await tcpPeer(port('tcp')), await tcpPeer(port('tcp'))];
    idle.socket.write(request('idle'));
    alive.socket.write(request('alive'));
    const ping = setInterval(() => alive.socket.write('\r\n\r\n'), 20);
    onTestFinished(() => clearInterval(ping));
    await idle.closed;
    await alive.until(40);
    alive.socket.write(request('still'));
    const seen = [await messages.next(), await messages.next(), await messages.next()];
    expect(seen.map((each) => each.octets)).toContain(request('still'));
  });

  test('cuts off a peer that does not read', async () => {
    const { port, messages } = await station(['tcp:127.0.0.1'], { tcpLimits: { maxUnsentBytes: 100_000 } });
    const peer = await tcpPeer(port('tcp'));
    peer.socket.pause();
    peer.socket.write(request('a'));
    const { flow } = await messages.next();
    const failed = await new Promise<Error>((resolve) => {
      const flood = setInterval(() => {
        flow.send('x'.repeat(65_536), (error) => {
          clearInterval(flood);
          resolve(error);
        });
      });
    });
    expect(failed).toBeInstanceOf(Error);
    peer.socket.resume();
    await peer.closed;
  });

  test('holds at most so many connections, and so many of one address', async () => {
    const { port } = await station(['tcp:127.0.0.1'], { tcpLimits: { maxConnections: 3, maxPerAddress: 2 } });
    const first = await tcpPeer(port('tcp'));
    await tcpPeer(port('tcp'));
    await (await tcpPeer(port('tcp'))).closed;
    const other = await tcpPeer(port('tcp'), '127.0.0.1', '127.0.0.2');
    await (await tcpPeer(port('tcp'), '127.0.0.1', '127.0.0.3')).closed;
    other.socket.write('\r\n\r\n');
    await other.until(2);
    // A place that gets free is there for the next one.
    first.socket.end();
    await first.closed;
    const next = await tcpPeer(port('tcp'));
    next.socket.write('\r\n\r\n');
    expect(await next.until(2)).toBe('\r\n');
  });

  test('survives a reset in the middle of everything', async () => {
    const { port, messages } = await station(['tcp:127.0.0.1']);
    const peer = await tcpPeer(port('tcp'));
    peer.socket.write(request('a'));
    const { flow } = await messages.next();
    peer.socket.resetAndDestroy();
    const failed = await new Promise<Error>((resolve) => {
      const again = setInterval(() => {
        flow.send('answer', (error) => {
          clearInterval(again);
          resolve(error);
        });
      });
    });
    expect(failed).toBeInstanceOf(Error);
    const other = await tcpPeer(port('tcp'));
    other.socket.write(request('b'));
    expect((await messages.next()).octets).toBe(request('b'));
  });
});

describe('connections made (RFC 3261 §18.1.1)', () => {
  test('are one for each peer, however many ask, and take messages', async () => {
    const { transport, messages } = await station(['udp:127.0.0.1']);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as { port: number };
    const accepted = once(server, 'connection');
    const [one, two] = await Promise.all([
      transport.connectTcp('127.0.0.1', port),
      transport.connectTcp('127.0.0.1', port),
    ]);
    expect(one).toBe(two);
    expect(await transport.connectTcp('127.0.0.1', port)).toBe(one);
    expect(transport.findFlow(one)).toBe(one);
    const [socket] = await accepted;
    one.send('HELLO');
    expect((await once(socket, 'data'))[0].toString()).toBe('HELLO');
    socket.write(request('back'));
    expect(await messages.next()).toMatchObject({ octets: request('back'), flow: { remotePort: port } });
    await transport.close();
    await once(socket, 'close');
    await expect(transport.connectTcp('127.0.0.1', port)).rejects.toThrow('closed');
  });

  test('are not there: refused, or too many', async () => {
    const { transport, port } = await station(['tcp:127.0.0.1'], { tcpLimits: { maxConnections: 0 } });
    await expect(transport.connectTcp('127.0.0.1', port('tcp'))).rejects.toThrow('too many');
    const { transport: other } = await station(['tcp:127.0.0.1']);
    await expect(other.connectTcp('127.0.0.1', 1)).rejects.toThrow('ECONNREFUSED');
  });
});
