// The agent's exchanges: matching, timing, retransmission, and an end to every wait.

import { afterEach, describe, expect, test } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import { type Behaviour, type Responder, respond, startResponder } from './responder.ts';

const options = { method: 'OPTIONS', requestUri: 'sip:example.org' } as const;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function setUp(
  behave: Behaviour,
  transport: 'udp' | 'tcp' = 'udp',
): Promise<{ agent: Agent; server: Responder }> {
  const server = await startResponder(transport, '127.0.0.1', behave);
  const agent = await createAgent({ transport, server });
  open.push(agent, server);
  return { agent, server };
}

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test('matches responses by branch, whatever their order', async () => {
    const held: string[] = [];
    const { agent } = await setUp((octets) => {
      held.push(respond(octets, 200 + held.length));
      return held.length === 3 ? held.reverse() : [];
    }, transport);
    const responses = await Promise.all([
      agent.request(options),
      agent.request(options),
      agent.request(options),
    ]);
    expect(responses.map((response) => response.status)).toEqual([200, 201, 202]);
  });

  test('passes on provisional responses and requests of the server', async () => {
    const notify =
      'NOTIFY sip:agent@x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\nContent-Length: 0\r\n\r\n';
    const { agent } = await setUp(
      (octets) => [respond(octets, 100), notify, respond(octets, 486)],
      transport,
    );
    expect((await agent.request(options)).status).toBe(486);
    expect((await agent.nextMessage()).message).toMatchObject({ type: 'response', status: 100 });
    expect(await agent.nextMessage()).toMatchObject({ message: { method: 'NOTIFY' }, octets: notify });
  });

  test('times an exchange from its sending to its answer', async () => {
    const { agent, server } = await setUp(async function* (octets) {
      if (octets.includes('Subject: slow')) await after(50);
      yield respond(octets, 200);
    }, transport);
    const slow = await agent.request({ ...options, fields: { Subject: 'slow' } });
    expect(slow.microseconds).toBeGreaterThanOrEqual(49_000);
    const quick: number[] = [];
    for (let i = 0; i < 20; i += 1) quick.push((await agent.request(options)).microseconds);
    expect(Math.min(...quick)).toBeGreaterThan(0);
    expect(Math.min(...quick)).toBeLessThan(20_000);
    expect(slow.from).toEqual({ address: server.address, port: server.port });
  });

  test('sends and receives all octets as they are', async () => {
    const body = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const { agent, server } = await setUp((octets) => [respond(octets, 200), octets], transport);
    const octets = agent.format({ ...options, body, fields: { Subject: '\xe9\xff' } });
    await agent.exchange(octets);
    expect(server.received).toEqual([octets]);
    expect((await agent.nextMessage()).octets).toBe(octets);
  });

  test('waits no longer than it is told', async () => {
    const { agent, server } = await setUp(() => [], transport);
    const peer = `127.0.0.1 port ${server.port} (${transport})`;
    await expect(agent.request({ ...options, timeoutMs: 30 })).rejects.toThrow(
      `no final response from ${peer} within 30 ms to: OPTIONS sip:example.org SIP/2.0`,
    );
    await expect(agent.nextMessage(30)).rejects.toThrow(`no message from ${peer} within 30 ms`);
    await expect(agent.nextOctets(30)).rejects.toThrow(`no octets from ${peer} within 30 ms`);
  });

  test('ends every wait when it is closed', async () => {
    const { agent } = await setUp(() => [], transport);
    const waits = [agent.request(options), agent.nextMessage(), agent.nextOctets()];
    const outcomes = Promise.all(waits.map((wait) => expect(wait).rejects.toThrow('the agent was closed')));
    await agent.close();
    await outcomes;
    await agent.close();
    await expect(agent.sendRaw('x')).rejects.toThrow('the agent was closed');
    await expect(agent.nextMessage()).rejects.toThrow('the agent was closed');
  });
});

describe('a request', () => {
  const local = { address: '127.0.0.1', port: 5060 };

  test('has the fields of RFC 3261 §8.1.1 in their order, and others behind them', async () => {
    const { agent } = await setUp(() => []);
    const names = agent
      .format({ ...options, fields: { Subject: 'x', 'Call-ID': 'mine' } })
      .split('\r\n')
      .slice(1, -2)
      .map((line) => line.split(':')[0]);
    expect(names).toEqual([
      'Via',
      'Max-Forwards',
      'From',
      'To',
      'Call-ID',
      'CSeq',
      'Subject',
      'Content-Length',
    ]);
    expect(agent.local.address).toBe(local.address);
  });

  test('takes every field as given: replaced in any form of its name, repeated, left out', async () => {
    const { agent } = await setUp(() => []);
    const text = agent.format({
      ...options,
      fields: { i: 'compact', 'Max-Forwards': undefined, Route: ['<sip:a>', '<sip:b>'], CSeq: 'nonsense' },
      mutate: (request) => ({ ...request, requestUri: 'sip:mutated' }),
    });
    expect(text).toMatch(/^OPTIONS sip:mutated SIP/);
    expect(text).toContain('\r\ni: compact\r\n');
    expect(text).not.toMatch(/Call-ID|Max-Forwards/);
    expect(text).toContain('\r\nRoute: <sip:a>\r\nRoute: <sip:b>\r\n');
    expect(text).toContain('\r\nCSeq: nonsense\r\n');
  });

  test('is matched without a branch by Call-ID and CSeq (RFC 2543)', async () => {
    const { agent } = await setUp((octets) => [respond(octets, 200)]);
    const fields = { Via: `SIP/2.0/UDP 127.0.0.1:${agent.local.port}` };
    expect((await agent.request({ ...options, fields })).status).toBe(200);
  });

  test('is retransmitted over UDP at T1, 2·T1 … until an answer comes (RFC 3261 §17.1.2.2)', async () => {
    let count = 0;
    const { agent, server } = await setUp((octets) => {
      count += 1;
      return count === 3 ? [respond(octets, 200)] : [];
    });
    const response = await agent.request({ ...options, retransmit: true, timerT1Ms: 40 });
    expect(response).toMatchObject({ status: 200, sent: 3 });
    expect(response.microseconds).toBeGreaterThan(3 * 39_000);
    expect(new Set(server.received).size).toBe(1);
  });

  test('is retransmitted each T2 after a provisional response, an INVITE not at all (§17.1.1.2)', async () => {
    let count = 0;
    const { agent, server } = await setUp(async function* (octets) {
      count += 1;
      if (octets.startsWith('OPTIONS')) return yield respond(octets, count === 1 ? 100 : 200);
      yield respond(octets, 100);
      await after(600);
      yield respond(octets, 486);
    });
    const timers = { retransmit: true, timerT1Ms: 60 };
    const response = await agent.request({ ...options, ...timers });
    expect(response).toMatchObject({ status: 200, sent: 2 });
    expect(response.microseconds).toBeGreaterThan(479_000);
    expect(await agent.request({ ...timers, method: 'INVITE', requestUri: 'sip:x' })).toMatchObject({
      sent: 1,
    });
    expect(server.received).toHaveLength(3);
  });

  test('is sent once unless retransmission is asked for', async () => {
    const { agent, server } = await setUp(() => []);
    await expect(agent.request({ ...options, timeoutMs: 700 })).rejects.toThrow('no final response');
    expect(server.received).toHaveLength(1);
  });
});

describe('a TCP connection', () => {
  test('takes a response in pieces', async () => {
    const { agent } = await setUp(
      (octets) => [...respond(octets, 200)].map((octet) => Buffer.from(octet)),
      'tcp',
    );
    expect((await agent.request(options)).status).toBe(200);
  });

  test('shows the answer to a keepalive (RFC 5626 §4.4.1)', async () => {
    const { agent } = await setUp(() => ['\r\n'], 'tcp');
    const pong = agent.nextOctets();
    await agent.sendRaw('\r\n\r\n');
    expect(await pong).toBe('\r\n');
  });

  test('closed by the server ends every wait', async () => {
    const { agent } = await setUp(() => ['end'], 'tcp');
    await expect(agent.request(options)).rejects.toThrow('the server closed the connection');
    expect((await agent.ended).message).toBe('the server closed the connection');
    await expect(agent.sendRaw('x')).rejects.toThrow('the server closed the connection');
  });

  test('refused is a clear error', async () => {
    const server = await startResponder('tcp', '127.0.0.1', () => []);
    await server.close();
    await expect(createAgent({ transport: 'tcp', server })).rejects.toThrow(
      `no TCP connection to 127.0.0.1 port ${server.port}: connect ECONNREFUSED`,
    );
  });
});
