// The server's numbers over HTTP: one path, two methods, a few connections.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../host/free-port.ts';
import { realm, TestServer } from './running-server.ts';

let server: TestServer;
let port: number;
beforeEach(async () => {
  port = await freePort();
  server = await TestServer.start({ config: [`Metrics ${port}`] });
});
afterEach(() => server.stop());
const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init);

test('GET /metrics counts what was served, in the text format', async () => {
  await server.register(await server.agent());
  const response = await get('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text).toContain('\nsr_requests_total{method="REGISTER"} 2\n');
  expect(text).toContain('\nsr_contacts 1\n');
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/../../etc/passwd', 404],
  ['POST', '/metrics', 405],
  ['HEAD', '/metrics', 200],
])('%s %s is answered %i', async (method, path, status) => {
  const body = method === 'POST' ? 'x' : undefined;
  expect((await get(path, { method, ...(body === undefined ? {} : { body }) })).status).toBe(status);
});

test('octets that are no HTTP are answered 400 and closed', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  socket.write('INVITE sip:jan@sip.test SIP/2.0\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
});

test('beyond 16 connections there is none, and later there is one again', async () => {
  const sockets: Socket[] = [];
  for (let count = 0; count < 16; count++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
  }
  await expect(get('/metrics')).rejects.toThrow();
  for (const socket of sockets) socket.destroy();
  await expect.poll(async () => (await get('/metrics').catch(() => undefined))?.status).toBe(200);
});

test('clients that flood it leave the server to phones', async () => {
  const phone = await server.agent();
  const flooders = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  const many = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000);
  for (const flooder of flooders) {
    flooder.on('error', () => {});
    flooder.resume();
    const writeOn = (error?: Error | null) => {
      if (error == null) flooder.write(many, writeOn);
    };
    writeOn();
  }
  const took: number[] = [];
  for (let count = 0; count < 100; count++) {
    const began = performance.now();
    await phone.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    took.push(performance.now() - began);
  }
  for (const flooder of flooders) flooder.destroy();
  expect(took.sort((one, other) => one - other)[50]).toBeLessThan(20);
});

test('nobody else’s address listens', async () => {
  await expect(fetch(`http://127.0.0.2:${port}/metrics`)).rejects.toThrow();
});

describe('at start and stop', () => {
  test('a port that is taken is said', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port: at } = taken.address() as { port: number };
    await expect(TestServer.start({ config: [`Metrics 127.0.0.1:${at}`] })).rejects.toThrow(
      `Metrics: 127.0.0.1:${at}: EADDRINUSE`,
    );
    taken.close();
  });

  test('a connection that is kept does not hold the stop up', async () => {
    await (await get('/metrics')).text();
    const before = performance.now();
    await server.halt();
    expect(performance.now() - before).toBeLessThan(5000);
    await expect(get('/metrics')).rejects.toThrow();
  });
});
