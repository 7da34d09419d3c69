// Calls of one user at once, and redirections that the server follows (FollowRedirects).

import { afterEach, expect, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import type { Agent } from '../agent/agent.ts';
import { Phone, registeredPhone } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];
const aor = `sip:jan@${realm}`;
const most = 30;

async function start(config: readonly string[] = []): Promise<TestServer> {
  const server = await TestServer.start({ config });
  servers.push(server);
  return server;
}

afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

test('a user has so many calls in the making, and one more when one of them has its final response', async () => {
  const server = await start();
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent(), 'jan');
  const calls = [];
  for (let count = 0; count < most; count++) {
    const response = caller.invite(aor);
    calls.push({ response, invite: await callee.next('INVITE') });
  }
  const refused = await caller.invite(aor);
  expect([refused.status, fieldValue(refused, 'retry-after')]).toEqual([503, '5']);
  await callee.answer((calls[0] as (typeof calls)[0]).invite, 486);
  expect((await calls[0]?.response)?.status).toBe(486);
  const again = caller.invite(aor);
  await callee.answer(await callee.next('INVITE'), 486);
  expect((await again).status).toBe(486);
  for (const { invite } of calls.slice(1)) await callee.answer(invite, 486);
  await Promise.all(calls.map(({ response }) => response));
});

test('a user has so many calls that go on, and one more when one of them has ended', async () => {
  const mostOpen = 1000;
  const server = await start();
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent(), 'jan');
  let established: Response | undefined;
  const call = async () => {
    const response = caller.invite(aor);
    await callee.answer(await callee.next('INVITE'), 200);
    return response;
  };
  for (let count = 0; count < mostOpen; count++) established = await call();
  expect(established?.status).toBe(200);
  expect((await caller.invite(aor)).status).toBe(503);
  const bye = caller.agent.request(caller.within('BYE', established as Response, 90));
  await callee.answer(await callee.next('BYE'), 200);
  expect((await bye).status).toBe(200);
  expect((await call()).status).toBe(200);
  expect((await caller.invite(aor)).status).toBe(503);
});

test('strangers have as many, all of one network together', async () => {
  const mostOpen = 1000;
  const server = await start(['AllowUnauthenticated yes']);
  const callee = await registeredPhone(server);
  const stranger = await server.agent('udp', '127.0.0.3');
  let count = 0;
  const call = async (agent: Agent) => {
    const fields = { From: `<sip:x@elsewhere.test>;tag=s${++count}` };
    const response = agent.request({ method: 'INVITE', requestUri: aor, callId: `s${count}@x`, fields });
    await callee.answer(await callee.next('INVITE'), 200);
    return (await response).status;
  };
  for (let made = 0; made < mostOpen; made++) expect(await call(stranger)).toBe(200);
  const fields = { From: '<sip:x@elsewhere.test>;tag=more' };
  expect((await stranger.request({ method: 'INVITE', requestUri: aor, fields })).status).toBe(503);
  expect(await call(await server.agent('udp', '127.0.0.4'))).toBe(200);
});

test('a redirection goes to the caller', async () => {
  const server = await start();
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent(), 'jan');
  const response = caller.invite(aor);
  await callee.answer(await callee.next('INVITE'), 302, { contact: 'sip:max@127.0.0.1:9' });
  expect((await response).status).toBe(302);
});

test('with FollowRedirects it is followed, as a forward of the callee (§16.5)', async () => {
  const server = await start(['FollowRedirects yes']);
  const callee = await registeredPhone(server);
  const other = new Phone(await server.agent(), 'max');
  const caller = new Phone(await server.agent(), 'jan');
  const response = caller.invite(aor);
  await callee.answer(await callee.next('INVITE'), 302, { contact: other.contact.replace('max', 'm%61x') });
  const invite = await other.next('INVITE');
  expect(fieldValue(invite.request, 'history-info')).toBe(`<${aor}?Reason=SIP%3Bcause%3D302>;index=1`);
  expect(fieldValue(invite.request, 'diversion')).toBe(`<${aor}>;reason=unconditional;counter=1`);
  await other.answer(invite, 480, { fields: [createField('Retry-After', '9')] });
  expect((await response).status).not.toBe(200);
});

test('what it may not call as a forward is not followed', async () => {
  const server = await start(['FollowRedirects yes', 'AllowForeign no']);
  const callee = await registeredPhone(server);
  const other = new Phone(await server.agent(), 'max');
  const caller = new Phone(await server.agent(), 'jan');
  const response = caller.invite(aor);
  await callee.answer(await callee.next('INVITE'), 302, { contact: other.contact });
  expect((await response).status).not.toBe(200);
  await expect(other.next('INVITE', 100)).rejects.toThrow();
});
