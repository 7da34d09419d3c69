// A host of 100,000 accounts starts the server as fast as one of 10, and each of them can register (DESIGN §5: nothing is
// scanned). They are in /etc/passwd, as the server sees it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAgent } from '../agent/agent.ts';
import { median } from '../agent/statistics.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { WrappedHost } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';

const many = 100_000;
const few = 10;
const starts = 9;
const most = 1.3;

describeNeeding(['root'], `${many} accounts`, () => {
  let hosts: WrappedHost[] = [];
  let servers: WrappedServer[];

  beforeAll(async () => {
    hosts = [new WrappedHost(few, true), new WrappedHost(many, true)];
    servers = await Promise.all(hosts.map((host) => WrappedServer.prepare(host, { own: false })));
  });

  afterAll(async () => {
    for (const server of servers ?? []) await server.stop();
    for (const host of hosts) host.remove();
  });

  test(`take at most ${most} times as long to start as ${few}`, async () => {
    const times: number[][] = [[], []];
    for (let round = 0; round <= starts; round += 1)
      for (const [index, server] of servers.entries()) {
        const ms = await server.start();
        await server.stop();
        // The first start reads the program from the disk.
        if (round > 0) times[index]?.push(ms);
      }
    const [ofFew = 0, ofMany = 0] = times.map(median);
    console.log(`start: ${ofFew.toFixed(0)} ms with ${few} accounts, ${ofMany.toFixed(0)} ms with ${many}`);
    expect(ofMany / ofFew).toBeLessThan(most);
  });

  test('are served, the last one of passwd too', async () => {
    const [host, server] = [hosts[1], servers[1]] as [WrappedHost, WrappedServer];
    const user = host.users.at(-1) as string;
    host.makeHome(user);
    host.setPassword(user, 'secret');
    await server.start();
    const agent = await createAgent({
      transport: 'udp',
      server: { address: '127.0.0.1', port: server.port },
      timeoutMs: 10_000,
    });
    const began = performance.now();
    const first = await agent.register({ user, password: 'secret', domain: realm });
    const then = performance.now();
    const second = await agent.register({ user, password: 'secret', domain: realm });
    await agent.close();
    const [ms, nextMs] = [then - began, performance.now() - then];
    console.log(`registration: ${ms.toFixed(1)} ms, the next ${nextMs.toFixed(1)} ms`);
    expect([first.status, second.status]).toEqual([200, 200]);
  });
});
