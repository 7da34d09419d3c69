// UsePAM (DESIGN §4.4) with the host's own PAM, in an /etc of the test's own.

import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const DAY_MS = 86_400_000;
const today = Math.floor(Date.now() / DAY_MS);
const users = ['jan', 'tom'] as const;

describe.skipIf(!isRoot)('UsePAM (needs root)', () => {
  let host: ToolHost;
  let served: Served;

  beforeAll(() => {
    host = new ToolHost();
    host.etc('config');
    for (const user of users) host.sippasswd('root', ['--stdin', '--realm', realm, user], `of ${user}\n`);
  });
  afterAll(() => host.remove());

  /** Fields of /etc/shadow behind the password. */
  const shadow = (jan: string) => host.write('etc/shadow', `jan:*:${jan}:\ntom:*:${today}:0:99999:7:::\n`);
  const service = (...lines: string[]) =>
    host.write('etc/pam.d/sip', lines.map((line) => `${line}\n`).join(''));
  async function serve(...lines: string[]): Promise<void> {
    shadow(`${today}:0:99999:7::`);
    service(...lines);
    const files = [
      '-o',
      'KeyFile=/etc/sr/key',
      '-o',
      'ControlSocket=/etc/sr/control.sock',
      '-o',
      'WriteWtmp=no',
    ];
    served = await Served.start(host, 'root', [...files, '-o', 'UsePAM=yes']);
    onTestFinished(async () => {
      await served.stop();
    });
  }
  const register = (user: (typeof users)[number]) => served.register(user, `of ${user}`);
  const unix = 'account required pam_unix.so';
  /** What is asked of jan only. */
  const ofJan = (line: string) => [
    'account [success=1 default=ignore] pam_succeed_if.so quiet user != jan',
    line,
    unix,
  ];

  test('lets in whom PAM lets in, refuses whom it refuses, and only after the right password', async () => {
    await serve(...ofJan('account required pam_deny.so'));
    expect(await register('tom')).toBe(200);
    expect(await served.register('jan', 'wrong')).toBe(401);
    expect(await register('jan')).toBe(403);
    expect(served.log()).toMatch(/event=refused .*status=403 why="PAM: Authentication failure"/);
  });

  test('says that the UNIX password must be changed, and takes back its word within seconds', async () => {
    await serve(unix);
    expect(await register('jan')).toBe(200);
    shadow('0:0:99999:7::');
    const agent = await served.agent();
    const deadline = Date.now() + 8000;
    let answer = await agent.register({ user: 'jan', password: 'of jan', domain: realm });
    while (answer.status === 200 && Date.now() < deadline)
      answer = await agent.register({ user: 'jan', password: 'of jan', domain: realm });
    expect(answer.status).toBe(403);
    expect(answer.response.reason).toBe('UNIX Password Must Be Changed');
    expect(served.log()).toMatch(/why="PAM: .*: passwd jan"/);
    expect(await register('tom')).toBe(200);
  });

  test('who loses its leave is logged out soon', { timeout: 30_000 }, async () => {
    await serve(unix);
    expect(await register('jan')).toBe(200);
    expect(await register('tom')).toBe(200);
    service(...ofJan('account required pam_deny.so'));
    await served.logged(/event=shut-out user=jan why="PAM: /, 20_000);
    expect(await register('jan')).toBe(403);
    expect(await register('tom')).toBe(200);
    expect(served.log()).not.toContain('event=shut-out user=tom');
  });

  test('a module that takes its time costs its user alone', { timeout: 30_000 }, async () => {
    writeFileSync(host.etc('slow'), '#!/bin/sh\nexec sleep 5\n', { mode: 0o755 });
    await serve(...ofJan('account required pam_exec.so quiet /etc/sr/slow'));
    const began = performance.now();
    const agent = await served.agent();
    const slow = agent.register({ user: 'jan', password: 'of jan', domain: realm, timeoutMs: 9000 });
    for (let count = 0; count < 20; count++) expect(await register('tom')).toBe(200);
    expect(performance.now() - began).toBeLessThan(4000);
    expect((await slow).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(4900);
  });

  test('does not start without the service', () => {
    rmSync(service(), { force: true });
    const { status, stderr } = host.run('root', 'sipctl', [
      'serve',
      ...[
        '-o',
        'KeyFile=/etc/sr/key',
        '-o',
        `Realm=${realm}`,
        '-o',
        'UsePAM=yes',
        '-o',
        'Listen=udp:127.0.0.1:0',
      ],
    ]);
    expect(status, stderr).toBe(78);
    expect(stderr).toContain(
      'sipctl: PAMService: /etc/pam.d/sip is missing: copy etc/pam.d/sip of unixsip there\n',
    );
  });

  test('without the service nobody is served, and the log says what is missing', async () => {
    await serve(unix);
    rmSync(host.write('etc/pam.d/sip', ''));
    expect(await register('jan')).toBe(403);
    expect(served.log()).toContain('no PAM service sip: /etc/pam.d/sip is missing');
  });
});
