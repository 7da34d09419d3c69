// Nobody gets to a gateway but by its patterns and CallingGroup (DESIGN §4.7): it trusts our address, whoever sends.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fieldValues } from '../../src/message/fields.ts';
import type { Agent } from '../agent/agent.ts';
import { Phone, registeredPhone, SDP } from './phone.ts';
import { password, realm, TestServer } from './running-server.ts';
import { heardBy } from './victim.ts';

let server: TestServer;
let phone: Phone;
let caller: Phone;
let gateway: Agent;

beforeAll(async () => {
  server = await TestServer.start();
  gateway = await server.agent('udp', '127.0.0.2');
  server.write(
    'server',
    [
      'CallingGroup no-such-group sip:+1*@* sip:00*@*',
      'Gateway telco',
      `  Address sip:127.0.0.2:${gateway.local.port}`,
      '  Pattern sip:+*@* sip:00*@*',
      '',
    ].join('\n'),
  );
  server.reload();
  phone = await registeredPhone(server);
  caller = new Phone(await server.agent(), 'jan');
});

beforeEach(() => server.write('config', ''));

afterAll(() => server.stop());

const at = () => `127.0.0.2:${gateway.local.port}`;

/** The answer to a call of jan's, whose password is right. */
async function call(requestUri: string, fields: Record<string, string> = {}): Promise<number> {
  const response = await caller.invite(requestUri, fields, password);
  if (response.status >= 300) await caller.acknowledge(response, requestUri);
  return response.status;
}

test('a number that everybody may call leaves through the gateway', async () => {
  const calling = call(`sip:+4930123@${realm}`);
  const { message, octets } = await gateway.nextMessage();
  expect(message).toMatchObject({ method: 'INVITE', requestUri: `sip:+4930123@${at()}` });
  expect(octets).not.toContain('Proxy-Authorization');
  const [via] = fieldValues(message as never, 'via');
  expect(via).toContain(`:${server.port};`);
  await new Phone(gateway, 'telco').answer({ request: message as never, octets }, 486);
  expect(await calling).toBe(486);
  await gateway.nextMessage();
});

describe('403, and the gateway hears nothing, for', () => {
  test.each<[string, () => string, (() => Record<string, string>)?]>([
    ['a number of a group that he is not in', () => `sip:+1900@${realm}`],
    ['one with an escape', () => `sip:%2B1900@${realm}`],
    ['one with parameters', () => `sip:+1900;x=y@${realm}`],
    ['one with a password', () => `sip:+1900:x@${realm}`],
    ['one at another domain', () => 'sip:+1900@elsewhere.example'],
  ])('%s', async (_, uriOf) => {
    expect(await call(uriOf())).toBe(403);
    expect(await heardBy(gateway)).toEqual([]);
  });
});

describe('no way, and the gateway hears nothing, for', () => {
  test.each<[string, () => string, (() => Record<string, string>)?]>([
    ['the gateway as Route', () => `sip:1900@${realm}`, () => ({ Route: `<sip:${at()};lr>` })],
    [
      'us and the gateway as Route',
      () => `sip:jan@${realm}`,
      () => ({ Route: `<sip:${realm};lr>, <sip:${at()};lr>` }),
    ],
    ['the gateway as a strict Route', () => 'sip:1900@elsewhere.example', () => ({ Route: `<sip:${at()}>` })],
    ['the address of the gateway', () => `sip:1900@${at()}`],
    ['the address of the gateway over TCP', () => `sip:1900@${at()};transport=tcp`],
  ])('%s', async (_, uriOf, fieldsOf) => {
    expect(await call(uriOf(), fieldsOf?.())).toBe(480);
    expect(await heardBy(gateway)).toEqual([]);
  });
});

describe('the gateway hears nothing of', () => {
  test('a call that is forwarded by who may not call there', async () => {
    server.write('config', `ForwardAlways +1900\n`);
    expect(await call(`sip:jan@${realm}`)).toBe(480);
    expect(await heardBy(gateway)).toEqual([]);
  });

  test('a call to who wrote it into his usrloc', async () => {
    const before = server.read('usrloc');
    server.write('usrloc', `<sip:1900@${at()}>;sr-expires-at="2099-01-01T00:00:00Z"\n`);
    expect(await call(`sip:jan@${realm}`)).toBe(480);
    server.write('usrloc', before);
    expect(await heardBy(gateway)).toEqual([]);
  });

  test.each(['INVITE', 'MESSAGE', 'ACK'])('%s in a dialog of other people', async (method) => {
    const calling = caller.invite(`sip:jan@${realm}`);
    await phone.answer(await phone.next('INVITE'), 200, { body: SDP });
    const established = await calling;
    await caller.confirm(established);
    await phone.next('ACK');
    const { fields } = caller.within(method, established, 99);
    const octets = caller.agent.format({ method, requestUri: `sip:1900@${at()}`, fields });
    if (method === 'ACK') await caller.agent.sendRaw(octets);
    else expect((await caller.agent.exchange(octets)).status).toBe(480);
    expect((await caller.agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);
    expect(await heardBy(gateway)).toEqual([]);
  });
});

test('a number that comes from the gateway and is nobody’s does not go back there', async () => {
  const octets = gateway.format({
    method: 'INVITE',
    requestUri: `sip:+4930123@${realm}`,
    fields: { From: '<sip:+4940@telco.example>;tag=a' },
  });
  const response = await gateway.exchange(octets);
  expect(response.status).toBe(404);
  await new Phone(gateway, 'telco').acknowledge(response, `sip:+4930123@${realm}`);
  expect((await gateway.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);
  expect(await heardBy(gateway)).toEqual([]);
});

test('a dialog with the gateway goes on: BYE of either side passes', async () => {
  const calling = caller.invite(`sip:+4930123@${realm}`);
  const telco = new Phone(gateway, 'telco');
  const invite = await telco.next('INVITE');
  await telco.answer(invite, 200, { body: SDP });
  const established = await calling;
  await caller.confirm(established);
  await telco.next('ACK');
  const back = gateway.request(telco.back('INFO', invite, 5));
  await caller.answer(await caller.next('INFO'), 200);
  expect((await back).status).toBe(200);
  const bye = caller.agent.request(caller.within('BYE', established, 90));
  await telco.answer(await telco.next('BYE'), 200);
  expect((await bye).status).toBe(200);
});
