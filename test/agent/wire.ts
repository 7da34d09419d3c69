// The agent's socket: one UDP socket or one TCP connection, as octet strings in and out.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket as TcpSocket } from 'node:net';
import { createFramer } from '../../src/message/frame.ts';

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** What the socket tells. */
export interface WireEvents {
  /** One datagram, or one message of the stream; `at` is process.hrtime.bigint() as near to its arrival as can be. */
  message(octets: string, from: Address, at: bigint): void;
  /** Whatever came, before it is cut into messages. */
  octets(octets: string): void;
  /** The socket failed or the server closed the connection: nothing comes any more. */
  end(reason: Error): void;
}

export interface Wire {
  readonly local: Address;
  /** Sends at once; the promise says that the kernel took it. */
  send(octets: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Opens a UDP socket that takes datagrams from anywhere, so that an answer from a wrong address can be seen. */
export async function openUdp(server: Address, localAddress: string, events: WireEvents): Promise<Wire> {
  const family = isIPv6(server.address) ? 6 : 4;
  const socket: UdpSocket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Addresses are literal; the default look-up would delay each send by a tick.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  socket.on('message', (data, { address, port }) => {
    const at = process.hrtime.bigint();
    const octets = data.toString('latin1');
    events.octets(octets);
    events.message(octets, { address, port }, at);
  });
  const listening = once(socket, 'listening');
  socket.bind(0, localAddress);
  await listening;
  socket.on('error', (error) => events.end(error));
  const { address, port } = socket.address();
  return {
    local: { address, port },
    send: (octets) =>
      new Promise((resolve, reject) => {
        socket.send(octets, server.port, server.address, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** Opens a TCP connection, or fails within `timeoutMs`. */
export async function openTcp(
  server: Address,
  localAddress: string,
  events: WireEvents,
  timeoutMs: number,
): Promise<Wire> {
  const socket: TcpSocket = connect({ host: server.address, port: server.port, localAddress, noDelay: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    socket.destroy();
    const { message } = error as Error;
    throw new Error(`no TCP connection to ${server.address} port ${server.port}: ${message}`, {
      cause: error,
    });
  }
  const framer = createFramer();
  socket.on('data', (data) => {
    const at = process.hrtime.bigint();
    events.octets(data.toString('latin1'));
    for (const event of framer.push(data)) {
      if (event.type === 'message') events.message(event.octets, server, at);
      else if (event.type === 'malformed')
        events.end(new Error(`the server's stream: ${event.field}: ${event.why}`));
    }
  });
  socket.on('error', (error) => events.end(error));
  socket.on('close', () => events.end(new Error('the server closed the connection')));
  return {
    local: { address: socket.localAddress as string, port: socket.localPort as number },
    send: (octets) =>
      new Promise((resolve, reject) => {
        socket.write(octets, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {
      if (socket.closed) return;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    },
  };
}
