// sipctl and the server that runs (DESIGN §6): as its owner, as root, as a member of sipadmin, and as a user who is neither.

import { existsSync, readFileSync } from 'node:fs';
import { spawn as spawnPty } from '@lydell/node-pty';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAgent } from '../agent/agent.ts';
import { realm, Served } from './serve-host.ts';
import { canPlayUsers, isRoot, ToolHost, type User } from './tool-host.ts';

const commands = [
  ['status'],
  ['trace'],
  ['monitor'],
  ['stats'],
  ['ping'],
  ['drop', 'jan'],
  ['reload'],
  ['stop'],
  ['log', 'debug'],
  ['ban', 'list'],
  ['ban', 'rm', '192.0.2.1'],
];

describe.skipIf(!canPlayUsers)('a server of one’s own (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  let served: Served | undefined;
  afterAll(() => host.remove());
  afterEach(async () => {
    await served?.stop();
    served = undefined;
    host.clean();
  });
  const start = async (...words: string[]) => {
    served = await Served.start(host, 'jan', words);
    return served;
  };
  const sipctl = (...words: string[]) => host.run('jan', 'sipctl', words);
  const socket = () => `${host.home('jan')}/.sr/control.sock`;

  test.each(commands)('%s without one says how to start it, and exits with 69', (...words) => {
    const { status, stdout, stderr } = sipctl(...words);
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
    expect(stderr).toBe(
      `sipctl: no server at ${socket()} nor at /run/sr/control.sock: start it: sipctl serve\n`,
    );
  });

  test('status says what runs and where', async () => {
    const { port } = await start();
    const { status, stdout, stderr } = sipctl('status');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^running {4}pid \d+, started \d s ago \(\S+Z\)$/m);
    expect(stdout).toMatch(/^serves {5}jan$/m);
    expect(stdout).toContain(`listening  udp:127.0.0.1:${port}\n`);
    expect(JSON.parse(sipctl('status', '--json').stdout)).toMatchObject({ account: 'jan', realm });
  });

  test('stats count what was served, as a table, as JSON and for Prometheus', async () => {
    const one = await start();
    const agent = await one.agent();
    await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    await agent.request({
      method: 'REGISTER',
      requestUri: `sip:${realm}`,
      fields: { To: `<sip:jan@${realm}>` },
    });
    const statistics = JSON.parse(sipctl('stats', '--json').stdout);
    expect(statistics).toMatchObject({
      requests: { OPTIONS: 1, REGISTER: 1, INVITE: 0 },
      responsesSent: { '2xx': 1, '4xx': 1 },
    });
    expect(sipctl('stats').stdout).toMatch(/^requests OPTIONS +1$/m);
    const prometheus = sipctl('stats', '--prometheus').stdout;
    expect(prometheus).toContain('# TYPE sr_requests_total counter\n');
    expect(prometheus).toContain('\nsr_requests_total{method="OPTIONS"} 1\n');
    expect(prometheus).toMatch(/\nsr_memory_rss_bytes \d{7,}\n/);
    for (const line of prometheus.trimEnd().split('\n'))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{[a-z]+="[^"]*"\})? -?[\d.e+-]+)$/);
  });

  test('ping measures the round trip', async () => {
    await start();
    expect(sipctl('ping').stdout).toMatch(/^the server answered in [\d.]+ ms\n$/);
    expect(JSON.parse(sipctl('ping', '--json').stdout).rtt).toBeGreaterThan(0);
  });

  test('monitor is a line a second into a pipe, or JSON', async () => {
    const one = await start();
    await (await one.agent()).request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    const { status, stdout } = sipctl('monitor', '-c', '2');
    expect(status).toBe(0);
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toMatch(
        /^time=\S+Z requests=0\.0 responses=0\.0 .* transactions=\d+ rss=\d+ delay=[\d.]+$/,
      );
    expect(JSON.parse(sipctl('monitor', '-c', '1', '--json').stdout).requests.OPTIONS).toBe(1);
    expect(sipctl('monitor', '-c', 'x').status).toBe(65);
  });

  test.each(['q', '\x03'])('monitor is redrawn in place on a terminal, and %j ends it', async (key) => {
    await start();
    const [program, ...words] = host.command('jan', 'sipctl', ['monitor']) as [string, ...string[]];
    const pty = spawnPty(program, words, { env: host.environment(), cols: 60, rows: 12 });
    let shown = '';
    pty.onData((data) => {
      shown += data;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await expect.poll(() => shown.split('\x1b[H').length, { timeout: 10_000 }).toBeGreaterThan(2);
    const [, first = '', second = ''] = shown.split('\x1b[H');
    for (const screen of [first, second]) {
      const lines = screen.replace(/\x1b\[[\d?]*[A-Za-z]/g, '').split('\r\n');
      expect(lines.length).toBeLessThanOrEqual(12);
      expect(lines[0]).toMatch(/^sipctl monitor {3}pid \d+ {3}sip\.test/);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(60);
    }
    pty.write(key);
    expect(await ended).toBe(0);
    expect(shown).toMatch(/^\x1b\[\?1049h\x1b\[\?25l/);
    expect(shown).toMatch(/\x1b\[\?25h\x1b\[\?1049l$/);
  });

  test('log changes the level, reload takes the configuration’s again', async () => {
    const one = await start();
    expect(sipctl('log', 'loud')).toMatchObject({ status: 65 });
    expect(sipctl('log', 'debug')).toEqual({ status: 0, stdout: '', stderr: '' });
    const register = async () => {
      const agent = await one.agent();
      await agent.request({
        method: 'REGISTER',
        requestUri: `sip:${realm}`,
        fields: { To: `<sip:jan@${realm}>` },
      });
    };
    await register();
    await one.logged(/level=debug event=refused /);
    expect(sipctl('reload').status).toBe(0);
    await one.logged(/event=reloaded/);
    const before = one.log();
    await register();
    expect(sipctl('log', 'info').status).toBe(0);
    expect(one.log().slice(before.length)).not.toContain('level=debug');
  });

  test('reload with a fault changes nothing and names it', async () => {
    host.writeFile('jan', 'server', '');
    const one = await start();
    host.writeFile('jan', 'server', 'Relm x\n');
    const { status, stderr } = sipctl('reload');
    expect(status).toBe(78);
    expect(stderr).toContain('sipctl: nothing changed: the configuration has faults\n');
    expect(stderr).toContain('/.sr/server:1: Relm: ');
    expect(one.log()).not.toContain('event=reloaded');
  });

  test('stop returns when the server is gone, and its socket with it', async () => {
    const one = await start();
    expect(sipctl('stop')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(socket())).toBe(false);
    expect(one.log()).toContain('event=stopped');
    expect(sipctl('stop').status).toBe(69);
  });

  test('a second server is refused while the first lives, and takes the place of a killed one', async () => {
    const one = await start();
    const second = host.run('jan', 'sipctl', ['serve', '-o', 'Listen=udp:127.0.0.1:0']);
    expect(second.status).toBe(71);
    expect(second.stderr).toContain(`ControlSocket: ${socket()}: another server has it: pid `);
    await one.stop('SIGKILL');
    expect(existsSync(socket())).toBe(true);
    await start();
    expect(sipctl('status').status).toBe(0);
  });

  test('--socket names another one', async () => {
    const path = `${host.home('jan')}/.sr/other.sock`;
    await start('-o', `ControlSocket=${path}`);
    expect(sipctl('status').status).toBe(69);
    expect(sipctl('status', '--socket', path).status).toBe(0);
  });
});

describe.skipIf(!isRoot)('the host’s server and users of it (needs root)', () => {
  const host = new ToolHost();
  const at = '/etc/sr-run/control.sock';
  let served: Served;
  const sipctl = (as: User | 'root', ...words: string[]) =>
    host.run(as, 'sipctl', [...words, '--socket', at]);
  const password = 'secret of the test';
  beforeAll(async () => {
    for (const user of ['jan', 'tom'] as const)
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    served = await Served.start(host, 'root', ['-o', 'KeyFile=/etc/sr/key', '-o', `ControlSocket=${at}`]);
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });
  /** A phone of jan's, and its contact. */
  const phone = async () => {
    const server = { address: '127.0.0.1', port: served.port };
    const agent = await createAgent({ transport: 'udp', server });
    const { status } = await agent.register({ user: 'jan', password, domain: realm });
    expect(status).toBe(200);
    const contact = `sip:jan@${agent.local.address}:${agent.local.port}`;
    return { agent, contact };
  };
  const refused = (what: string) => ({
    status: 77,
    stdout: '',
    stderr: `sipctl: ${what} is for root and members of group sipadmin\n`,
  });

  test('everybody sees that it runs; what concerns all is for root and sipadmin', () => {
    for (const user of ['jan', 'eva', 'tom', 'root'] as const) expect(sipctl(user, 'status').status).toBe(0);
    for (const user of ['jan', 'eva'] as const) {
      expect(sipctl(user, 'stats')).toEqual(refused('stats'));
      expect(sipctl(user, 'reload')).toEqual(refused('reload'));
      expect(sipctl(user, 'stop')).toEqual(refused('stop'));
      expect(sipctl(user, 'log', 'debug')).toEqual(refused('log'));
    }
    for (const user of ['tom', 'root'] as const) {
      expect(sipctl(user, 'stats', '--json').status).toBe(0);
      expect(sipctl(user, 'reload').status).toBe(0);
    }
  });

  test('a user drops his own contacts and nobody else’s', async () => {
    const { agent, contact } = await phone();
    const file = () => readFileSync(`${host.home('jan')}/.sr/usrloc`, 'utf8');
    const before = file();
    expect(sipctl('eva', 'drop', 'jan')).toEqual({
      status: 77,
      stdout: '',
      stderr: "sipctl: only root and members of group sipadmin may see and change what is jan's\n",
    });
    // What does not exist looks the same to those who may not ask.
    expect(sipctl('eva', 'drop', 'nobody-at-all').status).toBe(77);
    expect(sipctl('eva', 'ping', 'jan').status).toBe(77);
    expect(file()).toBe(before);
    expect(sipctl('jan', 'drop', 'jan', 'sip:jan@192.0.2.1').status).toBe(69);
    expect(sipctl('jan', 'drop', 'jan', contact)).toEqual({
      status: 0,
      stdout: `dropped ${contact}\n`,
      stderr: '',
    });
    expect(host.run('jan', 'sipctl', ['ul', 'show', '--json', 'jan']).stdout).toBe('[]\n');
    await agent.close();
  });

  test('root and sipadmin drop anybody’s, and learn who does not exist', async () => {
    for (const user of ['root', 'tom'] as const) {
      const { agent, contact } = await phone();
      expect(JSON.parse(sipctl(user, 'drop', 'jan', '--json').stdout)).toEqual([contact]);
      await agent.close();
    }
    const { status, stderr } = sipctl('root', 'drop', 'nobody-at-all');
    expect([status, stderr]).toEqual([69, 'sipctl: user nobody-at-all does not exist\n']);
  });

  test('ping asks contacts; one that is silent is unavailable', async () => {
    const { agent, contact } = await phone();
    const silent = sipctl('jan', 'ping', 'jan', contact);
    expect(silent).toMatchObject({ status: 69, stdout: `${contact} no answer in 4 s\n` });
    await agent.close();
    expect(sipctl('root', 'drop', 'jan').status).toBe(0);
    expect(sipctl('jan', 'ping', 'jan')).toMatchObject({
      status: 69,
      stderr: 'sipctl: jan has no contact\n',
    });
  });
});
