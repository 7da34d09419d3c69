// Everything that is no REGISTER (DESIGN §4.7 and §4.1), and what is no request at all.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatCredentials } from '../../src/digest/challenge.ts';
import { fieldValue } from '../../src/message/fields.ts';
import type { Agent, TimedResponse } from '../agent/agent.ts';
import { answerChallenge, findChallenge } from '../agent/authorization.ts';
import { answersBefore, answersTo, password, realm, statusOf, TestServer } from './running-server.ts';

let server: TestServer;
let agent: Agent;

beforeAll(async () => {
  server = await TestServer.start({ config: ['Domain example.com'] });
  agent = await server.agent();
});

afterAll(() => server.stop());

const jan = `<sip:jan@${realm}>;tag=a`;

/** A request of jan's, with the answer to its 407 when `secret` is given. */
async function ask(
  method: string,
  secret?: string,
  fields: Record<string, string> = {},
): Promise<TimedResponse> {
  const requestUri = `sip:eva@${realm}`;
  const all = { From: jan, ...fields };
  const first = await agent.request({ method, requestUri, fields: all });
  await acknowledge(first, method);
  const challenge = findChallenge(first);
  if (secret === undefined || challenge === undefined) return first;
  const credentials = answerChallenge(challenge, {
    username: 'jan',
    password: secret,
    method,
    uri: requestUri,
  });
  const value = formatCredentials(credentials);
  const second = await agent.request({
    method,
    requestUri,
    fields: { ...all, 'Proxy-Authorization': value },
  });
  await acknowledge(second, method);
  return second;
}

/** The ACK of a failed INVITE, which stops its retransmissions (§17.1.1.3). */
async function acknowledge(response: TimedResponse, method: string): Promise<void> {
  if (method !== 'INVITE') return;
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => {
    const value = fieldValue(response, name.toLowerCase()) ?? '';
    return `${name}: ${name === 'CSeq' ? value.replace('INVITE', 'ACK') : value.replace(/;received=[^;]+|;rport=\d+/g, '')}\r\n`;
  });
  await agent.sendRaw(`ACK sip:eva@${realm} SIP/2.0\r\n${copied.join('')}Content-Length: 0\r\n\r\n`);
}

describe('OPTIONS', () => {
  test.each([`sip:${realm}`, 'sip:127.0.0.1', 'sip:localhost:5060', 'sip:example.com;transport=udp'])(
    'to %s is 200 and says what there is (§11.2)',
    async (requestUri) => {
      const response = await agent.request({ method: 'OPTIONS', requestUri });
      expect(response.status).toBe(200);
      expect(fieldValue(response, 'allow')).toContain('INVITE');
    },
  );

  test('with Max-Forwards 0 to us is 200, to a user 483', async () => {
    const fields = { 'Max-Forwards': '0' };
    expect((await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, fields })).status).toBe(200);
    expect((await agent.request({ method: 'OPTIONS', requestUri: `sip:eva@${realm}`, fields })).status).toBe(
      483,
    );
  });

  test('with a Require that is not known is 420 (§8.2.2.3)', async () => {
    const response = await agent.request({
      method: 'OPTIONS',
      requestUri: `sip:${realm}`,
      fields: { Require: 'gruu' },
    });
    expect([response.status, fieldValue(response, 'unsupported')]).toEqual([420, 'gruu']);
  });

  test('with a Proxy-Require that is not known is 420 (§16.3)', async () => {
    const response = await agent.request({
      method: 'OPTIONS',
      requestUri: `sip:${realm}`,
      fields: { 'Proxy-Require': 'privacy' },
    });
    expect([response.status, fieldValue(response, 'unsupported')]).toEqual([420, 'privacy']);
  });
});

describe.each(['INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS', 'BYE', 'PUBLISH', 'X-NEW'])('%s', (method) => {
  test('is asked for credentials with 407', async () => {
    const response = await ask(method);
    expect(response.status).toBe(407);
    expect(findChallenge(response)).toMatchObject({ realm, stale: false });
    expect(fieldValue(response, 'www-authenticate')).toBeUndefined();
  });

  test('is 404 for who is nobody here, once its sender is known', async () => {
    const response = await ask(method, password);
    expect(response.status).toBe(404);
  });

  test('is asked again with the wrong password', async () => {
    expect((await ask(method, 'wrong')).status).toBe(407);
  });

  test('from a foreign domain is 403, whatever it brings', async () => {
    expect((await ask(method, password, { From: '<sip:jan@elsewhere.example>;tag=a' })).status).toBe(403);
    expect((await ask(method, password, { From: '<tel:+4930123456>;tag=a' })).status).toBe(403);
  });

  test('from another user of ours is 403 though the password is right (DESIGN §4.3)', async () => {
    expect((await ask(method, password, { From: `<sip:eva@${realm}>;tag=a` })).status).toBe(403);
  });
});

test('the credentials of Authorization do not count where Proxy-Authorization is asked for', async () => {
  const first = await ask('MESSAGE');
  const credentials = answerChallenge(findChallenge(first) as never, {
    username: 'jan',
    password,
    method: 'MESSAGE',
    uri: `sip:eva@${realm}`,
  });
  expect((await ask('MESSAGE', undefined, { Authorization: formatCredentials(credentials) })).status).toBe(
    407,
  );
});

test('CANCEL of nothing is 481', async () => {
  const response = await agent.request({
    method: 'CANCEL',
    requestUri: `sip:eva@${realm}`,
    fields: { From: jan },
  });
  expect(response.status).toBe(481);
});

test('an INVITE’s 404 comes again until its ACK (§17.2.1)', async () => {
  const requestUri = `sip:eva@${realm}`;
  const challenge = findChallenge(await ask('INVITE'));
  const value = formatCredentials(
    answerChallenge(challenge as never, { username: 'jan', password, method: 'INVITE', uri: requestUri }),
  );
  const octets = agent.format({
    method: 'INVITE',
    requestUri,
    fields: { From: jan, 'Proxy-Authorization': value },
  });
  const response = await agent.exchange(octets);
  expect(response.status).toBe(404);
  expect((await agent.nextMessage()).octets).toBe(response.octets);
  await acknowledge(response, 'INVITE');
  expect(await answersBefore(agent)).toEqual([]);
});

describe('silence for', () => {
  const request = (method: string) =>
    agent.format({ method, requestUri: `sip:eva@${realm}`, fields: { From: jan } });
  test.each([
    ['a stray ACK', () => request('ACK')],
    ['an ACK that is malformed', () => request('ACK').replace(/^Call-ID.*\r\n/m, '')],
    [
      'an ACK that is asked for a Proxy-Require',
      () => request('ACK').replace('From:', 'Proxy-Require: x\r\nFrom:'),
    ],
    ['a stray response', () => request('INVITE').replace(/^.*/, 'SIP/2.0 200 OK')],
    ['a response that is malformed', () => request('INVITE').replace(/^.*/, 'SIP/2.0 2000 OK')],
    ['a request without Via', () => request('INVITE').replace(/^Via.*\r\n/m, '')],
    ['keepalives', () => '\r\n\r\n'],
    ['NULs', () => '\0\0\0\0\0\0\0\0'],
    ['words', () => 'hello\r\n\r\n'],
    ['a line without an end', () => 'REGISTER sip:sip.test SIP/2.0'],
    [
      'octets of all kinds',
      () => Array.from({ length: 512 }, (_, at) => String.fromCharCode(at & 255)).join(''),
    ],
  ])('%s', async (_, octets) => {
    const before = server.log('internal-error').length;
    expect(await answersTo(agent, octets())).toEqual([]);
    expect(server.log('internal-error').length).toBe(before);
  });
});

describe('400 that names the field', () => {
  test.each([
    ['Call-ID', (octets: string) => octets.replace(/^Call-ID.*\r\n/m, '')],
    ['CSeq', (octets: string) => octets.replace(/^CSeq: \d+/m, 'CSeq: 99999999999')],
    ['From', (octets: string) => octets.replace(/^From.*\r\n/m, 'From: <sip:\r\n')],
    ['To', (octets: string) => octets.replace(/^To:/m, 'To: "')],
    ['Max-Forwards', (octets: string) => octets.replace(/^Max-Forwards: \d+/m, 'Max-Forwards: 256')],
    ['Content-Length', (octets: string) => octets.replace(/^Content-Length: 0/m, 'Content-Length: 1')],
  ])('%s', async (field, spoil) => {
    const octets = agent.format({ method: 'MESSAGE', requestUri: `sip:eva@${realm}`, fields: { From: jan } });
    expect(spoil(octets)).not.toBe(octets);
    const [answer = ''] = await answersTo(agent, spoil(octets));
    expect(answer).toMatch(new RegExp(`^SIP/2\\.0 400 Bad ${field}\r`));
  });
});

test('answers go to the source, whatever Via says of maddr and received (DESIGN §4.1)', async () => {
  const octets = agent
    .format({ method: 'OPTIONS', requestUri: `sip:${realm}` })
    .replace(
      /^Via: .*$/m,
      'Via: SIP/2.0/UDP 203.0.113.9:9;branch=z9hG4bKx;maddr=203.0.113.8;received=203.0.113.7',
    );
  const [answer = ''] = await answersTo(agent, octets);
  expect(statusOf(answer)).toBe(200);
  expect(answer).toContain(';received=127.0.0.1');
});
