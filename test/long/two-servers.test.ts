// Two servers of one PostgreSQL, 200 phones, calls all the time, half of them from one server to the other; then one server is
// killed (SIGKILL): its phones go over to the other. What failed, and for how long, is printed.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, createAgent } from '../agent/agent.ts';
import { startPostgres, type TestDatabase } from '../host/databases.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Server } from '../host/server.ts';
import { hash } from '../server/credentials-suite.ts';
import { Phone, SDP } from '../server/phone.ts';

const realm = 'sip.test';
const password = 'secret';
const phoneCount = 200;
const callersAtOnce = 10;
/** With both, and with one alone. */
const phaseMs = (longSeconds() * 1000) / 2;
/** How often a phone registers: real ones do every few minutes, and those on TCP once more when it ends. */
const refreshMs = 2500;

/** A call that was tried. */
interface Attempt {
  readonly atMs: number;
  readonly status: number;
  readonly isAcross: boolean;
}

describeNeeding(['root', 'psql', 'setpriv', 'unshare', 'kamailio'], 'two servers of one database', () => {
  const hosts: PrivateHost[] = [];
  const servers: (Server | undefined)[] = [];
  let database: TestDatabase;
  let isCalling = true;
  let isOver = false;
  /** Each with the server it is at. */
  const phones: { phone: Phone; at: number }[] = [];
  let alive: readonly number[] = [0, 1];

  beforeAll(async () => {
    database = await startPostgres();
    const rows = Array.from({ length: phoneCount }, (_, index) => {
      const user = `u${index}`;
      return `('${user}', '${realm}', '${hash(user, password, realm)}', '${user}')`;
    });
    await database.query(
      `insert into credentials (auth_username, realm, ha1, uid) values ${rows.join(', ')}`,
    );
    hosts.push(new PrivateHost(), new PrivateHost());
    for (const host of hosts) servers.push(await startServer(host));
  }, 60_000);

  afterAll(async () => {
    isOver = true;
    await Promise.all(phones.map(({ phone }) => phone.agent.close()));
    for (const server of servers) await server?.stop();
    for (const host of hosts) host.remove();
    await database?.close();
  });

  const startServer = (host: PrivateHost, port?: number): Promise<Server> =>
    Server.start({
      host,
      config: [`Realm ${realm}`, ...database.config, 'BranchTimeout 1'],
      ...(port === undefined ? {} : { port }),
    });

  /** A phone at one of the servers: on TCP, or behind NAT. */
  async function open(index: number, at: number): Promise<void> {
    const user = `u${index}`;
    const isTcp = index % 4 < 2;
    const server = { address: '127.0.0.1', port: (servers[at] as Server).port };
    // One address has so many connections and no more.
    const localAddress = `127.0.1.${index + 1}`;
    const transport = isTcp ? 'tcp' : 'udp';
    const agent = await createAgent({ transport, server, localAddress, timeoutMs: 3000 });
    const phone = new Phone(agent, user, isTcp ? undefined : `sip:${user}@192.0.2.1:${agent.local.port}`);
    const { status } = await register(agent, user, phone.contact);
    expect(status).toBe(200);
    const before = phones[index];
    phones[index] = { phone, at };
    await before?.phone.agent.close();
    void answer(phone);
  }

  const register = (agent: Agent, user: string, contact: string) =>
    agent.register({ user, password, domain: realm, contact: `<${contact}>` });

  /** Answers every call, until the phone is another. */
  async function answer(phone: Phone): Promise<void> {
    const index = Number(phone.user.slice(1));
    while (!isOver && phones[index]?.phone === phone) {
      const received = await phone.agent.nextMessage(500).catch(() => undefined);
      if (received === undefined) await delay(20);
      if (received?.message.type !== 'request') continue;
      const { message, octets } = received;
      if (message.method === 'ACK') continue;
      const options = message.method === 'INVITE' ? { body: SDP } : {};
      await phone.answer({ request: message, octets }, 200, options).catch(() => {});
    }
  }

  /** Registers again and again, and elsewhere where its server does not answer. */
  async function keep(index: number): Promise<void> {
    while (!isOver) {
      const { phone, at } = phones[index] as (typeof phones)[number];
      const isCut = await Promise.race([
        phone.agent.ended.then(() => true),
        delay(refreshMs * (0.75 + Math.random() / 2), false),
      ]);
      if (isOver) return;
      await delay(20);
      const registered = isCut
        ? undefined
        : await register(phone.agent, phone.user, phone.contact).catch(() => undefined);
      if (registered?.status !== 200)
        await open(index, alive.find((each) => each !== at) ?? at).catch(() => {});
    }
  }

  async function keepCalling(attempts: Attempt[], seed: number): Promise<void> {
    for (let count = seed; isCalling; count += callersAtOnce) {
      const [from, to] = [count % phoneCount, (count * 7 + 1) % phoneCount];
      if (from === to) continue;
      const [caller, callee] = [phones[from], phones[to]] as [
        (typeof phones)[number],
        (typeof phones)[number],
      ];
      const atMs = performance.now();
      const status = await call(caller.phone, `u${to}`).catch(() => 0);
      attempts.push({ atMs, status, isAcross: caller.at !== callee.at });
      if (status !== 200) await delay(20);
    }
  }

  /** A call and its end; what was answered to the first request that failed. */
  async function call(caller: Phone, to: string): Promise<number> {
    const fields = { 'Content-Type': 'application/sdp' };
    const options = { fields, body: SDP, secret: password };
    const answered = await caller.request('INVITE', `sip:${to}@${realm}`, options);
    if (answered.status !== 200) return answered.status;
    await caller.confirm(answered);
    await delay(50);
    return (await caller.agent.request(caller.within('BYE', answered, 90))).status;
  }

  test('one of them killed: its phones go over to the other, and calls go on', {
    timeout: phaseMs * 2 + 60_000,
  }, async () => {
    await Promise.all(Array.from({ length: phoneCount }, (_, index) => open(index, index % 2)));
    const attempts: Attempt[] = [];
    const kept = phones.map((_, index) => keep(index));
    const calling = Array.from({ length: callersAtOnce }, (_, seed) => keepCalling(attempts, seed));
    await delay(phaseMs);
    const killedMs = performance.now();
    alive = [1];
    await servers[0]?.kill();
    servers[0] = undefined;
    const left = () => phones.filter(({ at }) => at === 0).length;
    while (left() > 0) {
      expect(performance.now() - killedMs, `${left()} phones are left`).toBeLessThan(phaseMs + 30_000);
      await delay(20);
    }
    const movedMs = performance.now();
    await delay(Math.max(3000, killedMs + phaseMs - movedMs));
    isCalling = false;
    await Promise.all(calling);
    isOver = true;
    await Promise.all(kept);

    // A call that was under way when the server was killed began before.
    const before = attempts.filter(({ atMs }) => atMs < killedMs - 3000);
    const after = attempts.filter(({ atMs }) => atMs > movedMs + 1000);
    const failed = attempts.filter(({ status }) => status !== 200);
    const lastMs = Math.max(...failed.map(({ atMs }) => atMs), killedMs);
    const statuses = [...new Set(failed.map(({ status }) => status))];
    const kinds = statuses.map(
      (each) => `${failed.filter(({ status }) => status === each).length} × ${each}`,
    );
    console.log(
      `${attempts.length} calls, ${attempts.filter(({ isAcross }) => isAcross).length} from one server to the other; ` +
        `${failed.length} failed (${kinds.join(', ')}), the last ${Math.round(lastMs - killedMs)} ms after the kill; ` +
        `all phones were at the other after ${Math.round(movedMs - killedMs)} ms`,
    );
    expect(before.length).toBeGreaterThan(100);
    expect(before.filter(({ isAcross }) => isAcross).length).toBeGreaterThan(before.length / 4);
    expect(before.filter(({ status }) => status !== 200)).toEqual([]);
    expect(after.length).toBeGreaterThan(50);
    expect(after.filter(({ status }) => status !== 200)).toEqual([]);
    const rows = await database.query('select count(distinct call_id) as ids from acc');
    const answered = attempts.filter(({ status }) => status === 200).length;
    // What the server that was killed had not written yet is in its journal.
    expect(Number(rows[0]?.ids)).toBeGreaterThanOrEqual(answered - callersAtOnce);
  });
});
