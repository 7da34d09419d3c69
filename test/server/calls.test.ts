// Calls through the proxy (RFC 3261 §16): real phones on real sockets, one user, whose phones call each other.

import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue, fieldValues } from '../../src/message/fields.ts';
import type { Request } from '../../src/message/message.ts';
import { Phone, registeredPhone, SDP } from './phone.ts';
import { password, realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];
const aor = `sip:jan@${realm}`;

async function start(config: readonly string[] = []): Promise<TestServer> {
  const server = await TestServer.start({ config });
  servers.push(server);
  return server;
}

async function callerOf(server: TestServer, transport: 'udp' | 'tcp' = 'udp'): Promise<Phone> {
  return new Phone(await server.agent(transport), server.user);
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe.each([
  ['udp', 'udp'],
  ['udp', 'tcp'],
  ['tcp', 'udp'],
  ['tcp', 'tcp'],
] as const)('a call from %s to %s', (from, to) => {
  test('rings, is answered, and ends from either side', async () => {
    const server = await start();
    const callee = await registeredPhone(server, to);
    const caller = await callerOf(server, from);
    const inviting = caller.invite(aor);
    const invite = await callee.next('INVITE');
    expect(invite.request.requestUri).toBe(callee.contact);
    expect(invite.request.body).toBe(SDP);
    expect(fieldValue(invite.request, 'max-forwards')).toBe('69');
    expect(fieldValue(invite.request, 'proxy-authorization')).toBeUndefined();
    expect(fieldValues(invite.request, 'record-route').length).toBe(from === to ? 1 : 2);
    await callee.answer(invite, 180);
    await caller.nextResponse(180, 'INVITE');
    await callee.answer(invite, 200, { body: SDP });
    const established = await inviting;
    expect(established.status).toBe(200);
    expect(fieldValues(established, 'via').length).toBe(1);
    await caller.confirm(established);
    const ack = await callee.next('ACK');
    expect(fieldValue(ack.request, 'route')).toBeUndefined();

    const reinviting = callee.agent.request(callee.back('INVITE', invite, 77));
    const reinvite = await caller.next('INVITE');
    await caller.answer(reinvite, 200, { body: SDP });
    expect((await reinviting).status).toBe(200);

    const bye = caller.agent.request(caller.within('BYE', established, 90));
    await callee.answer(await callee.next('BYE'), 200);
    expect((await bye).status).toBe(200);
  });
});

test.each(['127.0.0.10', '127.0.0.100', '192.0.2.1'])(
  'BYE reaches a caller behind NAT whose Contact says %s (§16.6 step 4, RFC 3581)',
  async (address) => {
    const server = await start();
    const callee = await registeredPhone(server);
    const agent = await server.agent();
    const caller = new Phone(agent, server.user, `sip:jan@${address}:${agent.local.port}`);
    const calling = caller.invite(aor);
    const invite = await callee.next('INVITE');
    await callee.answer(invite, 200, { body: SDP });
    await caller.confirm(await calling);
    const bye = callee.agent.request(callee.back('BYE', invite, 5));
    await caller.answer(await caller.next('BYE'), 200);
    expect((await bye).status).toBe(200);
  },
);

describe('a call to one phone by its instance (RFC 5627 §6.1)', () => {
  const instance = 'urn:uuid:00000000-0000-4000-8000-0000000000AB';
  const device = `${aor};gr=${instance.toLowerCase()}`;

  test('rings there alone, whatever forwards say', async () => {
    const server = await start();
    server.write('config', 'ForwardAlways sip:x@192.0.2.1\nForwardBusy sip:x@192.0.2.1\n');
    const wanted = await registeredPhone(server, 'udp', `;+sip.instance="<${instance}>"`);
    const other = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(device);
    await wanted.answer(await wanted.next('INVITE'), 486);
    expect((await inviting).status).toBe(486);
    // What was sent before an answer to this would have come.
    const asking = caller.request('MESSAGE', aor, { secret: password });
    const { message } = await other.agent.nextMessage();
    expect(message).toMatchObject({ type: 'request', method: 'MESSAGE' });
    await other.answer({ request: message as Request, octets: '' }, 200);
    expect((await asking).status).toBe(200);
  });

  test('that is not there is answered 480', async () => {
    const server = await start();
    await registeredPhone(server);
    const caller = await callerOf(server);
    expect((await caller.invite(device)).status).toBe(480);
  });

  test('obeys DoNotDisturb', async () => {
    const server = await start();
    server.write('config', 'DoNotDisturb yes\n');
    await registeredPhone(server, 'udp', `;+sip.instance="<${instance}>"`);
    const caller = await callerOf(server);
    expect((await caller.invite(device)).status).toBe(486);
  });
});
