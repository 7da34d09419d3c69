// What the control socket tells of a server and does to it, while real messages pass.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlClient, connectControl } from '../../src/control/client.ts';
import type { Statistics } from '../../src/control/statistics.ts';
import type { ListedCall } from '../../src/server/control-calls.ts';
import { Phone } from './phone.ts';
import { answersTo, realm, TestServer } from './running-server.ts';

let server: TestServer;
let client: ControlClient;
beforeEach(async () => {
  server = await TestServer.start();
  client = await connectControl(server.controlPath);
});
afterEach(async () => {
  client.close();
  await server.stop();
});
const stats = async () => (await client.request('stats')) as Statistics;

describe('stats', () => {
  test.each(['udp', 'tcp'] as const)('count a registration over %s by what it takes', async (transport) => {
    const agent = await server.agent(transport);
    await server.register(agent);
    const { requests, responsesSent, registrations, now, perSecond } = await stats();
    expect(requests).toMatchObject({ REGISTER: 2, INVITE: 0, other: 0 });
    expect(responsesSent).toEqual({ '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 1, '5xx': 0, '6xx': 0 });
    expect(registrations).toEqual({ confirmed: 1, added: 1, removed: 0 });
    expect(now).toMatchObject({ contacts: 1, users: 1 });
    expect(perSecond.registrations).toBeGreaterThan(0);
    await server.register(agent, { expires: 0 });
    expect((await stats()).registrations).toEqual({ confirmed: 2, added: 1, removed: 1 });
  });

  test('count what is refused by why', async () => {
    const agent = await server.agent();
    await answersTo(agent, 'REGISTER sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n');
    await server.register(agent, { password: 'wrong' });
    const { refused } = await stats();
    expect(refused).toMatchObject({ malformed: 1, authentication: 1, overload: 0 });
  });

  test('a method that we have no name for is another, whatever it is', async () => {
    const agent = await server.agent();
    for (const method of ['FROB', '__proto__', 'constructor'])
      await agent.request({ method, requestUri: `sip:nobody@${realm}` });
    expect((await stats()).requests.other).toBe(3);
  });

  test('a call counts once, and while it begins', async () => {
    const agent = await server.agent();
    const callee = await server.agent();
    const phone = new Phone(callee, 'jan');
    await server.register(callee, { contact: `<${phone.contact}>` });
    const call = new Phone(agent, 'jan').invite(`sip:jan@${realm}`);
    const invite = await phone.next('INVITE');
    const before = await stats();
    expect(before.requests.INVITE).toBe(2);
    expect(before.now.callsBeginning).toBe(1);
    await phone.answer(invite, 486);
    await call;
    const { calls, now } = await stats();
    expect(calls).toBe(1);
    expect(now.callsBeginning).toBe(0);
  });

  test('say how late the event loop was', async () => {
    // The loop has to turn a few times before a delay can be told from its rhythm.
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = (await stats()).delay.max;
    const until = performance.now() + 150;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await stats()).delay.max).toBeGreaterThan(Math.max(before, 80));
  });
});

describe('ping', () => {
  test.each(['udp', 'tcp'] as const)('asks a contact over %s by OPTIONS', async (transport) => {
    const agent = await server.agent(transport);
    const phone = new Phone(agent, 'jan');
    await server.register(agent, { contact: `<${phone.contact}>` });
    const pinged = client.request('ping', { user: 'jan' });
    const options = await phone.next('OPTIONS');
    expect(options.request.requestUri).toBe(phone.contact);
    expect(options.octets).toContain(`SIP/2.0/${transport.toUpperCase()} `);
    await phone.answer(options, 200);
    const [answer] = (await pinged) as { contact: string; rtt: number }[];
    expect(answer).toEqual({ contact: phone.contact, rtt: expect.any(Number) });
    expect(answer?.rtt).toBeGreaterThan(0);
  });

  test('sends nothing to where no contact may point', async () => {
    server.write('usrloc', `<sip:jan@127.0.0.1:${server.port}>\n`);
    expect(await client.request('ping', { user: 'jan' })).toEqual([
      { contact: `sip:jan@127.0.0.1:${server.port}`, rtt: null, why: 'there is no way to it' },
    ]);
  });
});

test('one connection may trace more than once without a warning of ours', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(warning.name);
  process.on('warning', listen);
  for (let count = 0; count < 12; count++) expect(await client.request('trace')).toEqual({});
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});

test('of a thousand contacts 20 are asked', async () => {
  const agent = await server.agent();
  const at = `127.0.0.1:${agent.local.port}`;
  const contacts = Array.from({ length: 30 }, (_, index) => `<sip:jan@${at};line=${index}>\n`);
  server.write('usrloc', contacts.join(''));
  const pinged = client.request('ping', { user: 'jan' });
  const phone = new Phone(agent, 'jan');
  for (let count = 0; count < 20; count++) await phone.answer(await phone.next('OPTIONS'), 200);
  expect(await pinged).toHaveLength(20);
});

describe('calls', () => {
  test('are listed while they go on, and no longer', async () => {
    const callee = await server.agent();
    const phone = new Phone(callee, 'jan');
    await server.register(callee, { contact: `<${phone.contact}>` });
    const caller = new Phone(await server.agent(), 'jan');
    const calling = caller.invite(`sip:jan@${realm}`);
    const invite = await phone.next('INVITE');
    const list = async () => (await client.request('calls')) as { calls: ListedCall[] };
    const party = { from: `sip:jan@${realm}`, to: `sip:jan@${realm}`, caller: 'jan', called: ['jan'] };
    expect((await list()).calls).toMatchObject([{ ...party, answer: null }]);
    await phone.answer(invite, 200);
    const established = await calling;
    await caller.confirm(established);
    const [call] = (await list()).calls;
    expect(Date.parse(call?.answer ?? '')).toBeGreaterThanOrEqual(Date.parse(call?.start ?? ''));
    const ending = caller.agent.request(caller.within('BYE', established, 3));
    await phone.answer(await phone.next('BYE'), 200);
    expect((await ending).status).toBe(200);
    expect(await list()).toEqual({ calls: [], more: 0 });
  });
});

describe('drop', () => {
  test('takes one contact away, which a call reaches no more, and keeps the others', async () => {
    const [one, other] = [await server.agent(), await server.agent()];
    const [first, second] = [new Phone(one, 'jan'), new Phone(other, 'jan')];
    await server.register(one, { contact: `<${first.contact}>` });
    await server.register(other, { contact: `<${second.contact}>` });
    expect(await client.request('drop', { user: 'jan', contact: first.contact })).toEqual([first.contact]);
    expect((await stats()).now.contacts).toBe(1);
    expect(server.log('dropped')).toEqual([`dropped user=jan contact=${first.contact}`]);
    const again = await client.request('drop', { user: 'jan', contact: first.contact });
    expect(again).toMatchObject({ type: 'control-fault', message: `jan has no contact ${first.contact}` });
    const refreshed = await server.register(other, { contact: `<${second.contact}>` });
    expect(refreshed.response.octets.match(/<sip:jan@127[^>]*>/g)).toEqual([`<${second.contact}>`]);
  });

  test('without a contact takes all', async () => {
    await server.register(await server.agent());
    await server.register(await server.agent());
    expect(await client.request('drop', {})).toHaveLength(2);
    expect((await stats()).now.contacts).toBe(0);
    expect(await client.request('drop', {})).toEqual([]);
  });

  test('of a user who is not served here is refused', async () => {
    expect(await client.request('drop', { user: 'eva' })).toMatchObject({
      message: 'eva is not served here',
    });
  });
});
