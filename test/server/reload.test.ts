// Reload and stop (DESIGN §3): what changes takes effect with the next message, and nobody who waits is left without an answer.

import { afterEach, describe, expect, test } from 'vitest';
import type { Agent } from '../agent/agent.ts';
import { realm, TestServer } from './running-server.ts';

let server: TestServer;
let agent: Agent;

async function start(config: readonly string[] = []): Promise<void> {
  server = await TestServer.start({ config });
  agent = await server.agent();
}

afterEach(() => server.stop());

describe('a reload', () => {
  test('changes what the next message meets', async () => {
    await start();
    expect((await server.register(agent, { domain: 'example.com' })).status).toBe(403);
    server.reload(['Domain example.com', 'MaxExpires 100', 'DigestAlgorithms SHA-256']);
    const { status, challenge, response } = await server.register(agent, { domain: 'example.com' });
    expect([status, challenge?.algorithm]).toEqual([200, 'SHA-256']);
    expect(response.octets).toContain(';expires=100\r\n');
    server.reload([]);
    expect((await server.register(agent, { domain: 'example.com' })).status).toBe(403);
    expect((await server.register(agent)).challenge?.algorithm).toBe('MD5');
  });

  test('keeps contacts, and the order of requests', async () => {
    await start();
    await server.register(agent, { cseq: 10 });
    server.reload();
    expect((await server.register(agent, { cseq: 5 })).status).toBe(500);
    expect(server.usrloc()).toHaveLength(1);
  });

  test('answers a wrong password that was waiting for its time', async () => {
    await start();
    const { challenge } = await server.register(agent, { password: 'wrong' });
    for (let round = 0; round < 10; round++) {
      const waiting = server.register(agent, { answering: challenge, password: 'wrong', timeoutMs: 1000 });
      await expect.poll(() => server.log('auth-failed').length, { interval: 1 }).toBe(round + 2);
      server.reload();
      expect((await waiting).status).toBe(401);
    }
  });

  test('answers what is answered again when it is sent again', async () => {
    await start();
    const { log, response } = await server.register(agent);
    server.reload();
    expect((await agent.exchange(log[2]?.octets ?? '')).octets).toBe(response.octets);
    expect(server.usrloc()).toHaveLength(1);
  });

  test('says that another Listen needs a restart, and goes on with the sockets it has', async () => {
    await start();
    server.reload(['Listen udp:127.0.0.1:9']);
    expect(server.log('reload')).toEqual(['reload why=a changed Listen needs a restart']);
    expect((await server.register(agent)).status).toBe(200);
  });
});

describe('a stop', () => {
  test('with failures and a lock still waiting ends in time and throws nothing', async () => {
    await start();
    const { challenge } = await server.register(agent, { password: 'wrong' });
    const pending = Array.from({ length: 20 }, (_, nc) =>
      server
        .register(agent, { answering: challenge, nc: nc + 1, password: 'wrong', timeoutMs: 300 })
        .catch(() => undefined),
    );
    const begun = performance.now();
    await server.restart();
    expect(performance.now() - begun).toBeLessThan(1000);
    await Promise.all(pending);
    expect(server.log('internal-error')).toEqual([]);
    expect((await server.register(agent, { domain: realm })).status).toBe(200);
  });
});
