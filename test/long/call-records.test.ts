// kill -9 of the server while calls are made: each call that ended is once in both parties' files and once in root's copy
// (DESIGN §2 acct).

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import { createAgent } from '../agent/agent.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { Phone, SDP } from '../server/phone.ts';
import { WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const kills = Math.min(30, Math.max(5, Math.floor(longSeconds() / 6)));
const callers = 6;
const password = 'secret';

describeNeeding(['root', ...wrapperNeeds], `a server that is killed ${kills} times`, () => {
  let host: WrappedHost;
  let server: WrappedServer;
  const phones: Phone[] = [];
  /** Call-IDs of calls whose BYE was answered. */
  const ended = new Set<string>();
  let isOver = false;

  beforeAll(async () => {
    host = new WrappedHost(2);
    for (const user of host.users) {
      host.makeHome(user);
      host.setPassword(user, password);
    }
    server = await WrappedServer.prepare(host, { own: false, config: ['TimerT1 100'] });
    mkdirSync(join(host.directory, 'state/sr'), { recursive: true });
    await server.start();
  });

  afterAll(async () => {
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

  /** Answers whatever comes, until the end. */
  async function answerCalls(callee: Phone): Promise<void> {
    const { agent, contact } = callee;
    const options = { user: callee.user, password, domain: realm, contact: `<${contact}>` };
    expect((await agent.register(options)).status).toBe(200);
    while (!isOver) {
      const received = await agent.nextMessage(200).catch(() => undefined);
      if (received?.message.type !== 'request' || received.message.method === 'ACK') continue;
      const incoming = { request: received.message, octets: received.octets };
      await callee.answer(incoming, 200, { body: SDP });
    }
  }

  /** Calls again and again; what a killed server leaves without an answer is given up. */
  async function keepCalling(caller: Phone): Promise<void> {
    const [from, to] = [caller.user, host.users[1]];
    for (let call = 0; !isOver; call++) {
      const callId = `${caller.agent.local.port}-${call}`;
      const requestUri = `sip:${to}@${realm}`;
      const fields = { 'Content-Type': 'application/sdp', From: `<sip:${from}@${realm}>;tag=${callId}` };
      try {
        const options = { fields, body: SDP, secret: password, callId };
        const response = await caller.request('INVITE', requestUri, options);
        if (response.status !== 200) continue;
        await caller.confirm(response);
        await delay(20);
        const bye = caller.within('BYE', response, 90);
        if ((await caller.agent.request(bye)).status === 200) ended.add(callId);
      } catch {
        // Unanswered: the server was killed in the middle of it.
      }
    }
  }

  const recordsIn = (path: string) => {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => parseCallRecord(line) as CallRecord);
  };
  const idsIn = (path: string) => recordsIn(path).map(({ id }) => id);

  test(
    'has each call that ended once in each copy',
    async () => {
      const [one, other] = host.users as [string, string];
      const answering = answerCalls(await phoneOf(other, 5000));
      const calling: Promise<void>[] = [];
      for (let number = 0; number < callers; number++) calling.push(keepCalling(await phoneOf(one, 400)));
      for (let kill = 0; kill < kills; kill++) {
        await delay(1000 + Math.random() * 1000);
        await server.kill();
        await server.start();
      }
      await delay(1000);
      isOver = true;
      await Promise.all([...calling, answering]);
      await server.stop();

      const truth = join(host.directory, 'state/sr/acct');
      for (const user of [one, other]) {
        const ids = idsIn(join(host.home(user), '.sr/acct'));
        expect(new Set(ids).size, `${user}: a call is there twice`).toBe(ids.length);
        const his = recordsIn(truth).filter(({ caller, callee }) => caller === user || callee === user);
        expect(ids.toSorted(), user).toEqual(his.map(({ id }) => id).toSorted());
      }
      // Whom a call was for nobody knows that was asked about when the server was killed: it did not come about.
      for (const record of recordsIn(truth))
        if (record.callee === undefined)
          expect(record).toMatchObject({ status: 'failed', endedBy: 'restart' });
      expect(new Set(idsIn(truth)).size, 'a call is there twice').toBe(idsIn(truth).length);
      const answered = recordsIn(truth).filter(({ status }) => status === 'answered');
      const written = new Set(answered.map(({ callId }) => callId));
      const missing = [...ended].filter((callId) => !written.has(callId));
      expect(ended.size).toBeGreaterThan(kills * callers);
      // What was told to a phone in the very turn in which the server died is not known to anybody.
      expect(missing.length).toBeLessThanOrEqual(kills / 5);
      console.log(
        `${ended.size} calls, ${answered.length} answered in the record, ${missing.length} missing`,
      );
    },
    (longSeconds() + 120) * 1000,
  );
});
