// A trace while real messages pass: which are in it, what is masked, and what a slow reader costs.

import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlClient, connectControl } from '../../src/control/client.ts';
import type { TraceRecord } from '../../src/control/trace-record.ts';
import { Phone } from './phone.ts';
import { answersTo, realm, TestServer } from './running-server.ts';

let server: TestServer;
let client: ControlClient;
let records: TraceRecord[];
beforeEach(async () => {
  server = await TestServer.start();
  client = await connectControl(server.controlPath);
  records = [];
  client.onNotification = (method, params) => {
    if (method === 'trace') records.push(params as unknown as TraceRecord);
  };
});
afterEach(async () => {
  client.close();
  await server.stop();
});
const lines = () => records.map(({ sent, line }) => `${sent ? '<' : '>'} ${line}`);
const until = (line: string) => expect.poll(lines).toContain(line);

test.each(['udp', 'tcp'] as const)('shows messages over %s as they come and go', async (transport) => {
  expect(await client.request('trace', {})).toEqual({});
  const agent = await server.agent(transport);
  await server.register(agent);
  await until('< SIP/2.0 200 OK');
  expect(lines()).toEqual([
    `> REGISTER sip:${realm} SIP/2.0`,
    '< SIP/2.0 401 Unauthorized',
    `> REGISTER sip:${realm} SIP/2.0`,
    '< SIP/2.0 200 OK',
  ]);
  const [first, second] = records as [TraceRecord, TraceRecord];
  const [ours, theirs] = [`127.0.0.1:${server.port}`, `127.0.0.1:${agent.local.port}`];
  expect(first).toMatchObject({ transport, source: theirs, destination: ours });
  expect(second).toMatchObject({ transport, source: ours, destination: theirs, callId: first.callId });
  expect(first.callId).not.toBe('');
  expect(Object.keys(first)).not.toContain('octets');
  expect(Math.abs(first.time - Date.now())).toBeLessThan(10_000);
});

test('whole messages have their credentials masked, and all else as it was', async () => {
  await client.request('trace', { whole: true });
  const { log } = await server.register(await server.agent());
  await until('< SIP/2.0 200 OK');
  const masked = records.map(({ octets }) => octets as string);
  for (const [index, entry] of log.entries()) {
    expect(masked[index]).toHaveLength(entry.octets.length);
    expect(masked[index]?.split('\r\n')[1]).toBe(entry.octets.split('\r\n')[1]);
    for (const [, name, value] of entry.octets.matchAll(/\b(response|nonce|cnonce|rspauth)="([^"]+)"/g)) {
      expect(masked[index]).not.toContain(value);
      expect(masked[index]).toContain(`${name}="${'*'.repeat((value as string).length)}"`);
    }
  }
  expect(log[2]?.octets).toContain('response="');
});

describe('is about', () => {
  test('a user: all messages of the dialogs that he has to do with', async () => {
    await client.request('trace', { about: 'jan' });
    const [one, other] = [await server.agent(), await server.agent()];
    await one.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    const phone = new Phone(other, 'jan');
    await server.register(other, { contact: `<${phone.contact}>` });
    await until('< SIP/2.0 200 OK');
    expect(lines().filter((line) => line.includes('OPTIONS'))).toEqual([]);
    const call = new Phone(one, 'jan').invite(`sip:jan@${realm}`);
    await phone.answer(await phone.next('INVITE'), 486);
    await call;
    await until('< SIP/2.0 486 Busy Here');
    expect(lines()).toContain(`< INVITE ${phone.contact} SIP/2.0`);
  });

  test('an address, or one with a port', async () => {
    const [one, other] = [await server.agent(), await server.agent()];
    await client.request('trace', { about: `127.0.0.1:${other.local.port}` });
    await one.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    await other.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    await until('< SIP/2.0 200 OK');
    expect(new Set(records.flatMap(({ source, destination }) => [source, destination]))).toEqual(
      new Set([`127.0.0.1:${server.port}`, `127.0.0.1:${other.local.port}`]),
    );
  });
});

test('keepalives, STUN and malformed messages do no harm', async () => {
  await client.request('trace', { whole: true });
  const agent = await server.agent();
  await answersTo(agent, '\r\n\r\n\r\n');
  await answersTo(agent, 'NONSENSE');
  await until('> NONSENSE');
  expect(records.every(({ line }) => line !== '')).toBe(true);
});

test('a reader that reads nothing loses messages, is told how many, and slows nobody', async () => {
  const socket = connect(server.controlPath);
  socket.setEncoding('utf8');
  socket.write('{"jsonrpc":"2.0","id":1,"method":"trace","params":{"whole":true}}\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  const agent = await server.agent('tcp');
  const body = 'x'.repeat(30_000);
  for (let count = 0; count < 200; count++) {
    const { status } = await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, body });
    expect(status).toBe(200);
  }
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.resume();
  const lost = () =>
    [...text.matchAll(/"trace-lost","params":{"count":(\d+)}/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  // What comes next tells it; all are seen or told in the end.
  await expect
    .poll(async () => {
      await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
      return (text.match(/"method":"trace",/g)?.length ?? 0) + lost();
    })
    .toBeGreaterThanOrEqual(400);
  expect(lost()).toBeGreaterThan(0);
  socket.destroy();
});

test('there are at most 16, and one that is gone makes room', async () => {
  const clients: ControlClient[] = [];
  for (let count = 0; count < 16; count++) {
    const one = await connectControl(server.controlPath);
    clients.push(one);
    expect(await one.request('trace')).toEqual({});
  }
  expect(await client.request('trace')).toMatchObject({ type: 'control-fault', message: 'too many traces' });
  for (const one of clients) one.close();
  await expect.poll(() => client.request('trace')).toEqual({});
});
