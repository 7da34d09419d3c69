// Our registration at gateways (RFC 3261 §10.2, RFC 5626 §4.5), and the calls that come in by it (DESIGN §3).

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import type { Request } from '../../src/message/message.ts';
import { createField, createResponse } from '../../src/message/response.ts';
import { freePort } from '../host/free-port.ts';
import { type GatewayOptions, TestGateway, writeCredentials } from './gateway.ts';
import { type Incoming, Phone, registeredPhone, SDP } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];

async function start(): Promise<TestServer> {
  const registration = { retryMs: 40, mostRetryMs: 80, stopMs: 200 };
  const server = await TestServer.start({ registration });
  servers.push(server);
  return server;
}

/** A server that registers at a gateway. */
async function startRegistering(lines: readonly string[] = [], options: GatewayOptions = {}) {
  const server = await start();
  const gateway = await TestGateway.open(server, options);
  const registering = ['Register yes', `Credentials ${writeCredentials(server)}`];
  const block = gateway.block('provider', ...lines, ...registering);
  server.reload(block);
  return { server, gateway, block };
}

/** Grants a registration; the contact. */
async function grant(gateway: TestGateway, register: Incoming, seconds: number): Promise<string> {
  const contact = contactIn(register.request);
  const fields = [createField('Contact', `<${contact}>;expires=${seconds}`)];
  await gateway.agent.sendRaw(formatMessage(createResponse(register.request, 200, { fields })));
  return contact;
}

/** A server that is registered; what the gateway calls it by. */
async function startRegistered(lines: readonly string[] = []) {
  const started = await startRegistering(lines);
  const register = await started.gateway.authenticated('REGISTER');
  const contact = await grant(started.gateway, register, 3600);
  await logged(started.server, 'gateway-registered');
  return { ...started, contact };
}

/** Waits for a line of the log, which the agents cannot see. */
async function logged(server: TestServer, event: string): Promise<void> {
  await expect.poll(() => server.log(event).length, { interval: 5, timeout: 5000 }).toBeGreaterThan(0);
}

function contactIn(request: Request): string {
  return /<([^>]+)>/.exec(fieldValue(request, 'contact') ?? '')?.[1] ?? '';
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('a registration at a gateway', () => {
  test('answers the challenge with one more CSeq, says how long, and is in the log once', async () => {
    const { server, gateway } = await startRegistering(['Expires 1800'], { status: 401 });
    const register = await gateway.authenticated('REGISTER');
    const { request } = register;
    expect(request.requestUri).toBe(`sip:127.0.0.2:${gateway.agent.local.port}`);
    expect(fieldValue(request, 'to')).toBe('<sip:trunk@127.0.0.2>');
    expect(fieldValue(request, 'cseq')).toBe('2 REGISTER');
    expect(fieldValue(request, 'expires')).toBe('1800');
    expect(contactIn(request)).toMatch(
      new RegExp(`^sip:provider-[0-9a-f]{16}@127\\.0\\.0\\.1:${server.port}$`),
    );
    await grant(gateway, register, 900);
    await logged(server, 'gateway-registered');
    expect(server.log('gateway-registered')).toEqual(['gateway-registered gateway=provider expires=900']);
  });

  test('is refreshed before it ends, with the same Call-ID and contact', async () => {
    const { server, gateway } = await startRegistering();
    const first = await gateway.authenticated('REGISTER');
    const contact = await grant(gateway, first, 1);
    const second = await gateway.authenticated('REGISTER');
    expect(contactIn(second.request)).toBe(contact);
    expect(fieldValue(second.request, 'call-id')).toBe(fieldValue(first.request, 'call-id'));
    await grant(gateway, second, 3600);
    expect(server.log('gateway-registered').length).toBe(1);
  });

  test('is for longer where the gateway says that it is too brief (§10.3)', async () => {
    const { gateway } = await startRegistering(['Expires 60']);
    const register = await gateway.authenticated('REGISTER');
    await gateway.answer(register, 423, { fields: [createField('Min-Expires', '900')] });
    expect(fieldValue((await gateway.authenticated('REGISTER')).request, 'expires')).toBe('900');
  });

  test('is tried again after a refusal, which is in the log once', async () => {
    const { server, gateway } = await startRegistering();
    await gateway.answer(await gateway.authenticated('REGISTER'), 403);
    await gateway.answer(await gateway.authenticated('REGISTER'), 403);
    await grant(gateway, await gateway.authenticated('REGISTER'), 3600);
    await logged(server, 'gateway-registered');
    expect(server.log('gateway-refused')).toEqual([
      'gateway-refused gateway=provider method=REGISTER status=403',
    ]);
  });

  test('waits for a gateway that is not there, and says so once', async () => {
    const server = await start();
    const port = await freePort();
    const address = `Address sip:127.0.0.1:${port};transport=tcp`;
    server.reload(['Gateway provider', address, 'From 100', 'Register yes']);
    await logged(server, 'gateway-unreachable');
    const gateway = createServer().listen(port, '127.0.0.1');
    const [connection] = (await once(gateway, 'connection')) as [Socket];
    const [octets] = (await once(connection, 'data')) as [Buffer];
    expect(octets.toString('latin1')).toMatch(/^REGISTER sip:127\.0\.0\.1:\d+ SIP.*<sip:100@127\.0\.0\.1>/s);
    expect(server.log('gateway-unreachable').length).toBe(1);
    expect(server.log('gateway-unreachable')[0]).toContain('gateway=provider why=');
    connection.destroy();
    gateway.close();
  });

  test('stays as it is when a reload leaves the block as it was, and moves with it when it changes', async () => {
    const { server, gateway, block } = await startRegistered();
    server.reload([...block]);
    server.reload([...block, 'Expires 600']);
    const leaving = await gateway.authenticated('REGISTER');
    expect(fieldValue(leaving.request, 'expires')).toBe('0');
    await gateway.answer(leaving, 200);
    expect(fieldValue((await gateway.authenticated('REGISTER')).request, 'expires')).toBe('600');
  });

  test('ends when the server stops', async () => {
    const { server, gateway, contact } = await startRegistered();
    const stopping = server.halt();
    const last = await gateway.authenticated('REGISTER');
    expect(fieldValue(last.request, 'expires')).toBe('0');
    expect(contactIn(last.request)).toBe(contact);
    await gateway.answer(last, 200);
    await stopping;
  });

  test('does not keep the server from stopping where the gateway is silent', async () => {
    const { server } = await startRegistered();
    const startedMs = performance.now();
    await server.halt();
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});

describe('a call that comes in', () => {
  async function callFrom(phone: Phone, requestUri: string) {
    const From = '<sip:+4930999@example.net>;tag=x';
    return phone.request('INVITE', requestUri, {
      fields: { From, 'Content-Type': 'application/sdp' },
      body: SDP,
    });
  }

  test.each([
    ['by what we registered', (_: TestServer, contact: string) => contact],
    ['for a number nobody has', (server: TestServer) => `sip:+4930777@127.0.0.1:${server.port}`],
    ['for nobody', (server: TestServer) => `sip:127.0.0.1:${server.port}`],
    ['for a user', () => `sip:jan@${realm}`],
  ])('%s rings where InboundTo says, or the user', async (_, target) => {
    const { server, gateway, contact } = await startRegistered(['InboundTo jan']);
    const phone = await registeredPhone(server);
    const calling = callFrom(gateway, target(server, contact));
    await phone.answer(await phone.next('INVITE'), 200, { body: SDP });
    expect((await calling).status).toBe(200);
  });

  test('from elsewhere rings only by what we registered, which only the gateway was told', async () => {
    const { server, contact } = await startRegistered(['InboundTo jan', 'Trusted no']);
    const phone = await registeredPhone(server);
    const other = new Phone(await server.agent('udp', '127.0.0.4'), 'other');
    expect((await callFrom(other, `sip:jan@${realm}`)).status).toBe(403);
    expect((await callFrom(other, contact.replace(/-[0-9a-f]+/, '-0123456789abcdef'))).status).toBe(403);
    const calling = callFrom(other, contact);
    await phone.answer(await phone.next('INVITE'), 200, { body: SDP });
    expect((await calling).status).toBe(200);
  });

  test('never leaves by a gateway: nobody telephones at our cost', async () => {
    const { server, gateway } = await startRegistered(['Pattern sip:+*@*']);
    expect((await callFrom(gateway, `sip:+4930777@127.0.0.1:${server.port}`)).status).toBe(404);
    expect((await callFrom(gateway, 'sip:+4930777@example.com')).status).toBe(403);
  });

  test('is for whom InboundTo names in UTF-8: 480, for he has no phone', async () => {
    const server = await TestServer.start({ user: 'zdeněk' });
    servers.push(server);
    const gateway = await TestGateway.open(server);
    server.reload(gateway.block('provider', 'InboundTo zdeněk'));
    expect((await callFrom(gateway, `sip:+4930777@127.0.0.1:${server.port}`)).status).toBe(480);
  });

  test('finds nobody where there is no InboundTo, and the log says whose call it was', async () => {
    const { server, gateway, contact } = await startRegistered();
    expect((await callFrom(gateway, contact)).status).toBe(404);
    expect((await callFrom(gateway, `sip:+4930777@127.0.0.1:${server.port}`)).status).toBe(404);
    expect(server.log('refused').at(-1)).toContain('+4930777: no such user, from gateway provider');
  });

  test('an OPTIONS to what we registered is answered by us', async () => {
    const { gateway, contact } = await startRegistered(['InboundTo jan']);
    expect((await gateway.request('OPTIONS', contact)).status).toBe(200);
  });
});
