// AllowUnauthenticated lets strangers reach our users, and nobody else (DESIGN §4.7); TrustedPeers skip the questions.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromOctets } from '../../src/message/octets.ts';
import type { Agent } from '../agent/agent.ts';
import { Phone, registeredPhone } from './phone.ts';
import { realm, TestServer } from './running-server.ts';
import { heardBy } from './victim.ts';

const peerAddress = '127.0.0.3';
let server: TestServer;
let phone: Phone;
let stranger: Agent;
let peer: Agent;
let victim: Agent;

beforeAll(async () => {
  server = await TestServer.start({ config: ['AllowUnauthenticated yes', `TrustedPeers ${peerAddress}`] });
  phone = await registeredPhone(server);
  stranger = await server.agent();
  peer = await server.agent('udp', peerAddress);
  victim = await server.agent();
});

afterAll(() => server.stop());

const foreign = '<sip:x@elsewhere.example>;tag=a';
const them = () => `127.0.0.1:${victim.local.port}`;

/** The answer to a MESSAGE; the phone says 202 to it and the victim nothing. */
async function ask(from: Agent, requestUri: string, fields: Record<string, string> = {}): Promise<number> {
  const asking = from.request({ method: 'MESSAGE', requestUri, fields: { From: foreign, ...fields } });
  const answered = phone.next('MESSAGE', 1000).then(
    (message) => phone.answer(message, 202),
    () => {},
  );
  const { status } = await asking;
  if (status === 202) await answered;
  return status;
}

describe('a stranger', () => {
  test('reaches a user, by any name of ours, with a Route to us', async () => {
    expect(await ask(stranger, `sip:jan@${realm}`)).toBe(202);
    expect(await ask(stranger, `sip:jan+tag@127.0.0.1:${server.port}`)).toBe(202);
    expect(await ask(stranger, `sip:jan@${realm}`, { Route: `<sip:127.0.0.1:${server.port};lr>` })).toBe(202);
    expect(await ask(stranger, `sip:jan@${realm}`, { From: '<tel:+4930>;tag=a' })).toBe(202);
  });

  test.each<[string, number, () => string, (() => Record<string, string>)?]>([
    ['another domain', 403, () => `sip:x@${them()}`],
    ['a phone by its address', 403, () => phone.contact],
    ['a Route elsewhere', 403, () => `sip:jan@${realm}`, () => ({ Route: `<sip:${them()};lr>` })],
    [
      'a Route to us and elsewhere',
      403,
      () => `sip:jan@${realm}`,
      () => ({ Route: `<sip:${realm};lr>, <sip:${them()};lr>` }),
    ],
    ['nobody', 404, () => `sip:nosuch@${realm}`],
    ['no user', 484, () => `sip:127.0.0.1:${server.port}`],
    ['a user as one of ours', 407, () => `sip:jan@${realm}`, () => ({ From: `<sip:jan@${realm}>;tag=a` })],
    [
      'a user with a To tag and a token',
      403,
      () => `sip:x@${them()}`,
      () => ({
        To: '<sip:a@b>;tag=t',
        Route: `<sip:127.0.0.1:${server.port};lr;sr=zzzzzz.AAAAAAAAAAAAAAAAAAAAAA>`,
      }),
    ],
  ])('does not get to %s: %i', async (_, status, uriOf, fieldsOf) => {
    expect(
      (
        await stranger.request({
          method: 'MESSAGE',
          requestUri: uriOf(),
          fields: { From: foreign, ...fieldsOf?.() },
        })
      ).status,
    ).toBe(status);
    expect(await heardBy(victim)).toEqual([]);
    expect(await heardBy(phone.agent)).toEqual([]);
  });

  test('is forwarded to a name in UTF-8 by the octets of the file', async () => {
    server.write('config', `ForwardAlways sip:zdeněk@${them()}\n`);
    const requestUri = `sip:jan@${realm}`;
    const asking = stranger.request({ method: 'INVITE', requestUri, fields: { From: foreign } });
    const other = new Phone(victim, 'x');
    const invite = await other.next('INVITE');
    expect(fromOctets(invite.request.requestUri)).toBe(`sip:zdeněk@${them()}`);
    expect(server.log('forwarded').at(-1)).toContain(`zdeněk@`);
    await other.answer(invite, 486);
    const response = await asking;
    await new Phone(stranger, 'x').acknowledge(response, requestUri);
    await other.next('ACK');
    server.write('config', '');
  });

  test('is forwarded elsewhere only as the call of who is called', async () => {
    server.write('config', `ForwardAlways sip:x@${them()}\n`);
    const requestUri = `sip:jan@${realm}`;
    const asking = stranger.request({ method: 'INVITE', requestUri, fields: { From: foreign } });
    const other = new Phone(victim, 'x');
    await other.answer(await other.next('INVITE'), 486);
    const response = await asking;
    expect(response.status).toBe(486);
    await new Phone(stranger, 'x').acknowledge(response, requestUri);
    await other.next('ACK');
    server.write('config', '');
  });
});

describe('a trusted peer', () => {
  test('reaches a user, as anybody', async () => {
    expect(await ask(peer, `sip:jan@${realm}`)).toBe(202);
    expect(await ask(peer, `sip:jan@${realm}`, { From: `<sip:jan@${realm}>;tag=a` })).toBe(202);
  });

  test('says by a Route where it goes', async () => {
    const asking = peer.request({
      method: 'MESSAGE',
      requestUri: 'sip:x@elsewhere.example',
      fields: { From: foreign, Route: `<sip:${them()};lr>` },
    });
    const other = new Phone(victim, 'x');
    await other.answer(await other.next('MESSAGE'), 202);
    expect((await asking).status).toBe(202);
  });

  test('gets 404 for nobody', async () => {
    expect(
      (
        await peer.request({
          method: 'MESSAGE',
          requestUri: `sip:nosuch@${realm}`,
          fields: { From: foreign },
        })
      ).status,
    ).toBe(404);
  });
});
