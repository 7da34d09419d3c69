// Random octets and spoilt messages over UDP and TCP, those of RFC 4475 and REGISTERs with credentials that are right
// whatever the rest is: the server neither ends nor logs a fault of its own, its memory stays flat, a phone registers
// meanwhile and after, and what was written to usrloc can be read. FUZZ_SEED repeats a run's input.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Challenge } from '../../src/digest/challenge.ts';
import { formatCredentials } from '../../src/digest/challenge.ts';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { type Agent, createAgent } from '../agent/agent.ts';
import { answerChallenge } from '../agent/authorization.ts';
import { median } from '../agent/statistics.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { createHostileConnections, type HostileConnections } from './hostile-connections.ts';
import { type Memory, memoryReporting, settledMemory } from './memory.ts';
import { maxOctets, mutate } from './mutate.ts';
import { createRandom, type Random } from './random.ts';
import { isRoot, WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const folder = resolve(import.meta.dirname, '../message/rfc4475');
const rfc4475 = readdirSync(folder)
  .filter((name) => name.endsWith('.dat'))
  .map((name) => readFileSync(join(folder, name), 'latin1'));

const password = 'secret';
const firstSeed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** Less than what the kernel keeps for a socket, so that no datagram is lost before the server had it. */
const batchOctets = 64_000;
const batchMessages = 40;
const samplesAQuarter = 8;
const mostGrowth = 1.1;

describeNeeding(wrapperNeeds, `hostile input (FUZZ_SEED=${firstSeed})`, () => {
  let host: WrappedHost;
  let server: WrappedServer;
  let socket: Socket;
  let hostile: HostileConnections;
  let isServing = true;
  const agents: Agent[] = [];
  const answers = new Map<string, number>();

  beforeAll(async () => {
    host = new WrappedHost(isRoot ? 2 : 'own');
    for (const user of host.users) {
      host.makeHome(user);
      host.setPassword(user, password);
    }
    // What is remembered for a time is forgotten soon enough that as much is remembered early as late.
    const config = ['TimerT1 20', 'NonceLifetime 5', 'LogLevel info'];
    server = await WrappedServer.prepare(host, { own: !isRoot, config, nodeOptions: memoryReporting });
    await server.start();
    socket = createSocket('udp4');
    socket.on('message', (data) => {
      const status = data.toString('latin1', 8, 11);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    hostile = createHostileConnections(server.port);
  });

  afterAll(async () => {
    for (const agent of agents) await agent.close();
    hostile?.close();
    socket?.close();
    await server?.stop();
    host?.remove();
  });

  async function openAgent(transport: 'udp' | 'tcp', localAddress: string): Promise<Agent> {
    const address = { address: '127.0.0.1', port: server.port };
    const agent = await createAgent({ transport, server: address, localAddress, timeoutMs: 10_000 });
    agents.push(agent);
    return agent;
  }

  /** Of all its processes together. */
  async function memory(): Promise<Memory> {
    server.process.output = '';
    const all = Object.values(await settledMemory(server.process));
    const sum = (of: keyof Memory) => all.reduce((total, each) => total + each[of], 0);
    return { rss: sum('rss'), used: sum('used') };
  }

  function checkLog(): void {
    const fault = /^.*level=error.*$/m.exec(server.process.output);
    if (fault) throw new Error(`the server logs ${fault[0]}`);
    server.process.output = '';
  }

  /** What the server wrote can be read, every line of it; while it writes, the last one may not be whole yet. */
  function checkContacts(): void {
    for (const user of host.users.filter((name) => existsSync(host.usrloc(name)))) {
      const content = readFileSync(host.usrloc(user), 'latin1');
      const { faults, torn } = parseUsrloc(content, user);
      const unreadable = faults.map(({ line, text }) => `${text}: ${content.split('\n')[line - 1]}`);
      expect(unreadable).toEqual([]);
      if (!isServing) expect(torn).toBeUndefined();
    }
  }

  test('leaves the server as it was', async () => {
    const [fuzzed = '', neighbour = fuzzed] = host.users;
    const insider = await openAgent('udp', '127.0.0.1');
    const phones = [await openAgent('udp', '127.0.0.2'), await openAgent('tcp', '127.0.0.2')];
    const seconds = longSeconds();
    const began = performance.now();
    const quarters: Memory[][] = [[], [], [], []];
    let [messages, octets, batches, registrations] = [0, 0, 0, 0];

    async function batch(seed: number): Promise<void> {
      const random = createRandom(seed);
      const { challenge } = await insider.register({
        user: fuzzed,
        password,
        domain: realm,
        expires: 3600,
        retransmit: true,
      });
      const input = Array.from({ length: batchMessages }, (_, index) =>
        compose(random, insider, fuzzed, challenge as Challenge, index + 2),
      );
      const connections: Promise<void>[] = [];
      let unread = 0;
      for (const message of input) {
        messages += 1;
        octets += message.length;
        if (random.chance(0.1)) {
          connections.push(
            hostile.attack(message + random.pick(['', '\r\n\r\n', random.pick(input)]), random),
          );
          continue;
        }
        unread += message.length;
        if (unread > batchOctets) {
          await ping();
          unread = message.length;
        }
        socket.send(Buffer.from(message, 'latin1'), server.port, '127.0.0.1');
      }
      await Promise.all(connections);
      await ping();
    }

    async function ping(): Promise<void> {
      const requestUri = `sip:127.0.0.1:${server.port}`;
      const { status } = await insider.request({ method: 'OPTIONS', requestUri, retransmit: true });
      expect(status).toBe(200);
      checkLog();
    }

    async function phonesRegister(): Promise<void> {
      for (const phone of phones) {
        const { status } = await phone.register({
          user: neighbour,
          password,
          domain: realm,
          retransmit: true,
        });
        expect(status).toBe(200);
        registrations += 1;
      }
    }

    // In a short run some answer may be long in coming.
    const wanted = ['200', '400', '401', '403'];
    const isLacking = (elapsed: number) =>
      elapsed < seconds * 4000 && wanted.some((status) => !answers.has(status));
    for (
      let elapsed = 0;
      elapsed < seconds * 1000 || isLacking(elapsed);
      elapsed = performance.now() - began
    ) {
      const quarter = quarters[Math.min(3, Math.floor((4 * elapsed) / (seconds * 1000)))] as Memory[];
      const seed = firstSeed + batches;
      try {
        await batch(seed);
        batches += 1;
        checkContacts();
        if (batches % 10 === 0) await phonesRegister();
        const due = (quarters.indexOf(quarter) + quarter.length / samplesAQuarter) * (seconds * 250);
        if (elapsed >= due && quarter.length < samplesAQuarter) quarter.push(await memory());
      } catch (error) {
        const { message } = error as Error;
        const last = server.process.output.slice(-2000);
        throw new Error(`batch ${batches} (FUZZ_SEED=${seed} begins with it): ${message}\n${last}`, {
          cause: error,
        });
      }
    }
    await phonesRegister();
    const late = await openAgent('tcp', '127.0.0.3');
    expect((await late.register({ user: neighbour, password, domain: realm })).status).toBe(200);

    const mebibytes = (of: keyof Memory) =>
      quarters.map((samples) => (median(samples.map((sample) => sample[of])) / 2 ** 20).toFixed(1));
    const growth =
      median((quarters[3] as Memory[]).map(({ rss }) => rss)) /
      median((quarters[1] as Memory[]).map(({ rss }) => rss));
    console.log(
      `FUZZ_SEED=${firstSeed}: ${messages} messages (${(octets / 2 ** 20).toFixed(0)} MiB), ${hostile.count} connections, ` +
        `${registrations} registrations beside them in ${seconds} s; answers ${JSON.stringify(Object.fromEntries([...answers].sort()))}\n` +
        `MiB in the quarters: RSS ${mebibytes('rss')}, used ${mebibytes('used')}; growth ${growth.toFixed(3)}`,
    );
    for (const status of wanted) expect(answers.get(status), status).toBeGreaterThan(0);
    await server.stop();
    isServing = false;
    checkContacts();
    expect(growth).toBeLessThanOrEqual(mostGrowth);
  });
});

/** One piece of input: random octets, a spoilt message of RFC 4475, or a spoilt REGISTER with good credentials. */
function compose(random: Random, agent: Agent, user: string, challenge: Challenge, nc: number): string {
  const kind = random.below(20);
  if (kind === 0) return random.octets(random.size(1, 4000));
  if (kind <= 9) return mutate(random.pick(rfc4475), rfc4475, random);
  const requestUri = `sip:${realm}`;
  const credentials = formatCredentials(
    answerChallenge(challenge, { username: user, password, method: 'REGISTER', uri: requestUri, nc }),
  );
  const contact = random.pick([
    '',
    ';q=0.5',
    ';expires=60',
    ';expires=0',
    ';+sip.instance="<urn:uuid:1>";reg-id=1',
    ', <sip:b@192.0.2.1>',
    ';a'.repeat(random.size(1, 65)),
    `;a="${'b'.repeat(random.size(1, 4000))}"`,
  ]);
  const register = agent.format({
    method: 'REGISTER',
    requestUri,
    callId: `${random.below(50)}`,
    cseq: random.below(2 ** 31),
    fields: {
      From: `<sip:${user}@${realm}>;tag=1`,
      To: `<sip:${user}@${realm}>`,
      Contact: `"a b" <sip:${user}@127.0.0.1:${1024 + random.below(1000)};transport=udp>${contact}`,
      Path: random.chance(0.2) ? '<sip:192.0.2.7;lr>, <sip:192.0.2.8;lr>' : undefined,
      Supported: 'path',
      Expires: '3600',
      ...(kind === 10 ? { Authorization: credentials } : {}),
    },
  });
  const spoilt = mutate(register, rfc4475, random);
  if (kind === 10) return spoilt;
  // Put in afterwards, so that it is right.
  const at = spoilt.indexOf('\r\n') + 2;
  return `${spoilt.slice(0, at)}Authorization: ${credentials}\r\n${spoilt.slice(at)}`.slice(0, maxOctets);
}
