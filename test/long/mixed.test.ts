// Everything at once (DESIGN §5): registrations, calls, malformed traffic, edits of files, new passwords, and every minute one of
// the server's processes killed. Nothing that was acknowledged is lost, and no process grows. LONG_SECONDS of 3600 is the hour.

import { createSocket } from 'node:dgram';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { createAgent } from '../agent/agent.ts';
import { median } from '../agent/statistics.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { processOf } from '../host/processes.ts';
import { describeNeeding } from '../host/required.ts';
import { Phone, SDP } from '../server/phone.ts';
import { type Memory, memoryReporting, settledMemory } from './memory.ts';
import { mutate } from './mutate.ts';
import { Promises } from './promises.ts';
import { createRandom } from './random.ts';
import { type Flood, startFlood } from './sipp-flood.ts';
import { WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const seconds = longSeconds();
/** A life ends by a kill: each minute, in a short run sooner. */
const lives = Math.max(6, Math.floor(seconds / 60));
const lifeMs = (seconds * 1000) / lives;
const victims = ['sipctl', 'home-worker', 'server'] as const;
const registrationsASecond = 100;
const callers = 3;
const malformedEvery = 20;
const mostGrowth = 1.1;
const password = 'secret';
const folder = join(import.meta.dirname, '../message/rfc4475');

describeNeeding(['root', 'sipp', ...wrapperNeeds], `${seconds} s of everything at once`, () => {
  let host: WrappedHost;
  let server: WrappedServer;
  let flood: Flood | undefined;
  const phones: Phone[] = [];
  const ended = new Set<string>();
  let isOver = false;

  beforeAll(async () => {
    host = new WrappedHost(12);
    for (const user of host.users) {
      host.makeHome(user);
      host.setPassword(user, password);
    }
    const config = ['TimerT1 100', 'MaxContacts 20'];
    server = await WrappedServer.prepare(host, { own: false, config, nodeOptions: memoryReporting });
    mkdirSync(join(host.directory, 'state/sr'), { recursive: true });
    await server.start();
  });

  afterAll(async () => {
    isOver = true;
    await flood?.stop();
    await Promise.all(phones.map(({ agent }) => agent.close()));
    await server?.stop();
    host?.remove();
  });

  async function phoneOf(user: string, timeoutMs: number): Promise<Phone> {
    const at = { address: '127.0.0.1', port: server.port };
    const phone = new Phone(await createAgent({ transport: 'udp', server: at, timeoutMs }), user);
    phones.push(phone);
    return phone;
  }

  async function answerCalls(callee: Phone): Promise<void> {
    const options = { user: callee.user, password, domain: realm, contact: `<${callee.contact}>` };
    expect((await callee.agent.register(options)).status).toBe(200);
    while (!isOver) {
      const received = await callee.agent.nextMessage(200).catch(() => undefined);
      if (received?.message.type !== 'request' || received.message.method === 'ACK') continue;
      await callee.answer({ request: received.message, octets: received.octets }, 200, { body: SDP });
    }
  }

  async function keepCalling(caller: Phone, to: string): Promise<void> {
    for (let call = 0; !isOver; call++) {
      const callId = `${caller.agent.local.port}-${call}`;
      const fields = {
        'Content-Type': 'application/sdp',
        From: `<sip:${caller.user}@${realm}>;tag=${callId}`,
      };
      try {
        const options = { fields, body: SDP, secret: password, callId };
        const response = await caller.request('INVITE', `sip:${to}@${realm}`, options);
        if (response.status !== 200) continue;
        await caller.confirm(response);
        await delay(50);
        if ((await caller.agent.request(caller.within('BYE', response, 90))).status === 200)
          ended.add(callId);
      } catch {
        // Unanswered: the server was killed in the middle of it.
      }
    }
  }

  /** Puts another config in the place of a user's, as an editor does, and now and then one with faults. */
  async function keepEditing(user: string): Promise<void> {
    const path = join(host.home(user), '.sr/config');
    const { uid } = statSync(host.home(user));
    for (let edit = 0; !isOver; edit++) {
      const text = edit % 5 === 0 ? 'MaxContact 3\n\0\n' : `DisplayName "${edit}"\n`;
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      chownSync(`${path}.new`, uid, uid);
      renameSync(`${path}.new`, path);
      await delay(100);
    }
  }

  async function keepChangingPasswords(user: string): Promise<void> {
    const phone = await phoneOf(user, 5000);
    for (let change = 0; !isOver; change++) {
      host.setPassword(user, `secret${change}`);
      const options = { user, password: `secret${change}`, domain: realm, contact: `<${phone.contact}>` };
      // What was told to the tool that it is done holds for the next message.
      const answer = await phone.agent.register({ ...options, retransmit: true }).catch(() => undefined);
      if (answer !== undefined) expect(answer.status).toBe(200);
      await delay(1000);
    }
  }

  async function keepSpoiling(): Promise<void> {
    const messages = readdirSync(folder)
      .filter((name) => name.endsWith('.dat'))
      .map((name) => readFileSync(join(folder, name), 'latin1'));
    const random = createRandom(Date.now() & 0xffff);
    const socket = createSocket('udp4');
    while (!isOver) {
      socket.send(
        Buffer.from(mutate(random.pick(messages), messages, random), 'latin1'),
        server.port,
        '127.0.0.1',
      );
      await delay(malformedEvery);
    }
    socket.close();
  }

  const recordsIn = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => parseCallRecord(line) as CallRecord);

  test('loses nothing and does not grow', { timeout: (seconds + 180) * 1000 }, async () => {
    const [caller, callee, edited, changed, ...registered] = host.users as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    const rows = registered.flatMap((user) =>
      [0, 1, 2, 3].map((at) => ({ user, password, contact: `sip:${user}@127.0.0.1:${18_000 + at}` })),
    );
    const promises = new Promises();
    const quarters: Record<string, number[]>[] = [{}, {}, {}, {}];
    const began = performance.now();
    flood = await startFlood(host.directory, server.port, rows, registrationsASecond);
    const going = [keepEditing(edited), keepChangingPasswords(changed), keepSpoiling()];
    going.push(answerCalls(await phoneOf(callee, 5000)));
    for (let each = 0; each < callers; each++) going.push(keepCalling(await phoneOf(caller, 400), callee));
    let acknowledged = 0;
    for (let life = 0; life < lives; life++) {
      await delay(Math.max(0, (life + 1) * lifeMs - (performance.now() - began)));
      server.process.output = '';
      const memories: [string, Memory][] = Object.entries(await settledMemory(server.process));
      const quarter = quarters[Math.floor((4 * life) / lives)] as Record<string, number[]>;
      for (const [name, { rss }] of memories) quarter[name] = [...(quarter[name] ?? []), rss / 2 ** 20];
      const victim = victims[life % victims.length] as (typeof victims)[number];
      process.kill(processOf(server.process.pid, victim), 'SIGKILL');
      if (victim !== 'home-worker') {
        await server.ended();
        await server.start();
      }
      const news = flood.acknowledged();
      acknowledged += news.length;
      for (const each of news) promises.add(each);
      const files = registered.map((user) => {
        const path = host.usrloc(user);
        return parseUsrloc(existsSync(path) ? readFileSync(path, 'latin1') : '', path);
      });
      expect(promises.broken(files)).toEqual([]);
      expect(files.flatMap(({ faults }) => faults)).toEqual([]);
    }
    isOver = true;
    await Promise.all(going);
    await flood.stop();
    flood = undefined;
    await server.stop();

    const truth = recordsIn(join(host.directory, 'state/sr/acct'));
    for (const user of [caller, callee]) {
      const ids = recordsIn(join(host.home(user), '.sr/acct')).map(({ id }) => id);
      expect(new Set(ids).size, `${user}: a call is there twice`).toBe(ids.length);
      const his = truth.filter((record) => record.caller === user || record.callee === user);
      expect(ids.toSorted(), user).toEqual(his.map(({ id }) => id).toSorted());
    }
    // Whom a call was for nobody knows that was asked about when the server was killed: it did not come about.
    for (const record of truth)
      if (record.callee === undefined) expect(record).toMatchObject({ status: 'failed', endedBy: 'restart' });
    const written = new Set(truth.map(({ callId }) => callId));
    const open = readFileSync(join(host.directory, 'state/calls'), 'utf8');
    const lost = [...ended].filter((callId) => !written.has(callId) && !open.includes(`"${callId}"`));
    expect(lost).toEqual([]);
    const medians = quarters.map((quarter) =>
      Object.fromEntries(
        Object.entries(quarter).map(([name, values]) => [name, Math.round(median(values) * 10) / 10]),
      ),
    );
    console.log(
      `${seconds} s, ${lives} kills, ${acknowledged} registrations acknowledged, ${ended.size} calls ended, ${written.size} recorded, ` +
        `${[...ended].filter((callId) => !written.has(callId)).length} still in the journal; RSS in MiB ${JSON.stringify(medians)}`,
    );
    expect(acknowledged).toBeGreaterThan((seconds * registrationsASecond) / 4);
    expect(ended.size).toBeGreaterThan(seconds);
    for (const [name, late] of Object.entries(medians[3] as Record<string, number>))
      expect(late, name).toBeLessThanOrEqual((medians[1]?.[name] as number) * mostGrowth);
  });
});
