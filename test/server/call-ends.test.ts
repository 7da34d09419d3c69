// Which BYE ends the record of a call: of whoever may charge for it, only one that he has heard, or that is his own.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import { fieldValue } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import type { Agent } from '../agent/agent.ts';
import { TestGateway } from './gateway.ts';
import { type Incoming, Phone, registeredPhone, SDP } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

type RequestOptions = Parameters<Agent['request']>[0];

const servers: TestServer[] = [];
const number = `sip:0049301234@${realm}`;
const at = Date.UTC(2026, 10, 22, 10, 15);
const seconds = 1000;

async function start(config: readonly string[] = []): Promise<TestServer> {
  const server = await TestServer.start({ sweepMs: 20, config: ['TimerT1 20', ...config] });
  servers.push(server);
  server.nowMs = at;
  return server;
}

/** A call through a gateway that was answered, and somebody who says yes to whatever he is sent. */
interface TollCall {
  readonly server: TestServer;
  readonly gateway: TestGateway;
  readonly caller: Phone;
  readonly invite: Incoming;
  readonly response: Response;
  readonly accomplice: Phone;
}

async function callThroughGateway(fields: Response['fields'] = []): Promise<TollCall> {
  const server = await start();
  const gateway = await TestGateway.open(server);
  server.reload(['TimerT1 20', ...gateway.block('provider', 'Pattern sip:00*@*')]);
  const caller = new Phone(await server.agent(), server.user);
  const accomplice = new Phone(await server.agent(), 'accomplice');
  const inviting = caller.invite(number);
  const invite = await gateway.next('INVITE');
  await gateway.answer(invite, 200, { body: SDP, fields });
  const response = await inviting;
  await caller.confirm(response);
  await gateway.next('ACK');
  return { server, gateway, caller, invite, response, accomplice };
}

function recordsOf(server: TestServer): CallRecord[] {
  return server
    .read('acct')
    .split('\n')
    .slice(0, -1)
    .map((line) => parseCallRecord(line) as CallRecord);
}

async function durationOf(server: TestServer): Promise<number> {
  await vi.waitFor(() => expect(recordsOf(server)).toHaveLength(1), { timeout: 5000 });
  return (recordsOf(server)[0] as CallRecord).durationMs;
}

/** Sends a request that `by` says yes to. */
async function agreed(sender: Phone, request: RequestOptions, by: Phone, contact?: string): Promise<void> {
  const sent = sender.agent.request(request);
  const { method, fields: sentFields } = request;
  let incoming = await by.next(method);
  // One that was not answered comes again.
  while (fieldValue(incoming.request, 'cseq') !== sentFields?.CSeq) incoming = await by.next(method);
  const fields = [createField('Session-Expires', '90;refresher=uac')];
  await by.answer(incoming, 200, contact === undefined ? { fields } : { contact, fields });
  expect((await sent).status).toBe(200);
}

/** The request with one more Route, behind ours. */
function routedBy(request: RequestOptions, by: Phone): RequestOptions {
  const { address, port } = by.agent.local;
  const route = `<sip:${address}:${port};lr>`;
  return { ...request, fields: { ...request.fields, Route: [...(request.fields?.Route ?? []), route] } };
}

/** The same in the gateway's name: the dialog seen from its side, our Route as it came. */
function inItsName(
  { caller, invite }: TollCall,
  gateway: Phone,
  method: string,
  cseq: number,
): RequestOptions {
  return { ...gateway.back(method, invite, cseq), requestUri: caller.contact };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('a call through a gateway goes on', () => {
  const tricks: Record<string, (call: TollCall) => Promise<void>> = {
    'with a Route to somebody who says yes': async ({ caller, response, accomplice }) =>
      agreed(caller, routedBy(caller.within('BYE', response, 90), accomplice), accomplice),

    'with a Request-URI of his': async ({ caller, response, accomplice }) =>
      agreed(caller, { ...caller.within('BYE', response, 90), requestUri: accomplice.contact }, accomplice),

    "with the caller's own word in its name": async (call) =>
      agreed(call.accomplice, inItsName(call, call.gateway, 'BYE', 5), call.caller),

    'with a BYE to where a re-INVITE in its name says that it is': async (call) => {
      const { accomplice, caller, gateway, response } = call;
      const refresh = inItsName(call, gateway, 'INVITE', 5);
      const moving = { ...refresh, fields: { ...refresh.fields, Contact: `<${accomplice.contact}>` } };
      await agreed(accomplice, moving, caller);
      await agreed(
        caller,
        { ...caller.within('BYE', response, 90), requestUri: accomplice.contact },
        accomplice,
      );
    },

    'with a BYE to where the answer to a diverted re-INVITE says that it is': async (call) => {
      const { accomplice, caller, response } = call;
      await agreed(
        caller,
        { ...caller.within('INVITE', response, 90), requestUri: accomplice.contact },
        accomplice,
      );
      await agreed(
        caller,
        { ...caller.within('BYE', response, 91), requestUri: accomplice.contact },
        accomplice,
      );
    },

    'with a session that it never heard of': async ({ server, accomplice, caller, response }) => {
      const refresh = routedBy(caller.within('UPDATE', response, 90), accomplice);
      await agreed(caller, refresh, accomplice);
      server.nowMs = at + 600 * seconds;
    },

    'with a BYE that it does not answer': async ({ server, caller, response }) => {
      await caller.agent.sendRaw(caller.agent.format(caller.within('BYE', response, 90)));
      await vi.waitFor(() => expect(server.log('bye-unheard')).toHaveLength(1), { timeout: 5000 });
    },

    'with a BYE that it refuses': async ({ caller, response, gateway }) => {
      const sent = caller.agent.request(caller.within('BYE', response, 90));
      await gateway.answer(await gateway.next('BYE'), 500);
      expect((await sent).status).toBe(500);
    },
  };

  test.each(Object.entries(tricks))('%s', async (_name, trick) => {
    const call = await callThroughGateway();
    const { server, caller, gateway, response } = call;
    server.nowMs = at + 60 * seconds;
    await trick(call);
    server.nowMs = at + 3600 * seconds;
    await agreed(caller, caller.within('BYE', response, 99), gateway);
    expect(await durationOf(server)).toBe(3600 * seconds);
  });

  test('and the log says so', async () => {
    const { server, caller, response, accomplice } = await callThroughGateway();
    await agreed(caller, routedBy(caller.within('BYE', response, 90), accomplice), accomplice);
    expect(server.log('bye-unheard')).toEqual([expect.stringContaining('why=it went elsewhere')]);
    expect(recordsOf(server)).toEqual([]);
  });
});

describe('a call through a gateway ends', () => {
  test('with its own BYE', async () => {
    const { server, caller, gateway, invite } = await callThroughGateway();
    server.nowMs = at + 60 * seconds;
    await agreed(gateway, gateway.back('BYE', invite, 5), caller);
    expect(await durationOf(server)).toBe(60 * seconds);
  });

  test('when it knows of no call any more', async () => {
    const { server, caller, gateway, response } = await callThroughGateway();
    server.nowMs = at + 60 * seconds;
    const sent = caller.agent.request(caller.within('BYE', response, 90));
    await gateway.answer(await gateway.next('BYE'), 481);
    expect((await sent).status).toBe(481);
    expect(await durationOf(server)).toBe(60 * seconds);
  });

  test('where it has moved to (§12.2.1.2)', async () => {
    const { server, caller, gateway, response } = await callThroughGateway();
    const other = new Phone(await server.agent('udp', '127.0.0.2'), 'gateway');
    await agreed(caller, caller.within('INVITE', response, 90), gateway, other.contact);
    server.nowMs = at + 60 * seconds;
    await agreed(caller, { ...caller.within('BYE', response, 91), requestUri: other.contact }, other);
    expect(await durationOf(server)).toBe(60 * seconds);
  });

  test('behind the proxies that it has before it', async () => {
    const server = await start();
    const gateway = await TestGateway.open(server);
    server.reload(['TimerT1 20', ...gateway.block('provider', 'Pattern sip:00*@*')]);
    const { address, port } = gateway.agent.local;
    const caller = new Phone(await server.agent(), server.user);
    const inviting = caller.invite(number);
    const invite = await gateway.next('INVITE');
    // It is the proxy and what is behind it in one.
    const own = invite.request.fields.filter(({ id }) => id === 'record-route');
    const before = [createField('Record-Route', `<sip:${address}:${port};lr>`), ...own];
    const rest = invite.request.fields.filter(({ id }) => id !== 'record-route');
    const seen = { ...invite, request: { ...invite.request, fields: [...before, ...rest] } };
    await gateway.answer(seen, 200, { body: SDP, contact: 'sip:behind@192.0.2.1' });
    const response = await inviting;
    await caller.confirm(response);
    server.nowMs = at + 60 * seconds;
    await agreed(caller, caller.within('BYE', response, 90), gateway);
    expect(await durationOf(server)).toBe(60 * seconds);
  });
});

describe('a call to a phone', () => {
  const aor = `sip:jan@${realm}`;

  async function establish(server: TestServer) {
    const callee = await registeredPhone(server);
    const caller = new Phone(await server.agent(), server.user);
    const inviting = caller.invite(aor);
    await callee.answer(await callee.next('INVITE'), 200, { body: SDP });
    const response = await inviting;
    await caller.confirm(response);
    server.nowMs = at + 60 * seconds;
    return { callee, caller, response };
  }

  async function durationsOf(server: TestServer): Promise<number[]> {
    await vi.waitFor(() => expect(recordsOf(server)).toHaveLength(2), { timeout: 5000 });
    return recordsOf(server).map(({ durationMs }) => durationMs);
  }

  test('ends with a BYE that reaches it, whatever its Request-URI', async () => {
    const server = await start();
    const { callee, caller, response } = await establish(server);
    const { address, port } = callee.agent.local;
    const requestUri = `sip:${address}:${port};transport=udp`;
    await agreed(caller, { ...caller.within('BYE', response, 90), requestUri }, callee);
    expect(await durationsOf(server)).toEqual([60 * seconds, 60 * seconds]);
  });

  test('ends when it is gone', async () => {
    const server = await start();
    const { callee, caller, response } = await establish(server);
    await callee.agent.close();
    await caller.agent.sendRaw(caller.agent.format(caller.within('BYE', response, 90)));
    expect(await durationsOf(server)).toEqual([60 * seconds, 60 * seconds]);
  });

  test('that forks lasts until the last of its dialogs has ended (§13.2.2.4)', async () => {
    const server = await start();
    const callee = await registeredPhone(server);
    const behind = new Phone(callee.agent, server.user);
    const caller = new Phone(await server.agent(), server.user);
    const inviting = caller.invite(aor);
    const invite = await callee.next('INVITE');
    await callee.answer(invite, 200, { body: SDP });
    const first = await inviting;
    await behind.answer(invite, 200, { body: SDP });
    const second = await caller.nextResponse(200, 'INVITE');
    server.nowMs = at + 60 * seconds;
    await agreed(caller, caller.within('BYE', first, 90), callee);
    server.nowMs = at + 90 * seconds;
    await agreed(caller, caller.within('BYE', second, 91), callee);
    expect(await durationsOf(server)).toEqual([90 * seconds, 90 * seconds]);
  });
});
