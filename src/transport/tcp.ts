// TCP (RFC 3261 §18): listening sockets and connections made, all in one table with one set of limits.

import { createServer, isIPv6, connect as netConnect, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { formatHostPort, withoutZone } from './address.ts';
import { type Connections, createConnections, type FlowEnds } from './connections.ts';
import type { Flow } from './flow.ts';
import { TcpConnection, type TcpHandlers, type TcpLimits } from './tcp-connection.ts';

/** One listening TCP socket. */
export interface TcpListener {
  /** Canonical, without zone. */
  readonly address: string;
  readonly port: number;
  /** Stops listening and closes the connections accepted here. */
  close(): Promise<void>;
}

/** All TCP of a transport. */
export interface Tcp {
  /** Listens, or takes `fd`, which does. Rejects with the system's error, and then leaves nothing open. */
  listen(address: string, port: number, fd?: number): Promise<TcpListener>;
  /** The connection to that peer, made if there is none; rejects when it cannot be had in `connectMs`. */
  connect(remoteAddress: string, remotePort: number): Promise<Flow>;
  find(ends: FlowEnds): Flow | undefined;
  /** The number of connections open or being made. */
  size(): number;
  /** Closes every connection; listeners are closed by themselves. */
  close(): void;
}

const backlog = 511;
const longestSweepMs = 1000;

/** Makes the TCP of a transport; it holds nothing open until `listen` or `connect`. */
export function createTcp(limits: TcpLimits, handlers: TcpHandlers): Tcp {
  const table = createConnections<TcpConnection>();
  const pending = new Map<string, Promise<Flow>>();
  const connecting = new Set<Socket>();
  const sweepMs = Math.max(1, Math.min(longestSweepMs, limits.idleMs / 4, limits.messageMs / 4));
  const sweeper = setInterval(() => {
    const now = performance.now();
    for (const connection of table) connection.sweep(now);
  }, sweepMs);
  sweeper.unref();

  function adopt(socket: Socket, accepted: boolean): TcpConnection {
    const connection = new TcpConnection(socket, accepted, limits, handlers, performance.now());
    table.add(connection);
    socket.once('close', () => table.remove(connection));
    return connection;
  }

  function accept(socket: Socket): TcpConnection | undefined {
    const address = withoutZone(socket.remoteAddress ?? '');
    const why =
      address === ''
        ? 'the peer is gone'
        : table.size() + connecting.size >= limits.maxConnections
          ? 'too many connections'
          : table.countOf(address) >= limits.maxPerAddress
            ? 'too many connections of this address'
            : undefined;
    if (why === undefined) return adopt(socket, true);
    handlers.log('info', 'tcp-refused', { src: formatHostPort(address, socket.remotePort ?? 0), why });
    socket.on('error', () => {});
    socket.destroy();
    return undefined;
  }

  async function listen(address: string, port: number, fd?: number): Promise<TcpListener> {
    const accepted = new Set<TcpConnection>();
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
      (socket) => {
        const connection = accept(socket);
        if (connection === undefined) return;
        accepted.add(connection);
        socket.once('close', () => accepted.delete(connection));
      },
    );
    await bind(server, address, port, fd);
    server.on('error', (error) => {
      handlers.log('warning', 'tcp-listen-error', { address, port, why: error.message });
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has no address');
    return {
      address: withoutZone(bound.address),
      port: bound.port,
      close: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          for (const connection of accepted) connection.destroy();
        }),
    };
  }

  function connect(remoteAddress: string, remotePort: number): Promise<Flow> {
    const open = table.findPeer('tcp', withoutZone(remoteAddress), remotePort);
    if (open !== undefined) return Promise.resolve(open);
    const key = `${remoteAddress} ${remotePort}`;
    const begun = pending.get(key);
    if (begun !== undefined) return begun;
    if (table.size() + connecting.size >= limits.maxConnections) {
      return Promise.reject(new Error('too many connections'));
    }
    const promise = dial(remoteAddress, remotePort).finally(() => pending.delete(key));
    pending.set(key, promise);
    return promise;
  }

  function dial(remoteAddress: string, remotePort: number): Promise<Flow> {
    return new Promise<Flow>((resolve, reject) => {
      const socket = netConnect({
        host: remoteAddress,
        port: remotePort,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 60_000,
      });
      connecting.add(socket);
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), limits.connectMs);
      socket.once('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        connecting.delete(socket);
        reject(Object.assign(new Error('the connection is closed'), { code: 'EPIPE' }));
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        connecting.delete(socket);
        resolve(adopt(socket, false));
      });
    });
  }

  function close(): void {
    clearInterval(sweeper);
    for (const connection of table) connection.destroy();
    for (const socket of connecting) socket.destroy();
  }

  return { listen, connect, find: finder(table), size: () => table.size() + connecting.size, close };
}

function finder(table: Connections<TcpConnection>): (ends: FlowEnds) => Flow | undefined {
  return (ends) => table.find(ends);
}

function bind(server: Server, address: string, port: number, fd?: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const ipv6Only = isIPv6(withoutZone(address));
    server.listen(
      fd === undefined ? { host: address, port, ipv6Only, exclusive: true, backlog } : { fd, backlog },
      () => {
        server.removeListener('error', reject);
        resolve();
      },
    );
  });
}
