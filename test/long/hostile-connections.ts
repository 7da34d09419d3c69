// TCP clients that behave badly: octets one by one or in any pieces, half-closed, reset, abandoned, never reading.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from './random.ts';

/** Connections left open; the oldest are closed beyond so many, so that the server's limit of 50 an address lets more in. */
const mostAbandoned = 30;
/** Octets that are sent one by one; the rest goes at once. */
const mostSingly = 300;

/** Clients of one server. */
export interface HostileConnections {
  /** Opens a connection, sends the octets in some way, and leaves it in some way. Never rejects. */
  attack(octets: string, random: Random): Promise<void>;
  readonly count: number;
  close(): void;
}

/** Makes clients of 127.0.0.1:`port`, from another address than a phone's. */
export function createHostileConnections(port: number): HostileConnections {
  const abandoned: Socket[] = [];
  let count = 0;

  async function attack(octets: string, random: Random): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
    } catch {
      socket.destroy();
      return;
    }
    count += 1;
    const reads = random.chance(0.8);
    if (reads) socket.resume();
    for (const piece of cut(octets, random)) {
      if (socket.destroyed) break;
      socket.write(piece, 'latin1');
      await turn();
    }
    await leave(socket, random);
  }

  async function leave(socket: Socket, random: Random): Promise<void> {
    switch (random.below(4)) {
      case 0:
        socket.end();
        break;
      case 1:
        socket.resetAndDestroy();
        return;
      case 2:
        socket.destroy();
        return;
    }
    abandoned.push(socket);
    if (abandoned.length > mostAbandoned) abandoned.shift()?.destroy();
  }

  return {
    attack,
    get count() {
      return count;
    },
    close() {
      for (const socket of abandoned.splice(0)) socket.destroy();
    },
  };
}

function* cut(octets: string, random: Random): Generator<string> {
  const how = random.below(3);
  if (how === 0) {
    yield octets;
    return;
  }
  let at = 0;
  if (how === 1) for (; at < Math.min(octets.length, mostSingly); at += 1) yield octets.charAt(at);
  while (at < octets.length) {
    const size = how === 1 ? octets.length : random.size(1, 5000);
    yield octets.slice(at, at + size);
    at += size;
  }
}
