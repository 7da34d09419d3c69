// Many calls in a row: memory is flat, and no transaction or timer is left. LONG_SECONDS of 150 and more make 100,000.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { type Memory, memoryReporting, settledMemory } from './memory.ts';
import { isRoot, WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const bench = resolve(import.meta.dirname, '../../bench');
const [firstCalls, allCalls] = longSeconds() >= 150 ? [10_000, 100_000] : [4000, 9000];
const callsASecond = 1000;
const timerT1Ms = 50;
const mostGrowth = 1.1;
const password = 'secret';

describeNeeding([...wrapperNeeds, 'sipp'], `${allCalls} calls in a row`, () => {
  let host: WrappedHost;
  let server: WrappedServer;
  let callees: Background;
  let callerPort: number;

  beforeAll(async () => {
    host = new WrappedHost(isRoot ? 2 : 'own');
    const [user] = host.users as [string];
    host.makeHome(user);
    host.setPassword(user, password);
    const config = [`TimerT1 ${timerT1Ms}`, 'TrustedPeers 127.0.0.1', 'LogLevel info'];
    server = await WrappedServer.prepare(host, { own: !isRoot, config, nodeOptions: memoryReporting });
    await server.start();
    callerPort = await freePort();
    const calleePort = await freePort();
    const agent = await createAgent({
      transport: 'udp',
      server: { address: '127.0.0.1', port: server.port },
    });
    const contact = `<sip:${user}@127.0.0.1:${calleePort}>`;
    const registered = await agent.register({ user, password, domain: realm, contact });
    expect(registered.response.status).toBe(200);
    await agent.close();
    writeFileSync(join(host.directory, 'users.csv'), `SEQUENTIAL\n${user};;${realm}\n`);
    const where = ['-i', '127.0.0.1', '-p', `${calleePort}`, '-nostdin'];
    callees = new Background(['sipp', '-sf', join(bench, 'callee.xml'), ...where], { cwd: host.directory });
  }, 60_000);

  afterAll(async () => {
    await callees.stop('SIGKILL');
    await server.stop();
    host.remove();
  });

  async function call(count: number): Promise<void> {
    const sipp = new Background(
      [
        ...['sipp', `127.0.0.1:${server.port}`, '-sf', join(bench, 'caller.xml')],
        ...['-inf', join(host.directory, 'users.csv'), '-i', '127.0.0.1', '-p', `${callerPort}`],
        ...['-m', `${count}`, '-r', `${callsASecond}`, '-l', '5000', '-nostdin', '-timeout', '600'],
      ],
      { cwd: host.directory },
    );
    const status = await sipp.end(600_000);
    expect(status, `${sipp.output.slice(-5000)}\n${server.process.output.slice(-3000)}`).toBe(0);
  }

  /** What is left when the transactions of the last call have ended: the longest lives 64·T1. */
  async function idleMemory(): ReturnType<typeof settledMemory> {
    await new Promise((done) => setTimeout(done, 64 * timerT1Ms + 5_500));
    return settledMemory(server.process);
  }

  test('memory is flat', { timeout: 900_000 }, async () => {
    await call(firstCalls);
    const early = await idleMemory();
    await call(allCalls - firstCalls);
    const late = await idleMemory();
    console.log(JSON.stringify({ allCalls, early, late }));
    for (const [name, { used, rss }] of Object.entries(late)) {
      const before = early[name] as Memory;
      expect(used, name).toBeLessThan(before.used * mostGrowth);
      expect(rss, name).toBeLessThan(before.rss * mostGrowth);
    }
  });

  test('no transaction and no timer is left', async () => {
    const { process: running } = server;
    await running.stop();
    expect(/event=stopped.*/.exec(running.output)?.[0]).toContain('transactions=0 timers=0');
  });
});
