// RtpEngine where nobody answers, or late: calls go through all the same, in order, and those that need no relay do not wait.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeBencode } from '../../src/media/bencode.ts';
import { fieldValue, fieldValues } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import { type Incoming, Phone, registeredPhone, SDP } from './phone.ts';
import { password, realm, TestServer } from './running-server.ts';

const aor = `sip:jan@${realm}`;

let silent: Socket;
let commands: string[];
let server: TestServer;
let callee: Phone;

beforeEach(async () => {
  silent = createSocket('udp4').bind(0, '127.0.0.1');
  commands = [];
  silent.on('message', (datagram) => {
    commands.push(/7:command\d+:(ping|offer|answer|delete)/.exec(datagram.toString('latin1'))?.[1] ?? '');
  });
  await once(silent, 'listening');
  server = await TestServer.start({ config: [`RtpEngine udp:127.0.0.1:${silent.address().port}`] });
  callee = await registeredPhone(server);
});

afterEach(async () => {
  await server.stop();
  silent.close();
});

async function callerBehindNat(): Promise<Phone> {
  return new Phone(await server.agent(), 'jan', 'sip:jan@10.0.0.9:5060');
}

/** Waits for a command; answers how to answer it. */
async function nextCommand(name: string): Promise<(sdp: string) => void> {
  for (;;) {
    const [datagram, from] = (await once(silent, 'message')) as [Buffer, RemoteInfo];
    const octets = datagram.toString('latin1');
    if (!octets.includes(`7:command${name.length}:${name}`)) continue;
    const cookie = octets.slice(0, octets.indexOf(' '));
    return (sdp) => silent.send(`${cookie} ${encodeBencode({ result: 'ok', sdp })}`, from.port, from.address);
  }
}

function withSdp(request: ReturnType<Phone['within']>): ReturnType<Phone['within']> {
  return { ...request, fields: { ...request.fields, 'Content-Type': 'application/sdp' }, body: SDP };
}

/** Status and body of the next response to INVITE but 100. */
async function nextStatus({ agent }: Phone): Promise<string> {
  for (;;) {
    const { message } = await agent.nextMessage();
    if (message.type === 'response' && message.status !== 100) return bodyOf(message);
  }
}

function bodyOf({ status, body }: Response): string {
  return `${status} ${body}`;
}

/** A CANCEL of the INVITE that a response is for (RFC 3261 §9.1). */
function cancelOf(response: Response): string {
  const value = (id: string) => fieldValue(response, id) ?? '';
  const via = value('via').replace(/;received=[^;]+|;rport=\d+/g, '');
  const cseq = value('cseq').replace('INVITE', 'CANCEL');
  return (
    `CANCEL ${aor} SIP/2.0\r\nVia: ${via}\r\nMax-Forwards: 70\r\nFrom: ${value('from')}\r\nTo: ${aor}\r\n` +
    `Call-ID: ${value('call-id')}\r\nCSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`
  );
}

/** What the token of the first Record-Route says in plain text, behind expiry and MAC. */
function tokenText({ request }: Incoming): string {
  const token = /;sr=([^;>]+)/.exec(fieldValues(request, 'record-route')[0] ?? '')?.[1] ?? '';
  return Buffer.from(token.split('.')[2] ?? '', 'base64url').toString();
}

describe('while rtpengine is silent', () => {
  test('a call goes through unchanged and without a key, and nothing more is asked for it', async () => {
    const caller = await callerBehindNat();
    const inviting = caller.invite(aor);
    const invite = await callee.next('INVITE');
    expect(invite.request.body).toBe(SDP);
    expect(tokenText(invite).split(' ')[3]).toBeUndefined();
    const asked = commands.filter((command) => command !== 'ping').length;
    const type = createField('Content-Type', 'application/sdp');
    await callee.answer(invite, 200, { body: SDP, fields: [type] });
    const established = await inviting;
    expect(established.body).toBe(SDP);
    await caller.confirm(established);
    await callee.next('ACK');
    const bye = caller.agent.request(caller.within('BYE', established, 90));
    await callee.answer(await callee.next('BYE'), 200);
    expect((await bye).status).toBe(200);
    expect(commands.filter((command) => command !== 'ping')).toEqual(Array(asked).fill('offer'));
    expect(server.log('media-not-relayed')).toEqual([
      `media-not-relayed call=${fieldValue(invite.request, 'call-id')} cseq=2 INVITE ` +
        'why=rtpengine did not answer within 1000 ms',
    ]);
  });

  test('a call that is cancelled meanwhile never reaches the callee', async () => {
    const caller = await callerBehindNat();
    const isOffered = nextCommand('offer');
    const inviting = caller.invite(aor);
    await isOffered;
    const trying = await caller.nextResponse(100, 'INVITE');
    await caller.agent.sendRaw(cancelOf(trying));
    expect((await inviting).status).toBe(487);
    await expect(callee.next('INVITE', 1)).rejects.toThrow();
  });

  test('a call that needs no relay does not wait for it', async () => {
    const caller = new Phone(await server.agent(), 'jan');
    const inviting = caller.invite(aor);
    const invite = await callee.next('INVITE');
    expect(tokenText(invite)).toBe('');
    await callee.answer(invite, 486);
    expect((await inviting).status).toBe(486);
    expect(commands).not.toContain('offer');
  });
});

describe('what rtpengine answers late', () => {
  test('goes on in the order in which it came, and the same SDP is asked for once', async () => {
    const caller = await callerBehindNat();
    const isOffered = nextCommand('offer');
    const inviting = caller.invite(aor);
    (await isOffered)('v=0\r\n');
    const invite = await callee.next('INVITE');
    expect(invite.request.body).toBe('v=0\r\n');
    const isAnswered = nextCommand('answer');
    const fields = [createField('Content-Type', 'application/sdp')];
    await callee.answer(invite, 183, { body: SDP, fields });
    const release = await isAnswered;
    await callee.answer(invite, 180);
    await callee.answer(invite, 200, { body: SDP, fields });
    // What is answered at once came behind all of these.
    expect((await callee.agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);
    release('v=0\r\ns=1\r\n');
    const heard = [await nextStatus(caller), await nextStatus(caller), await inviting.then(bodyOf)];
    expect(heard).toEqual(['183 v=0\r\ns=1\r\n', '180 ', '200 v=0\r\ns=1\r\n']);
  });

  test('is taken for what it is of a late offer: PRACK and ACK answer it (RFC 3262 §5)', async () => {
    const caller = await callerBehindNat();
    const inviting = caller.request('INVITE', aor, { secret: password });
    const invite = await callee.next('INVITE');
    const type = createField('Content-Type', 'application/sdp');
    const isOffered = nextCommand('offer');
    await callee.answer(invite, 183, { body: SDP, fields: [type] });
    (await isOffered)('v=1\r\n');
    const early = await caller.nextResponse(183, 'INVITE');
    expect(early.body).toBe('v=1\r\n');

    const prack = withSdp(caller.within('PRACK', early, 50));
    const isAnswered = nextCommand('answer');
    const pracking = caller.agent.request(prack);
    (await isAnswered)('v=2\r\n');
    const received = await callee.next('PRACK');
    expect(received.request.body).toBe('v=2\r\n');
    await callee.answer(received, 200);
    expect((await pracking).status).toBe(200);

    await callee.answer(invite, 200);
    const established = await inviting;
    const isConfirmed = nextCommand('answer');
    await caller.agent.sendRaw(caller.agent.format(withSdp(caller.within('ACK', established, 2))));
    (await isConfirmed)('v=3\r\n');
    expect((await callee.next('ACK')).request.body).toBe('v=3\r\n');
  });

  test('is ended for a call that was refused', async () => {
    const caller = await callerBehindNat();
    const isOffered = nextCommand('offer');
    const inviting = caller.invite(aor);
    (await isOffered)('v=0\r\n');
    const isEnded = nextCommand('delete');
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await inviting).status).toBe(486);
    await isEnded;
  });
});

describe('RtpEngine', () => {
  test('is asked for a sign of life at start and by each reload that names it', async () => {
    const { port } = silent.address();
    await expect.poll(() => server.log('rtpengine').length).toBe(1);
    server.reload([`RtpEngine udp:127.0.0.1:${port}`]);
    await expect.poll(() => server.log('rtpengine').length, { timeout: 3000 }).toBe(2);
    expect(server.log('rtpengine')[1]).toBe(
      `rtpengine address=127.0.0.1:${port} why=rtpengine did not answer within 1000 ms`,
    );
    server.reload([]);
    const caller = await callerBehindNat();
    const inviting = caller.invite(aor);
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await inviting).status).toBe(486);
    expect(commands).not.toContain('offer');
  });
});
