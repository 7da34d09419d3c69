// kill -9 of the server while 200 phones a second register: what a phone was told is in a usrloc file that parses, and
// the next server serves at once (DESIGN §2: acknowledged means safe from crashes of our processes always).

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseUsrloc, type UsrlocFold } from '../../src/home/usrloc.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { type Agent, createAgent } from '../agent/agent.ts';
import { median } from '../agent/statistics.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { Promises } from './promises.ts';
import { type Acknowledgement, type Flood, type Row, startFlood } from './sipp-flood.ts';
import { WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const perSecond = 200;
const kills = Math.min(20, Math.max(5, Math.floor(longSeconds() / 6)));
/** How long the phones are served between two kills; the moment within is left to chance. */
const [shortestMs, longestMs] = [1000, 2500];
const latestReadyMs = 5000;
/** What a power cut, which kill -9 is not, may leave of a line. */
const torn = '<sip:torn@127.0.0.1:9>;sr-expires-at="2026-11-2';

describe.each([
  ['20 accounts, by root', 20, 4],
  ['one account, by itself (--own)', 'own', 16],
] as const)('a server of %s', (_, accounts, contactsEach) => {
  const needs = ['sipp', ...wrapperNeeds, ...(accounts === 'own' ? [] : ['root'])];
  describeNeeding(needs, `killed ${kills} times`, () => {
    let host: WrappedHost;
    let server: WrappedServer;
    let flood: Flood | undefined;

    beforeAll(async () => {
      host = new WrappedHost(accounts);
      for (const user of host.users) {
        host.makeHome(user);
        host.setPassword(user, 'secret');
      }
      const config = ['MaxContacts 20', 'LogLevel info'];
      server = await WrappedServer.prepare(host, { own: accounts === 'own', config });
    });

    afterAll(async () => {
      await flood?.stop();
      await server?.stop();
      host?.remove();
    });

    test('keeps every contact it acknowledged', async () => {
      const rows = contactsOf(host, contactsEach);
      const promises = new Promises();
      const firstMs = await server.start();
      flood = await startFlood(host.directory, server.port, rows, perSecond);
      const phone = await createAgent({
        transport: 'udp',
        server: { address: '127.0.0.1', port: server.port },
      });
      const restarts: number[] = [];
      const counts: number[] = [];
      let tornLines = 0;
      for (let kill = 1; kill <= kills; kill += 1) {
        await delay(shortestMs + Math.random() * (longestMs - shortestMs));
        const lastWord = await registered(phone, host.users[0] as string);
        await server.kill();
        expect(server.process.output).not.toContain('level=error');
        const news = flood.acknowledged();
        counts.push(news.length);
        for (const acknowledgement of [...news, lastWord]) promises.add(acknowledgement);
        const files = host.users.map((user) => read(host, user));
        expect(promises.broken(files)).toEqual([]);
        const faults = files.flatMap((file) => file.faults);
        expect(faults.map(({ text }) => text)).toEqual(
          Array(tornLines).fill('expected one contact: <sip:user@host>;parameter=value'),
        );
        if (kill % 3 === 1) {
          const user = host.users[kill % host.users.length] as string;
          appendFileSync(host.usrloc(user), torn);
          tornLines += 1;
        }
        restarts.push(await server.start());
      }
      await phone.close();
      const total = counts.reduce((sum, count) => sum + count, 0);
      console.log(
        `${kills} kills, ${total} registrations acknowledged, ${Math.min(...counts)} to ${Math.max(...counts)} between two kills; ` +
          `ready after ${median(restarts).toFixed(0)} ms, at most ${Math.max(...restarts).toFixed(0)}, the first time ${firstMs.toFixed(0)}`,
      );
      expect(Math.min(...counts)).toBeGreaterThan((perSecond * shortestMs) / 1000 / 4);
      expect(Math.max(...restarts)).toBeLessThan(latestReadyMs);
      expect(tornLines).toBeGreaterThan(1);
    });
  });
});

function contactsOf(host: WrappedHost, each: number): Row[] {
  return Array.from({ length: each }, (_, contact) =>
    host.users.map((user) => ({
      user,
      password: 'secret',
      contact: `sip:${user}@127.0.0.1:${17_000 + contact}`,
    })),
  ).flat();
}

/** Registers and resolves in the turn in which the 200 OK was read: the server is killed by it. */
async function registered(phone: Agent, user: string): Promise<Acknowledgement> {
  const contact = `sip:${user}@127.0.0.1:${phone.local.port}`;
  const expires = 3600;
  const at = Date.now();
  const register = {
    user,
    password: 'secret',
    domain: realm,
    contact: `<${contact}>`,
    expires,
    retransmit: true,
  };
  const { status, response } = await phone.register(register);
  expect(status).toBe(200);
  const cseq = Number.parseInt(fieldValue(response, 'cseq') ?? '', 10);
  return { contact, callId: phone.callId, cseq, until: at + expires * 1000 };
}

function read(host: WrappedHost, user: string): UsrlocFold {
  const path = host.usrloc(user);
  return parseUsrloc(existsSync(path) ? readFileSync(path, 'latin1') : '', path);
}
