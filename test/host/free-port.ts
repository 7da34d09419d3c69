// A port that a server under test can listen on.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that is free for UDP and TCP on 127.0.0.1 and ::1. */
export async function freePort(): Promise<number> {
  for (;;) {
    const first = createServer().listen(0, '127.0.0.1');
    await once(first, 'listening');
    const { port } = first.address() as { port: number };
    const free = await Promise.all([
      tcpFree(port, '::1'),
      udpFree(port, 'udp4', '127.0.0.1'),
      udpFree(port, 'udp6', '::1'),
    ]);
    first.close();
    await once(first, 'close');
    if (free.every(Boolean)) return port;
  }
}

function tcpFree(port: number, address: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

function udpFree(port: number, family: 'udp4' | 'udp6', address: string): Promise<boolean> {
  const socket = createSocket(family);
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}
