// Keepalives for contacts behind NAT, end to end (RFC 5626 §4.4): who is asked, how, and what usrloc says of the answers.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Binding, parseUsrloc } from '../../src/home/usrloc.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import type { Request } from '../../src/message/message.ts';
import { createResponse } from '../../src/message/response.ts';
import type { Agent, RegisterOptions } from '../agent/agent.ts';
import { answersBefore, TestServer, type TestServerOptions } from './running-server.ts';

/** An address that no phone here has, as behind NAT. */
const inside = (rest = '') => `<sip:jan@10.0.0.5:5060${rest}>`;
const often = { intervalMs: 60, jitterMs: 0, answerMs: 40, writeEveryMs: 0 };

let server: TestServer;

afterEach(() => server.stop());

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start({ keepalive: often, ...options });
}

/** An agent that registered a contact from behind NAT. */
async function phone(
  transport: 'udp' | 'tcp' = 'udp',
  options: Partial<RegisterOptions> = {},
): Promise<Agent> {
  const agent = await server.agent(transport);
  const contact = inside(transport === 'tcp' ? ';transport=tcp' : '');
  expect((await server.register(agent, { contact, ...options })).status).toBe(200);
  return agent;
}

/** The next OPTIONS that the server asks with. */
async function asked(agent: Agent): Promise<Request> {
  const { message } = await agent.nextMessage();
  if (message.type !== 'request') throw new Error(`no request: ${JSON.stringify(message)}`);
  return message;
}

async function answer(agent: Agent, status = 200): Promise<void> {
  await agent.sendRaw(formatMessage(createResponse(await asked(agent), status, { toTag: 'phone' })));
}

const contacts = (): readonly Binding[] => parseUsrloc(server.read('usrloc'), '').bindings;

/** Waits until usrloc says that of its only contact. */
function written(fields: Partial<Binding> | Record<string, unknown>): Promise<void> {
  return vi.waitFor(() => expect(contacts()).toMatchObject([fields]), { timeout: 5000, interval: 5 });
}

describe('over UDP', () => {
  test('OPTIONS comes to where the REGISTER came from, from the socket it came to', async () => {
    await start();
    const agent = await phone();
    const { message, from } = await agent.nextMessage();
    const request = message as Request;
    expect(from).toMatchObject({ address: '127.0.0.1', port: server.port });
    expect([request.method, request.requestUri]).toEqual(['OPTIONS', 'sip:jan@10.0.0.5:5060']);
    expect(fieldValue(request, 'via')).toMatch(
      new RegExp(`^SIP/2\\.0/UDP 127\\.0\\.0\\.1:${server.port};branch=z9hG4bK[0-9a-f]{20};rport$`),
    );
  });

  test.each([200, 405, 603])('a %i is an answer, and how long it took stands in usrloc', async (status) => {
    await start();
    const agent = await phone();
    const [before] = contacts();
    await answer(agent, status);
    await written({ rttMs: expect.any(Number), unreachableSince: undefined });
    const { line: _line, rttMs: _rtt, ...rest } = contacts()[0] as Binding;
    expect(before).toMatchObject(rest);
  });

  test('a phone that falls silent is unreachable after three, said once, and reachable again at an answer', async () => {
    await start();
    const agent = await phone();
    await answer(agent);
    await written({ rttMs: expect.any(Number) });
    await written({ unreachableSince: expect.any(Number), rttMs: expect.any(Number) });
    for (let more = 0; more < 3; more++) await asked(agent);
    expect(server.log('unreachable')).toEqual([
      `unreachable src=127.0.0.1:${agent.local.port} user=jan contact=sip:jan@10.0.0.5:5060`,
    ]);
    const answering = setInterval(() => void answer(agent).catch(() => {}), 5);
    await written({ unreachableSince: undefined, rttMs: expect.any(Number) });
    clearInterval(answering);
    expect(server.log('reachable')).toHaveLength(1);
  });

  test('what the owner wrote meanwhile stays', async () => {
    await start();
    const agent = await phone();
    server.append('usrloc', '<sip:desk@192.0.2.9>\n');
    await answer(agent);
    await answer(agent);
    await vi.waitFor(() => expect(contacts()).toHaveLength(2));
    await vi.waitFor(() => expect(contacts().at(-1)?.rttMs).toEqual(expect.any(Number)));
    expect(contacts()[0]?.uri).toBe('sip:desk@192.0.2.9');
  });

  test('usrloc is told once a minute at most', async () => {
    await start({ keepalive: { ...often, writeEveryMs: 60_000 } });
    const agent = await phone();
    await answer(agent);
    await written({ rttMs: expect.any(Number) });
    await vi.waitFor(() => expect(server.log('unreachable')).toHaveLength(1), { timeout: 5000, interval: 5 });
    await asked(agent);
    expect(contacts()).toMatchObject([{ unreachableSince: undefined }]);
  });
});

describe('over TCP', () => {
  test('CRLF CRLF comes down the connection, and CRLF answers it', async () => {
    await start();
    const agent = await phone('tcp');
    expect(await agent.nextOctets()).toBe('\r\n\r\n');
    await agent.sendRaw('\r\n');
    await written({ rttMs: expect.any(Number), source: `127.0.0.1:${agent.local.port}` });
  });

  test('a phone that never answered is not said to be unreachable while its connection is open', async () => {
    await start();
    const agent = await phone('tcp');
    for (let pings = 0; pings < 6; pings++) expect(await agent.nextOctets()).toBe('\r\n\r\n');
    expect(server.log('unreachable')).toEqual([]);
  });

  test('one whose connection is closed is unreachable, and its contact stays', async () => {
    await start();
    const agent = await phone('tcp');
    await agent.close();
    await written({ unreachableSince: expect.any(Number), uri: 'sip:jan@10.0.0.5:5060;transport=tcp' });
    expect(server.log('unregistered')).toEqual([]);
  });
});

describe('who is asked', () => {
  test.each([
    ['a phone that is where its contact says', {}],
    [
      'one behind a proxy of its own, whose task it is (RFC 3327)',
      { contact: inside(), extraFields: { Path: '<sip:127.0.0.1;lr>' } },
    ],
  ])('not %s', async (_who, options: Partial<RegisterOptions>) => {
    await start();
    const quiet = await server.agent();
    expect((await server.register(quiet, options)).status).toBe(200);
    const natted = await phone('udp', { callId: 'natted' });
    for (let pings = 0; pings < 4; pings++) await asked(natted);
    expect(await answersBefore(quiet)).toEqual([]);
  });

  test('not one that unregistered', async () => {
    await start();
    const [gone, stays] = [await phone(), await phone('udp', { callId: 'other' })];
    await asked(gone);
    await server.register(gone, { contact: `${inside()};expires=0` });
    await answersBefore(gone);
    for (let pings = 0; pings < 4; pings++) await asked(stays);
    expect(await answersBefore(gone)).toEqual([]);
  });

  test('not one whose line the owner aimed elsewhere', async () => {
    await start();
    const victim = await server.agent();
    const agent = await phone();
    const aimed = server.read('usrloc').replaceAll(`:${agent.local.port};`, `:${victim.local.port};`);
    expect(aimed).toContain(`sip:127.0.0.1:${victim.local.port};transport=udp`);
    server.write('usrloc', aimed);
    const other = await phone('udp', { callId: 'other' });
    for (let pings = 0; pings < 4; pings++) await asked(other);
    expect(await answersBefore(victim)).toEqual([]);
  });

  test('after a restart, who was there before, once their user is seen', async () => {
    await start();
    const agent = await phone();
    await answer(agent);
    await written({ rttMs: expect.any(Number) });
    await server.restart();
    await answersBefore(agent);
    const other = await server.agent();
    await server.register(other, { contact: null });
    expect((await asked(agent)).method).toBe('OPTIONS');
  });

  test('and still after a reload', async () => {
    await start();
    const agent = await phone();
    await asked(agent);
    server.reload();
    await answersBefore(agent);
    await answer(agent);
    await written({ rttMs: expect.any(Number) });
  });
});
