// Who is at the other end of a UNIX socket: the kernel's word.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { peerCredentials } from '../../src/unix/peer-credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'sr-peer-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('both ends of a UNIX socket know whose the other is; a closed one knows nobody', async () => {
  const server = createServer().listen(join(directory, 'socket'));
  await once(server, 'listening');
  const client = connect(join(directory, 'socket'));
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const self = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  expect(peerCredentials(accepted)).toEqual(self);
  expect(peerCredentials(client)).toEqual(self);
  client.destroy();
  expect(peerCredentials(client)).toBeUndefined();
  accepted.destroy();
  server.close();
});

test('a TCP socket has no credentials', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  expect(peerCredentials(accepted)).toBeUndefined();
  client.destroy();
  accepted.destroy();
  server.close();
});
