// Our Record-Route is a key (RFC 3261 §16.6 step 4): it fits its own dialog, until it expires, and opens no other door.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hmac, hmacKey } from '../../src/digest/hash.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { signDialogRoute } from '../../src/proxy/dialog-route.ts';
import type { FlowEnds } from '../../src/transport/connections.ts';
import type { Agent } from '../agent/agent.ts';
import { realm, TestServer } from './running-server.ts';
import { heardBy } from './victim.ts';

let server: TestServer;
let thief: Agent;
let peer: Agent;

beforeAll(async () => {
  server = await TestServer.start();
  thief = await server.agent();
  peer = await server.agent();
});

afterAll(() => server.stop());

const dialog = { callId: 'c1@dialog', callerTag: 'caller', calleeTag: 'callee' };

/** A token as the server makes it: its key is the server's. */
function tokenOf(expiresAtMs: number, flows: { callerFlow?: FlowEnds; calleeFlow?: FlowEnds } = {}): string {
  const secret = Buffer.from(readFileSync(server.path('key'), 'utf8').trim(), 'hex');
  const key = hmacKey(Buffer.from(hmac(secret, 'dialog'), 'hex'));
  return signDialogRoute(key, dialog.callId, dialog.callerTag, { expiresAtMs, ...flows });
}

const good = () => tokenOf(Date.now() + 60_000);
const flowTo = ({ local }: Agent): FlowEnds => ({
  transport: 'udp',
  localAddress: '127.0.0.1',
  localPort: server.port,
  remoteAddress: local.address,
  remotePort: local.port,
});

interface Attempt {
  readonly token: string;
  readonly callId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly method?: string;
}

function format({ token, callId, from, to, method = 'MESSAGE' }: Attempt): string {
  return thief.format({
    method,
    requestUri: `sip:x@127.0.0.1:${peer.local.port}`,
    callId: callId ?? dialog.callId,
    fields: {
      From: `<sip:jan@${realm}>;tag=${from ?? dialog.callerTag}`,
      To: `<sip:jan@${realm}>${to ?? `;tag=${dialog.calleeTag}`}`,
      Route: `<sip:127.0.0.1:${server.port};lr;sr=${token}>`,
    },
  });
}

describe('lets a request through that is', () => {
  test.each([
    ['of the caller', {}],
    ['of the callee', { from: dialog.calleeTag, to: `;tag=${dialog.callerTag}` }],
    ['of any method', { method: 'X-NEW' }],
  ])('%s', async (_, attempt) => {
    const asking = thief.exchange(format({ token: good(), ...attempt }));
    const { message } = await peer.nextMessage();
    expect(message).toMatchObject({ type: 'request', method: 'method' in attempt ? 'X-NEW' : 'MESSAGE' });
    const via = message.type === 'malformed' ? '' : message.fields.filter(({ id }) => id === 'via');
    expect(via.length).toBe(2);
    await peer.sendRaw(
      `SIP/2.0 200 OK\r\n${(via as { value: string }[]).map(({ value }) => `Via: ${value}\r\n`).join('')}` +
        ['from', 'to', 'call-id', 'cseq']
          .map((id) => `${id}: ${fieldValue(message as never, id)}\r\n`)
          .join('') +
        'Content-Length: 0\r\n\r\n',
    );
    expect((await asking).status).toBe(200);
  });
});

describe('asks for credentials where', () => {
  test.each<[string, () => Partial<Attempt>]>([
    ['the Call-ID is another', () => ({ callId: 'c2@dialog' })],
    ['the Call-ID has another case', () => ({ callId: 'C1@dialog' })],
    ['the From tag is another', () => ({ from: 'somebody' })],
    ['there is no To tag', () => ({ to: '' })],
    ['the To tag is another and From the callee’s', () => ({ from: dialog.calleeTag, to: ';tag=z' })],
    ['it expired', () => ({ token: tokenOf(Date.now() - 1000) })],
    [
      'the expiry was put off',
      () => ({ token: good().replace(/^\w+/, (at) => (Number.parseInt(at, 36) + 9).toString(36)) }),
    ],
    ['the expiry has another case', () => ({ token: good().toUpperCase() })],
    ['the expiry has a sign', () => ({ token: `+${good()}` })],
    ['the MAC is cut off', () => ({ token: good().slice(0, -1) })],
    ['the MAC is empty', () => ({ token: good().replace(/\..*/, '.') })],
    [
      'a flow was put behind',
      () => ({ token: `${good()}.${Buffer.from('udp,1,2,3,4 ').toString('base64url')}` }),
    ],
    [
      'the flow was taken off',
      () => ({
        token: tokenOf(Date.now() + 60_000, { calleeFlow: flowTo(peer) }).replace(
          /^([^.]+\.[^.]+)\..*/,
          '$1',
        ),
      }),
    ],
    [
      'the flow was changed',
      () => ({
        token: tokenOf(Date.now() + 60_000, { calleeFlow: flowTo(peer) }).replace(/.$/, (last) =>
          last === 'A' ? 'B' : 'A',
        ),
      }),
    ],
  ])('%s', async (_, attempt) => {
    for (const method of ['MESSAGE', 'INVITE', 'BYE'])
      expect((await thief.exchange(format({ token: good(), method, ...attempt() }))).status).toBe(407);
    await thief.sendRaw(format({ token: good(), method: 'ACK', ...attempt() }));
    expect((await thief.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);
    expect(await heardBy(peer)).toEqual([]);
  });
});
