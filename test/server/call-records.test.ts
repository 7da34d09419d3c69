// What is written of calls (DESIGN §2 acct): one user, jan, who calls himself, so that his file has both sides of a call.

import { chmodSync, mkdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import { fieldValue } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { toOctets } from '../../src/message/octets.ts';
import { createField } from '../../src/message/response.ts';
import { run } from '../host/run.ts';
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
    const at = Date.UTC(2026, 10, 22, 10, 15);
    server.nowMs = at;
    const call = await establish(server);
    const { caller, callee, response } = call;
    server.nowMs = at + 1000;
    const bye = caller.agent.request(caller.within('BYE', response, 1));
    await callee.answer(await callee.next('BYE'), 500);
    expect((await bye).status).toBe(500);
    server.nowMs = at + 2000;
    await hangUp(call);
    expect((await sidesOf(server)).out.durationMs).toBe(2000);
  });

  test('by two phones at once lasts until the last of its dialogs has ended (§13.2.2.4)', async () => {
    const server = await start();
    const at = Date.UTC(2026, 10, 22, 10, 15);
    server.nowMs = at;
    const [one, other] = [await registeredPhone(server), await registeredPhone(server)];
    const caller = await callerOf(server);
    const inviting = caller.invite(aor);
    const [first, second] = [await one.next('INVITE'), await other.next('INVITE')];
    await other.answer(second, 180);
    await caller.nextResponse(180, 'INVITE');
    await one.answer(first, 200, { body: SDP });
    const response = await inviting;
    await caller.confirm(response);
    await other.next('CANCEL');
    await other.answer(second, 200, { body: SDP });
    const late = await caller.nextResponse(200, 'INVITE');
    await caller.confirm(late);
    server.nowMs = at + 1000;
    await hangUp({ callee: other, caller, response: late, invite: second });
    server.nowMs = at + 2000;
    await hangUp({ callee: one, caller, response, invite: first });
    expect((await sidesOf(server)).out.durationMs).toBe(2000);
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

  test('but challenged by its callee is none: it comes again (§22.3)', async () => {
    const server = await start();
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const challenge = createField('Proxy-Authenticate', 'Digest realm="elsewhere", nonce="n"');
    const inviting = caller.invite(aor);
    await callee.answer(await callee.next('INVITE'), 407, { fields: [challenge] });
    await caller.acknowledge(await inviting, aor);
    const again = caller.invite(aor);
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await again).status).toBe(486);
    const { out, in: incoming } = await sidesOf(server);
    expect([out.status, incoming.status]).toEqual(['busy', 'busy']);
  });

  test('but comes back from a proxy behind us is one call', async () => {
    const server = await start({ config: ['TrustedPeers 127.0.0.2'] });
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const proxy = await server.agent('udp', '127.0.0.2');
    const { address, port } = proxy.local;
    const to = `sip:eva@${address}:${port}`;
    const inviting = caller.invite(to);
    const behind = new Phone(proxy, 'proxy');
    const out = await behind.next('INVITE');
    const value = (id: string) => fieldValue(out.request, id) ?? '';
    const back = proxy.request({
      method: 'INVITE',
      requestUri: aor,
      callId: value('call-id'),
      fields: { From: value('from'), To: value('to') },
    });
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await back).status).toBe(486);
    await behind.answer(out, 486);
    expect((await inviting).status).toBe(486);
    const sides = await sidesOf(server);
    expect([sides.out.to, sides.in.to]).toEqual([to, aor]);
  });

  test('that a stranger gives the name of another is one of its own', async () => {
    const server = await start({ config: ['AllowUnauthenticated yes'] });
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(aor);
    const first = await callee.next('INVITE');
    const value = (id: string) => fieldValue(first.request, id) ?? '';
    const tag = /;tag=(\S+)/.exec(value('from'))?.[1];
    const strange = (await server.agent()).request({
      method: 'INVITE',
      requestUri: aor,
      callId: value('call-id'),
      fields: { From: `<sip:eva@elsewhere.test>;tag=${tag}` },
    });
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await strange).status).toBe(486);
    await callee.answer(first, 486);
    expect((await inviting).status).toBe(486);
    const [record, ...sides] = await recordsOf(server, 3);
    expect(record).toMatchObject({ from: 'sip:eva@elsewhere.test', status: 'busy' });
    expect(sides.map(({ id }) => id)).not.toContain(record?.id);
  });

  test('from somebody else is in the file of the called alone', async () => {
    const server = await start({ config: ['TrustedPeers 127.0.0.2'] });
    const peer = await server.agent('udp', '127.0.0.2');
    const fields = { From: '<sip:eva@elsewhere.test>;tag=e' };
    expect((await peer.request({ method: 'INVITE', requestUri: aor, fields })).status).toBe(480);
    expect((await peer.request({ method: 'INVITE', requestUri: `sip:x@${realm}`, fields })).status).toBe(404);
    const [record] = await recordsOf(server, 1);
    expect(record).toMatchObject({
      ...{ direction: 'in', from: 'sip:eva@elsewhere.test', callee: 'jan', peerIp: '127.0.0.2' },
    });
    expect(record?.caller).toBeUndefined();
  });

  test('is one also with a To tag that no dialog of ours has', async () => {
    const server = await start();
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(aor, { To: `<${aor}>;tag=made-up` });
    await callee.answer(await callee.next('INVITE'), 486);
    expect((await inviting).status).toBe(486);
    expect((await sidesOf(server)).out.status).toBe('busy');
  });

  test('with a wrong password is none', async () => {
    const server = await start();
    const caller = await callerOf(server);
    expect((await caller.invite(aor, {}, 'wrong')).status).toBe(407);
    await server.halt();
    expect(server.read('acct')).toBe('');
  });
});

describe('a call whose BYE never comes', () => {
  const at = Date.UTC(2026, 10, 22, 10, 15);
  const hour = 3_600_000;

  test('ends with MaxCallDuration', async () => {
    const server = await start({ config: ['MaxCallDuration 2h'] });
    server.nowMs = at;
    await establish(server);
    server.nowMs = at + 3 * hour;
    const { out, in: incoming } = await sidesOf(server);
    expect(out).toMatchObject({ status: 'answered', durationMs: 2 * hour, endedBy: 'max-duration' });
    expect(incoming).toEqual({ ...out, direction: 'in' });
  });

  test('ends with its session, which a refresh prolongs (RFC 4028)', async () => {
    const server = await start();
    server.nowMs = at;
    const session = [createField('Session-Expires', '1800;refresher=uac')];
    const { caller, callee, response } = await establish(server, session);
    server.nowMs = at + 900_000;
    const refreshing = caller.agent.request(caller.within('UPDATE', response, 90));
    await callee.answer(await callee.next('UPDATE'), 200, { fields: session });
    expect((await refreshing).status).toBe(200);
    server.nowMs = at + 2_699_999;
    await sweepsOf(server);
    expect(server.read('acct')).toBe('');
    server.nowMs = at + hour;
    const { out } = await sidesOf(server);
    expect(out).toMatchObject({ status: 'answered', durationMs: 2_700_000, endedBy: 'timer' });
  });

  test('is not ended by a session shorter than there may be (RFC 4028 §4)', async () => {
    const server = await start();
    server.nowMs = at;
    const established = await establish(server, [createField('Session-Expires', '1')]);
    server.nowMs = at + 89_000;
    await sweepsOf(server);
    await hangUp(established);
    const { out } = await sidesOf(server);
    expect(out).toMatchObject({ status: 'answered', durationMs: 89_000, endedBy: 'caller' });
  });

  test.each([-hour, 24 * hour])('lasts as long as it did when the clock is set by %i ms', async (setBy) => {
    const server = await start();
    server.nowMs = at;
    const established = await establish(server);
    server.setClock(at + setBy);
    await sweepsOf(server);
    server.nowMs = at + setBy + 60_000;
    await hangUp(established);
    const { out } = await sidesOf(server);
    expect(out.durationMs).toBe(60_000);
  });

  /** Waits until overdue calls were looked at twice: a line of the journal is written each time. */
  async function sweepsOf(server: TestServer): Promise<void> {
    const before = server.read('calls').split('\n').length;
    await vi.waitFor(() => expect(server.read('calls').split('\n').length).toBeGreaterThan(before + 1));
  }
});

describe('a server that was stopped in a call', () => {
  const at = Date.UTC(2026, 10, 22, 10, 15);

  test('ends it with its BYE when it runs again', async () => {
    const server = await start();
    server.nowMs = at;
    const call = await establish(server);
    await server.restart();
    server.nowMs = at + 100_000;
    await hangUp(call);
    const { out } = await sidesOf(server);
    expect(out).toMatchObject({
      start: at,
      durationMs: 100_000,
      endedBy: 'caller',
      userAgent: 'phone "ä"/1.0',
    });
    await server.restart();
    await recordsOf(server, 2);
  });

  test('ends it where it was known last when nobody says a word in it any more', async () => {
    const server = await start();
    server.nowMs = at;
    await establish(server);
    server.nowMs = at + 60_000;
    await server.restart();
    server.nowMs = at + 120_000;
    await server.restart();
    server.nowMs = at + 43_200_000;
    const { out } = await sidesOf(server);
    expect(out).toMatchObject({ durationMs: 60_000, end: at + 60_000, endedBy: 'restart' });
  });

  test('takes a call that was ringing for failed', async () => {
    const server = await start();
    const callee = await registeredPhone(server);
    const caller = await callerOf(server);
    const inviting = caller.invite(aor).catch(() => undefined);
    await callee.answer(await callee.next('INVITE'), 180);
    await caller.nextResponse(180, 'INVITE');
    await server.restart();
    const { out, in: incoming } = await sidesOf(server);
    expect([out.status, incoming.status]).toEqual(['failed', 'failed']);
    expect(out).toMatchObject({ endedBy: 'restart', code: undefined });
    await caller.agent.close();
    await inviting;
  });

  test('passes over lines of its journal that it cannot read', async () => {
    const server = await start();
    const call = await establish(server);
    await server.halt();
    server.append('calls', 'null\n{"call":{\n{"over":7}\n{"call":{"id":"x"}}\nnot at all\n{"call":');
    await server.restart();
    expect(server.log('calls-journal').at(-1)).toMatch(/lines=4$/);
    await hangUp(call);
    await recordsOf(server, 2);
  });
});

describe('a server that died between its journal and a copy', () => {
  async function afterDeath(server: TestServer, lines: readonly string[]): Promise<void> {
    await server.halt();
    const waiting = lines.map((line) => ({ user: 'jan', line }));
    server.append('calls', `${JSON.stringify({ handle: 'x', waiting })}\n`);
    await server.restart();
  }

  test('writes what is missing, and nothing twice', async () => {
    const server = await start();
    await hangUp(await establish(server));
    await recordsOf(server, 2);
    const [one, other] = linesOf(server) as [string, string];
    server.write('acct', `${one}\n`);
    await afterDeath(server, [one, other]);
    await recordsOf(server, 2);
    expect(linesOf(server)).toEqual([one, other]);
    await afterDeath(server, [one, other]);
    await vi.waitFor(() => expect(server.read('calls')).toContain('"over":"x"'));
    expect(linesOf(server)).toEqual([one, other]);
  });
});

describe('a record that cannot be written', () => {
  const makers = {
    'a directory': (path: string) => mkdirSync(path),
    'a FIFO': (path: string) => expect(run(['mkfifo', path]).status).toBe(0),
    'a symbolic link': (path: string) => symlinkSync('/etc/hostname', path),
    'a link to nothing': (path: string) => symlinkSync('/nowhere/at/all', path),
    'a file that others can write to': (path: string) => {
      writeFileSync(path, '');
      chmodSync(path, 0o666);
    },
  };

  test.each(Object.entries(makers))('to %s waits, and is written when it is gone', async (_, make) => {
    const server = await start();
    make(server.path('acct'));
    const call = await establish(server);
    await hangUp(call);
    await vi.waitFor(() => expect(server.log('acct-waits')).toHaveLength(1));
    rmSync(server.path('acct'), { recursive: true });
    await sidesOf(server);
    expect(server.log('acct-written')).toHaveLength(1);
  });

  test('is not lost when the server stops meanwhile', async () => {
    const server = await start();
    mkdirSync(server.path('acct'));
    await hangUp(await establish(server));
    await server.restart();
    rmdirSync(server.path('acct'));
    await sidesOf(server);
    await server.restart();
    await recordsOf(server, 2);
  });
});

test('of the records of one user 1000 wait; more are lost, and counted', async () => {
  const server = await start({ config: ['RateLimit 10000/10000'] });
  mkdirSync(server.path('acct'));
  const caller = await callerOf(server);
  for (let call = 0; call < 510; call++) expect((await caller.invite(aor)).status).toBe(480);
  await server.restart();
  const lost = server.log('acct-lost').map((line) => Number(/records=(\d+)/.exec(line)?.[1]));
  expect(lost.reduce((sum, records) => sum + records)).toBe(20);
  expect(server.log('acct-waits').length).toBeLessThan(5);
  rmdirSync(server.path('acct'));
  await recordsOf(server, 1000);
});

describe('Accounting no', () => {
  test('of the server: nothing is written', async () => {
    const server = await start({ config: ['Accounting no'] });
    await hangUp(await establish(server));
    await server.halt();
    expect([server.read('acct'), server.read('calls')]).toEqual(['', '']);
  });

  test('of the user: nor for him, while the server keeps its own', async () => {
    const server = await start();
    server.write('config', 'Accounting no\n');
    const call = await establish(server);
    await hangUp(call);
    server.write('config', 'Accounting yes\n');
    const inviting = call.caller.invite(aor);
    await call.callee.answer(await call.callee.next('INVITE'), 486);
    await call.caller.acknowledge(await inviting, aor);
    const { out, in: incoming } = await sidesOf(server);
    expect([out.status, incoming.status]).toEqual(['busy', 'busy']);
  });
});
