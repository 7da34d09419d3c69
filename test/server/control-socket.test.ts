// The control socket of a whole server: who has it, what a client may take of it, and what stays when it stops.

import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectControl } from '../../src/control/client.ts';
import { TestServer } from './running-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.stop());

/** What comes back for these octets, until the server closes or `lines` are there. */
async function talk(octets: string, lines: number): Promise<string[]> {
  const socket = connect(server.controlPath);
  socket.setEncoding('utf8');
  socket.write(octets);
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.split('\n').length > lines) break;
  }
  socket.destroy();
  return text.split('\n').slice(0, -1);
}

const status = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"status"}\n`;

test('everybody may connect, as the kernel says who it is', () => {
  const { mode } = statSync(server.controlPath);
  expect((mode & 0o777).toString(8)).toBe('666');
});

test('requests are answered in order, notifications not at all', async () => {
  const answers = await talk(`${status(1)}{"jsonrpc":"2.0","method":"status"}\n\n${status(2)}`, 2);
  expect(answers.map((line) => JSON.parse(line).id)).toEqual([1, 2]);
  expect(JSON.parse(answers[0] as string).result).toMatchObject({
    pid: process.pid,
    realm: 'sip.test',
    listening: [`udp:127.0.0.1:${server.port}`, `tcp:127.0.0.1:${server.port}`],
  });
});

test('a client that half-closes gets its answers', async () => {
  const socket = connect({ path: server.controlPath, allowHalfOpen: true });
  socket.setEncoding('utf8');
  socket.end(status(1));
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(JSON.parse(text).result.pid).toBe(process.pid);
});

test('a line that never ends costs 64 KiB, then the connection', async () => {
  const answers = await talk('x'.repeat(70_000), 2);
  expect(answers).toHaveLength(1);
  expect(JSON.parse(answers[0] as string).error).toMatchObject({ code: -32600 });
});

test('many requests at once are all answered', async () => {
  const count = 500;
  const answers = await talk(Array.from({ length: count }, (_, id) => status(id)).join(''), count);
  expect(answers.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: count }, (_, id) => id));
});

test('beyond 64 connections one is told so and closed, and there is room again later', async () => {
  const sockets: Socket[] = [];
  for (let count = 0; count < 64; count++) {
    const socket = connect(server.controlPath);
    sockets.push(socket);
    await once(socket, 'connect');
  }
  const [refusal] = await talk(status(1), 1);
  expect(JSON.parse(refusal as string).error).toMatchObject({ code: -32004 });
  for (let count = 0; count < 20; count++) await talk(status(1), 1);
  expect(server.log('control-refused')).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
  await expect.poll(async () => JSON.parse((await talk(status(1), 1))[0] as string).id).toBe(1);
});

test('a client that reads nothing is cut off', async () => {
  const socket = connect(server.controlPath);
  const closed = new Promise((resolve) => socket.once('close', resolve).on('error', () => {}));
  socket.pause();
  const many = status(1).repeat(20_000);
  const writeOn = (error?: Error | null) => {
    if (error == null) socket.write(many, writeOn);
  };
  writeOn();
  await closed;
  const client = await connectControl(server.controlPath);
  expect(await client.request('ping')).toEqual({});
  client.close();
}, 60_000);

describe('at start', () => {
  test("a dead server's socket is replaced", async () => {
    await server.halt();
    const dead = createServer().listen(`${server.controlPath}.dead`);
    await once(dead, 'listening');
    // Closing would take the file away; a server that was killed leaves it.
    renameSync(`${server.controlPath}.dead`, server.controlPath);
    dead.close();
    expect(existsSync(server.controlPath)).toBe(true);
    await server.restart();
    const client = await connectControl(server.controlPath);
    expect(await client.request('status')).toMatchObject({ pid: process.pid });
    client.close();
  });

  test('that of a living one is an error that says whose it is, and stays his', async () => {
    const second = TestServer.start({ config: [`ControlSocket ${server.controlPath}`] });
    await expect(second).rejects.toThrow(
      `ControlSocket: ${server.controlPath}: another server has it: pid ${process.pid}`,
    );
    const client = await connectControl(server.controlPath);
    expect(await client.request('ping')).toEqual({});
    client.close();
  });

  test('what is no socket is not taken away', async () => {
    await server.halt();
    writeFileSync(server.controlPath, 'precious');
    await expect(server.restart()).rejects.toThrow(/control\.sock: is no socket: rm \//);
    rmSync(server.controlPath);
  });

  test('nor is one made where others could replace it, nor by a path that is too long', async () => {
    const open = join(server.home, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    await expect(TestServer.start({ config: [`ControlSocket ${open}/socket`] })).rejects.toThrow(
      `ControlSocket: ${open}: can be written to by group or others`,
    );
    await expect(TestServer.start({ config: [`ControlSocket /${'x'.repeat(107)}`] })).rejects.toThrow(
      /at most 107 bytes/,
    );
  });
});

test('at stop it is removed, and its connections are closed', async () => {
  const client = await connectControl(server.controlPath);
  await server.halt();
  await client.closed;
  expect(existsSync(server.controlPath)).toBe(false);
  expect(await client.request('status')).toMatchObject({ type: 'control-fault' });
});
