// A UDP socket by descriptor (socket(7)): the room for a burst of datagrams is what was asked for, by whose leave ever.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bindDatagramSocket, closeSocket } from '../../src/unix/datagram-socket.ts';

const most = Number(readFileSync('/proc/sys/net/core/rmem_max', 'ascii'));
const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'ascii'))?.[1] ?? '0';
const mayForce = (BigInt(`0x${capabilities}`) & (1n << 12n)) !== 0n;

/** The kernel doubles what is asked for, for its own bookkeeping. */
function roomFor(bytes: number): number {
  const { fd, receiveBufferBytes } = bindDatagramSocket('127.0.0.1', 0, bytes);
  closeSocket(fd);
  return receiveBufferBytes / 2;
}

test('the room asked for is given up to net.core.rmem_max', () => {
  expect(roomFor(most >> 1)).toBe(most >> 1);
});

test.runIf(mayForce)('root is given more', () => {
  expect(roomFor(4 * most)).toBe(4 * most);
});

test.skipIf(mayForce)('nobody else is', () => {
  expect(roomFor(4 * most)).toBe(most);
});
