// What is written of calls (DESIGN §2 acct): one user, jan, who calls himself, so that his file has both sides of a call.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import { fieldValue } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { toOctets } from '../../src/message/octets.ts';
import { type Incoming, Phone, registeredPhone, SDP } from './phone.ts';
import { realm, TestServer, type TestServerOptions } from './running-server.ts';

const servers: TestServer[] = [];
const aor = `sip:jan@${realm}`;

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start({ sweepMs: 20, ...options });
  servers.push(server);
  return server;
}

async function callerOf(server: TestServer): Promise<Phone> {
  return new Phone(await server.agent(), server.user);
}

/** The records in ~/.sr/acct once there are as many; all of them can be read. */
async function recordsOf(server: TestServer, count: number): Promise<CallRecord[]> {
  await vi.waitFor(() => expect(linesOf(server).length).toBeGreaterThanOrEqual(count), { timeout: 5000 });
  const records = linesOf(server).map(parseCallRecord);
  expect(records.filter((record) => typeof record === 'string')).toEqual([]);
  expect(records).toHaveLength(count);
  return records as CallRecord[];
}

const linesOf = (server: TestServer) => server.read('acct').split('\n').slice(0, -1);

/** The two sides of the only call. */
async function sidesOf(server: TestServer): Promise<{ out: CallRecord; in: CallRecord }> {
  const records = await recordsOf(server, 2);
  const side = (direction: string) => records.find((each) => each.direction === direction) as CallRecord;
  expect(side('in').id).toBe(side('out').id);
  return { out: side('out'), in: side('in') };
}

interface Established {
  readonly callee: Phone;
  readonly caller: Phone;
  readonly invite: Incoming;
  readonly response: Response;
}

/** A call that is answered. */
async function establish(server: TestServer, fields: Response['fields'] = []): Promise<Established> {
  const callee = await registeredPhone(server);
  const caller = await callerOf(server);
  const inviting = caller.invite(aor, { 'User-Agent': toOctets('phone "ä"/1.0') });
  const invite = await callee.next('INVITE');
  await callee.answer(invite, 200, { body: SDP, fields });
  const response = await inviting;
  await caller.confirm(response);
  return { callee, caller, invite, response };
}

async function hangUp({ caller, callee, response }: Established): Promise<void> {
  const bye = caller.agent.request(caller.within('BYE', response, 90));
  await callee.answer(await callee.next('BYE'), 200);
  expect((await bye).status).toBe(200);
}

/** The call is refused by its callee. */
async function refused(server: TestServer, status: number): Promise<void> {
  const callee = await registeredPhone(server);
  const caller = await callerOf(server);
  const inviting = caller.invite(aor);
  await callee.answer(await callee.next('INVITE'), status);
  const response = await inviting;
  expect(response.status).toBe(status);
  await caller.acknowledge(response, aor);
}

/** The caller of a phone that rings gives up: a CANCEL with the branch and CSeq of its INVITE (§9.1). */
async function giveUp(caller: Phone, ringing: Response, reason?: string): Promise<void> {
  const value = (id: string) => fieldValue(ringing, id) ?? '';
  const lines = [
    `CANCEL ${aor} SIP/2.0`,
    `Via: ${value('via').replace(/;received=[^;]+|;rport=\d+/g, '')}`,
    `From: ${value('from')}`,
    `To: <${aor}>`,
    `Call-ID: ${value('call-id')}`,
    `CSeq: ${value('cseq').replace('INVITE', 'CANCEL')}`,
    'Max-Forwards: 70',
    ...(reason === undefined ? [] : [`Reason: ${reason}`]),
    'Content-Length: 0',
  ];
  await caller.agent.sendRaw(`${lines.join('\r\n')}\r\n\r\n`);
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('a call that is answered', () => {
  test.each(['caller', 'callee'] as const)('and ended by the %s is written for both', async (by) => {
    const server = await start();
    const at = Date.UTC(2026, 10, 22, 10, 15);
    server.nowMs = at;
    const call = await establish(server);
    expect(server.read('acct')).toBe('');
    server.nowMs = at + 61_500;
    if (by === 'caller') await hangUp(call);
    else {
      const { callee, caller, invite } = call;
      const bye = callee.agent.request(callee.back('BYE', invite, 5));
      await caller.answer(await caller.next('BYE'), 200);
      expect((await bye).status).toBe(200);
    }
    const { out, in: incoming } = await sidesOf(server);
    expect(out).toMatchObject({
      ...{ start: at, answer: at, end: at + 61_500, durationMs: 61_500, from: aor, to: aor },
      ...{ status: 'answered', code: 200, reason: 'OK', endedBy: by, caller: 'jan', callee: 'jan' },
      ...{ peerIp: '127.0.0.1', userAgent: 'phone "ä"/1.0', forwardedBy: undefined },
      callId: fieldValue(call.response, 'call-id'),
    });
    expect(incoming).toEqual({ ...out, direction: 'in' });
  });

  test('goes on when BYE is refused', async () => {
    const server = await start();
    const call = await establish(server);
    const { caller, callee, response } = call;
    const bye = caller.agent.request(caller.within('BYE', response, 1));
    await callee.answer(await callee.next('BYE'), 500);
    expect((await bye).status).toBe(500);
    await hangUp(call);
    await recordsOf(server, 2);
  });

  test('of an anonymous caller does not tell the callee who it was (RFC 3323)', async () => {
    const server = await start();
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(aor, { Privacy: 'id' });
    await callee.answer(await callee.next('INVITE'), 200, { body: SDP });
    const response = await inviting;
    await caller.confirm(response);
    await hangUp({ callee, caller, response, invite: undefined as never });
    const { out, in: incoming } = await sidesOf(server);
    expect(out.from).toBe(aor);
    expect(incoming).toMatchObject({ from: 'sip:anonymous@anonymous.invalid', status: 'answered' });
    expect([incoming.caller, incoming.peerIp, incoming.userAgent]).toEqual([undefined, undefined, undefined]);
  });

  test('by one of two phones is one record of each side, and not missed at the other', async () => {
    const server = await start();
    const [one, other] = [await registeredPhone(server), await registeredPhone(server)];
    const caller = await callerOf(server);
    const inviting = caller.invite(aor);
    const invite = await one.next('INVITE');
    const late = await other.next('INVITE');
    await other.answer(late, 180);
    await one.answer(invite, 200, { body: SDP });
    const response = await inviting;
    await caller.confirm(response);
    await other.answer(await other.next('CANCEL'), 200);
    await other.answer(late, 487);
    await hangUp({ callee: one, caller, response, invite });
    const { out, in: incoming } = await sidesOf(server);
    expect([out.status, incoming.status]).toEqual(['answered', 'answered']);
  });
});

describe('a call that is not answered', () => {
  test.each([
    [486, 'busy', 'busy'],
    [600, 'busy', 'busy'],
    [480, 'missed', 'missed'],
    [404, 'failed', 'failed'],
    [603, 'failed', 'failed'],
  ] as const)('but refused with %i is %s', async (status, out, incoming) => {
    const server = await start();
    await refused(server, status);
    const sides = await sidesOf(server);
    expect(sides.out).toMatchObject({ status: out, code: status, durationMs: 0, answer: undefined });
    expect(sides.in).toMatchObject({ status: incoming, code: status, endedBy: undefined });
  });

  test('is missed where no phone is registered', async () => {
    const server = await start();
    const caller = await callerOf(server);
    expect((await caller.invite(aor)).status).toBe(480);
    const { out, in: incoming } = await sidesOf(server);
    expect([out.status, incoming.status]).toEqual(['missed', 'missed']);
  });

  test.each([
    [undefined, 'missed', 487],
    ['Q.850;cause=16', 'missed', 487],
    ['SIP;cause=200;text="Call completed elsewhere"', 'cancelled', 200],
  ] as const)('but given up with Reason %s is %s for the callee', async (reason, status, code) => {
    const server = await start();
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(aor);
    const invite = await callee.next('INVITE');
    await callee.answer(invite, 180);
    await giveUp(caller, await caller.nextResponse(180, 'INVITE'), reason);
    await callee.answer(await callee.next('CANCEL'), 200);
    await callee.answer(invite, 487);
    expect((await inviting).status).toBe(487);
    const { out, in: incoming } = await sidesOf(server);
    expect(out).toMatchObject({ status: 'cancelled', code: 487, reason: 'Request Terminated' });
    expect(incoming).toMatchObject({ status, code });
  });

  test('to nobody of ours is in the file of the caller alone', async () => {
    const server = await start({ config: ['AllowForeign no'] });
    const caller = await callerOf(server);
    expect((await caller.invite('sip:eva@192.0.2.1')).status).toBe(403);
    const [record] = await recordsOf(server, 1);
    expect(record).toMatchObject({ direction: 'out', to: 'sip:eva@192.0.2.1', status: 'failed', code: 403 });
    expect(record?.callee).toBeUndefined();
  });

  test('with a wrong password is none', async () => {
    const server = await start();
    const caller = await callerOf(server);
    expect((await caller.invite(aor, {}, 'wrong')).status).toBe(407);
    await server.halt();
    expect(server.read('acct')).toBe('');
  });
});
