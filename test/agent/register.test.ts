// The agent's registrations against a responder that verifies digest for itself.

import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { type Agent, createAgent } from './agent.ts';
import { createRegistrar, type Responder, startResponder } from './responder.ts';

const jan = { user: 'jan', password: 'geheim ✓ "q" : \\', domain: 'example.org' };
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function setUp(
  options: Partial<Parameters<typeof createRegistrar>[0]> = {},
  transport: 'udp' | 'tcp' = 'udp',
  address: '127.0.0.1' | '::1' = '127.0.0.1',
): Promise<{ agent: Agent; server: Responder } & ReturnType<typeof createRegistrar>> {
  const registrar = createRegistrar({ password: jan.password, algorithms: ['MD5'], ...options });
  const server = await startResponder(transport, address, registrar.behave);
  const agent = await createAgent({ transport, server });
  open.push(agent, server);
  return { agent, server, ...registrar };
}

/** The value of a header field of the nth message that came to the server. */
function sentField(server: Responder, index: number, id: string): string | undefined {
  const message = parseMessage(server.received[index] ?? '');
  return message.type === 'malformed' ? undefined : fieldValue(message, id);
}

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  describe.each(['127.0.0.1', '::1'] as const)('and %s', (address) => {
    test.each(['MD5', 'SHA-256', 'SHA-512-256'] as const)('registers with %s', async (algorithm) => {
      const { agent, server } = await setUp(
        { algorithms: ['SHA-512-256', 'SHA-256', 'MD5'] },
        transport,
        address,
      );
      const result = await agent.register({ ...jan, algorithm, expires: 300 });
      expect(result.status).toBe(200);
      expect(result.first.status).toBe(401);
      expect(result.challenge?.algorithm).toBe(algorithm);
      expect(result.serverProved).toBe(true);
      expect(result.authenticationInfo).toMatchObject({ qop: 'auth', nc: '00000001' });
      expect(result.log.map((entry) => entry.direction)).toEqual(['sent', 'received', 'sent', 'received']);
      expect(result.log.filter((entry) => entry.direction === 'sent').map((entry) => entry.octets)).toEqual(
        server.received,
      );
      expect(sentField(server, 1, 'expires')).toBe('300');
      const host = address === '::1' ? '[::1]' : address;
      const suffix = transport === 'tcp' ? ';transport=tcp' : '';
      expect(sentField(server, 1, 'contact')).toBe(`<sip:jan@${host}:${agent.local.port}${suffix}>`);
    });
  });
});

test('answers the first challenge it supports', async () => {
  const { agent } = await setUp({ algorithms: ['SHA-256', 'MD5'] });
  expect((await agent.register(jan)).challenge?.algorithm).toBe('SHA-256');
});

test('answers 407 with Proxy-Authorization', async () => {
  const { agent, server } = await setUp({ status: 407 });
  const result = await agent.register(jan);
  expect(result).toMatchObject({ status: 200, serverProved: true });
  expect(sentField(server, 1, 'proxy-authorization')).toBe(result.authorization);
});

test('counts CSeq up within one Call-ID', async () => {
  const { agent, server } = await setUp();
  await agent.register(jan);
  await agent.register({ ...jan, cseq: 70, callId: 'other' });
  await agent.register(jan);
  const seen = [0, 1, 2, 3, 4, 5].map(
    (i) => `${sentField(server, i, 'call-id')} ${sentField(server, i, 'cseq')}`,
  );
  expect(seen).toEqual([
    `${agent.callId} 1 REGISTER`,
    `${agent.callId} 2 REGISTER`,
    'other 70 REGISTER',
    'other 71 REGISTER',
    `${agent.callId} 3 REGISTER`,
    `${agent.callId} 4 REGISTER`,
  ]);
});

test('gives up after one wrong password', async () => {
  const { agent, server } = await setUp();
  const result = await agent.register({ ...jan, password: 'wrong' });
  expect(result).toMatchObject({ status: 401, serverProved: false, authenticationInfo: undefined });
  expect(server.received).toHaveLength(2);
});

test('answers a stale nonce once more, and no third time', async () => {
  const { agent, credentials } = await setUp({ staleNonces: 1 });
  expect((await agent.register(jan)).status).toBe(200);
  expect(credentials).toHaveLength(2);

  const stubborn = await setUp({ staleNonces: 10 });
  const result = await stubborn.agent.register(jan);
  expect(result.status).toBe(401);
  expect(stubborn.credentials).toHaveLength(2);
});

test('replays what it is told to, and shows the challenge to that', async () => {
  const { agent, server } = await setUp();
  const { authorization = '' } = await agent.register(jan);
  const replayed = await agent.register({ ...jan, authorization });
  expect(replayed.status).toBe(401);
  expect(fieldValue(replayed.response, 'www-authenticate')).toContain('stale=true');
  expect(server.received).toHaveLength(3);
});

test('uses a nonce again with the count it is told', async () => {
  const { agent, server, credentials } = await setUp();
  const { challenge } = await agent.register(jan);
  expect(await agent.register({ ...jan, answering: challenge, nc: 0x1a })).toMatchObject({
    status: 200,
    serverProved: true,
  });
  expect(credentials.at(-1)?.nc).toBe('0000001a');
  expect(server.received).toHaveLength(3);
  const again = await agent.register({ ...jan, answering: challenge, nc: 0x1a });
  expect(again.first.status, 'the count is used').toBe(401);
  expect(again.status, 'the new nonce is answered').toBe(200);
});

test('sends credentials as wrong as they are wanted', async () => {
  const { agent, credentials } = await setUp();
  const flipped = await agent.register({
    ...jan,
    tamper: (each) => ({ ...each, nonce: `x${each.nonce.slice(1)}` }),
  });
  expect(flipped.status).toBe(401);
  expect(credentials.at(-1)?.nonce).toMatch(/^x/);
  await agent.register({
    ...jan,
    authUsername: 'jan@example.net',
    authRealm: 'realm',
    uriInDigest: 'sip:1.2.3.4:5060',
    cnonce: 'c',
  });
  expect(credentials.at(-1)).toMatchObject({
    username: 'jan@example.net',
    realm: 'realm',
    uri: 'sip:1.2.3.4:5060',
    cnonce: 'c',
  });
});

test('answers as RFC 2069 has it with qop false', async () => {
  const { agent, credentials } = await setUp();
  expect((await agent.register({ ...jan, qop: false })).status).toBe(200);
  expect(credentials[0]?.qop).toBeUndefined();
});

test('sees that a server does not know the password', async () => {
  const { agent } = await setUp({ rspauth: '0'.repeat(32) });
  expect(await agent.register(jan)).toMatchObject({ status: 200, serverProved: false });
});

test('sends any contacts and fields', async () => {
  const { agent, server } = await setUp();
  await agent.register({
    ...jan,
    contact: ['<sip:a@192.0.2.1>', '<sip:b@192.0.2.1>'],
    extraFields: { Path: '<sip:p>' },
  });
  expect(server.received[1]).toContain('Contact: <sip:a@192.0.2.1>\r\nContact: <sip:b@192.0.2.1>\r\n');
  expect(sentField(server, 1, 'path')).toBe('<sip:p>');
  await agent.register({ ...jan, contact: null, extraFields: { To: '<sip:eve@example.org>' } });
  expect(sentField(server, 2, 'contact')).toBeUndefined();
  expect(sentField(server, 2, 'to')).toBe('<sip:eve@example.org>');
});
