// sipctl serve under a service manager: what it tells (sd_notify(3)), sockets it is given (sd_listen_fds(3)), and how it stops.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Agent, createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { NotifySocket } from '../host/notify-socket.ts';
import { describeNeeding } from '../host/required.ts';
import { Phone } from '../server/phone.ts';
import { realm } from './serve-host.ts';
import { canPlayUsers, ToolHost } from './tool-host.ts';

const directory = mkdtempSync(join(tmpdir(), 'sr-service-'));
chmodSync(directory, 0o755);
const host = new ToolHost();
const agents: Agent[] = [];
const managers: NotifySocket[] = [];
const running: Background[] = [];
const password = 'secret of the test';

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
  for (const manager of managers.splice(0)) manager.close();
  for (const each of running.splice(0)) await each.stop('SIGKILL');
  host.clean();
});
afterAll(() => {
  host.remove();
  rmSync(directory, { recursive: true });
});

/** jan's own server; `before` runs it, in an environment of more. */
function serve(
  listen: readonly string[],
  { env, before = [] }: { env?: NodeJS.ProcessEnv; before?: readonly string[] } = {},
): Background {
  const words = [...listen.map((socket) => `Listen=${socket}`), `Realm=${realm}`].flatMap((word) => [
    '-o',
    word,
  ]);
  const argv = host.command('jan', 'sipctl', ['serve', ...words]);
  const server = new Background([...before, ...argv], { env: { ...host.environment(), ...env } });
  running.push(server);
  return server;
}

function manager(name = join(directory, `notify-${managers.length}`)): NotifySocket {
  rmSync(name, { force: true });
  const made = new NotifySocket(name);
  managers.push(made);
  return made;
}

async function agentTo(port: number, transport: 'udp' | 'tcp' = 'udp'): Promise<Agent> {
  const agent = await createAgent({ transport, server: { address: '127.0.0.1', port } });
  agents.push(agent);
  return agent;
}

describe.skipIf(!canPlayUsers)('a server tells its manager (needs root or libnss_wrapper)', () => {
  test.each(['a path', 'an abstract name'])('that it serves, reads again, and stops: %s', async (kind) => {
    const port = await freePort();
    const told = manager(kind === 'a path' ? undefined : `@sr-test-${process.pid}`);
    const server = serve([`udp:127.0.0.1:${port}`], { env: { NOTIFY_SOCKET: told.name } });
    await told.hears('READY=1');
    expect(told.told[0]).toBe(`READY=1\nSTATUS=serving ${realm} at udp:127.0.0.1:${port}`);
    const agent = await agentTo(port);
    expect((await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);

    told.forget();
    process.kill(server.pid, 'SIGHUP');
    await told.hears('READY=1');
    expect(told.told[0]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    told.forget();
    process.kill(server.pid, 'SIGTERM');
    await told.hears('STOPPING=1');
    expect(await server.end()).toBe(0);
  });

  test('that it is alive, twice in the time it is given', async () => {
    const told = manager();
    const env = { NOTIFY_SOCKET: told.name, WATCHDOG_USEC: '400000' };
    const server = serve([`udp:127.0.0.1:${await freePort()}`], { env });
    await told.hears('READY=1');
    const began = performance.now();
    await told.hears('WATCHDOG=1', 5);
    expect(performance.now() - began).toBeLessThan(5 * 400);
    // A server that does not turn says nothing.
    process.kill(server.pid, 'SIGSTOP');
    told.forget();
    await new Promise((done) => setTimeout(done, 600));
    expect(told.told.length).toBeLessThanOrEqual(1);
    process.kill(server.pid, 'SIGCONT');
  });

  test('why it does not start', async () => {
    const taken = await agentTo(1);
    const told = manager();
    const server = serve([`udp:127.0.0.1:${taken.local.port}`], { env: { NOTIFY_SOCKET: told.name } });
    const why = `Listen udp:127.0.0.1:${taken.local.port}: address in use`;
    await told.hears(`STATUS=${why}`);
    expect(await server.end()).toBe(71);
    expect(server.output).toContain(`sipctl: ${why}\n`);
    expect(told.told.join('\n')).not.toContain('READY');
  });

  test('a manager that is no more costs nothing', async () => {
    const server = serve([`udp:127.0.0.1:${await freePort()}`], {
      env: { NOTIFY_SOCKET: join(directory, 'none') },
    });
    await server.match(/event=ready/);
    expect(await server.stop()).toBe(0);
  });
});

describeNeeding(['root', 'systemd-socket-activate'], 'sockets that somebody else opened', () => {
  test.each(['udp', 'tcp'] as const)(
    'serve the Listen of their address, from the first packet on: %s',
    async (transport) => {
      const port = await freePort();
      const datagram = transport === 'udp' ? ['--datagram'] : [];
      const before = [
        'systemd-socket-activate',
        ...datagram,
        '--listen',
        `127.0.0.1:${port}`,
        '-E',
        'PATH',
        '-E',
        'UNIXSIP_TEST',
      ];
      const server = serve([`${transport}:127.0.0.1:${port}`], { before });
      await server.match(/Listening on 127\.0\.0\.1/);
      expect(server.output).not.toContain('event=');
      const agent = await agentTo(port, transport);
      expect((await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` })).status).toBe(200);
      expect(server.output).toMatch(new RegExp(`event=ready listen=${transport}:127\\.0\\.0\\.1:${port} `));
      expect(await server.stop()).toBe(0);
    },
  );

  test('that no Listen asks for are refused, and the line says which', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const before = ['systemd-socket-activate', '--datagram', '--listen', `127.0.0.1:${port}`, '-E', 'PATH'];
    const server = serve([`udp:127.0.0.1:${other}`], { before });
    await server.match(/Listening on 127\.0\.0\.1/);
    const agent = await agentTo(port);
    const asked = agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    asked.catch(() => {});
    expect(await server.end()).toBe(71);
    expect(server.output).toContain(
      `sipctl: LISTEN_FDS: udp:127.0.0.1:${port}: no Listen asks for it: take it out of the socket unit, or write a Listen\n`,
    );
  });
});

describe.skipIf(!canPlayUsers)('a server that is to stop (needs root or libnss_wrapper)', () => {
  /** A call from jan to himself that rings. */
  async function ringing() {
    host.sippasswd('jan', ['--stdin', '--realm', realm], `${password}\n`);
    const port = await freePort();
    const server = serve([`udp:127.0.0.1:${port}`]);
    await server.match(/event=ready/);
    const [callee, caller] = [new Phone(await agentTo(port), 'jan'), new Phone(await agentTo(port), 'jan')];
    const contact = `<${callee.contact}>`;
    const options = { user: 'jan', password, domain: realm, contact };
    expect((await callee.agent.register(options)).status).toBe(200);
    const answer = caller.invite(`sip:jan@${realm}`, {}, password);
    const invite = await callee.next('INVITE');
    await callee.answer(invite, 180);
    await caller.nextResponse(180, 'INVITE');
    return { server, callee, answer, invite, stranger: await agentTo(port) };
  }

  test('answers what was asked, and takes nothing new', async () => {
    const { server, callee, answer, invite, stranger } = await ringing();
    process.kill(server.pid, 'SIGTERM');
    const ask = () => stranger.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    await expect.poll(async () => (await ask()).status).toBe(503);
    await callee.answer(invite, 200);
    expect((await answer).status).toBe(200);
    expect(await server.end(2000)).toBe(0);
  });

  test('waits for five seconds at most', async () => {
    const { server, answer } = await ringing();
    answer.catch(() => {});
    const began = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(4500);
    expect(performance.now() - began).toBeLessThan(7000);
  });

  test('does not wait when it is told again', async () => {
    const { server, answer, stranger } = await ringing();
    answer.catch(() => {});
    process.kill(server.pid, 'SIGTERM');
    const ask = () => stranger.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    await expect.poll(async () => (await ask()).status).toBe(503);
    process.kill(server.pid, 'SIGINT');
    expect(await server.end(2000)).toBe(0);
  });
});
