// Registrations as logins of the host: wtmp as last(1) and utmpdump(1) read it, over kill -9 and restarts, and sipctl last.

import { statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { toOctets } from '../../src/message/octets.ts';
import { hasProgram } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost, type User } from './tool-host.ts';

interface Shown {
  readonly user: string;
  readonly line: string;
  readonly device: string | null;
  readonly contact: string | null;
  readonly logout: string | null;
  readonly duration: number;
  readonly ended: string | null;
}

const needed = isRoot && ['last', 'utmpdump'].every(hasProgram);

describe.skipIf(!needed)('sessions, served by root (needs root, last, utmpdump)', () => {
  const host = new ToolHost();
  const wtmp = host.log('wtmp');
  let served: Served | undefined;
  afterAll(() => host.remove());
  beforeEach(() => {
    host.clean();
    writeFileSync(wtmp, '', { mode: 0o664 });
    const config = [`Realm ${realm}`, 'KeyFile /etc/sr/key', 'ControlSocket /etc/sr/c', 'MinExpires 1'];
    writeFileSync(host.etc('config'), `${config.join('\n')}\n`);
    for (const user of ['jan', 'tom'])
      expect(host.sippasswd('root', ['--stdin', '--realm', realm, user], 'secret\n').status).toBe(0);
  });
  afterEach(async () => {
    await served?.stop();
    served = undefined;
  });

  const start = async () => {
    served = await Served.start(host, 'root');
  };
  /** Registers a contact whose port is only a name here. */
  const register = async (user: User, port: number, expires = 3600) => {
    const agent = await (served as Served).agent();
    const contact = `<sip:${user}@127.0.0.1:${port}>`;
    const extraFields = { 'User-Agent': toOctets(`Téléphone ${port}`) };
    const options = { user, password: 'secret', domain: realm, contact, expires, extraFields };
    expect((await agent.register(options)).status).toBe(200);
  };
  const counts = () => {
    const dumped = runOrThrow(['utmpdump', wtmp]);
    return { logins: dumped.match(/^\[7\]/gm)?.length ?? 0, logouts: dumped.match(/^\[8\]/gm)?.length ?? 0 };
  };
  const counted = (logins: number, logouts: number) =>
    vi.waitFor(() => expect(counts()).toEqual({ logins, logouts }), { timeout: 15_000, interval: 100 });
  const last = (as: User | 'root', ...words: string[]) => host.run(as, 'sipctl', ['last', ...words]);
  const json = (as: User | 'root', ...words: string[]) =>
    JSON.parse(last(as, ...words, '--json').stdout) as Shown[];

  test('logins and logouts match after kill -9 and restart, and last prints how long each was', async () => {
    await start();
    await register('jan', 5001);
    await register('jan', 5002, 1);
    await register('tom', 5003);
    await counted(3, 0);
    await served?.stop('SIGKILL');
    expect(host.run('root', 'sipctl', ['ul', 'rm', 'tom']).status).toBe(0);
    await start();
    await register('jan', 5001);
    await counted(3, 2);
    await register('tom', 5004);
    // The login is written behind the turn that answered.
    await counted(4, 2);
    await served?.stop('SIGKILL');
    await start();
    expect(
      json('root')
        .filter(({ logout }) => logout === null)
        .map(({ contact }) => contact),
    ).toEqual(['sip:tom@127.0.0.1:5004', 'sip:jan@127.0.0.1:5001']);
    await register('jan', 5001, 0);
    await counted(4, 3);
    await served?.stop();
    expect(counts()).toEqual({ logins: 4, logouts: 4 });
    const shown = json('root');
    await vi.waitFor(
      () => {
        const listed = runOrThrow(['last', '-f', wtmp]).trimEnd().split('\n').slice(0, 4);
        // In the second of a logout last(1) says that the session still runs.
        for (const line of listed) expect(line).toMatch(/^(jan|tom) +sip\/.{8} +127\.0\.0\.1 .* \(00:0\d\)$/);
        expect(listed.map((line) => line.split(/ +/)[1])).toEqual(shown.map(({ line }) => line));
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(shown.map(({ user, device, ended }) => [user, device, ended])).toEqual([
      ['tom', 'Téléphone 5004', 'stopped'],
      ['tom', 'Téléphone 5003', 'removed'],
      ['jan', 'Téléphone 5002', 'expired'],
      ['jan', 'Téléphone 5001', 'unregistered'],
    ]);
  });

  test('root sees all sessions with their devices, everyone else his own from wtmp', async () => {
    await start();
    await register('jan', 5001);
    await register('tom', 5003);
    await register('tom', 5003, 0);
    await counted(2, 1);
    const table = last('root').stdout;
    expect(table.split('\n')[0]).toMatch(/^User +Device +Source +Login +Logout +Duration +Ended$/);
    expect(table).toMatch(
      /^tom +Téléphone 5003 +127\.0\.0\.1 +\d{4}-\d\d-\d\d \d\d:\d\d +\d\d:\d\d +00:00:0\d +unregistered$/m,
    );
    expect(table).toMatch(/^jan +Téléphone 5001 .* still logged in +00:00:\d\d$/m);
    expect(json('root', 'jan').map(({ user }) => user)).toEqual(['jan']);
    expect(json('root', '-n', '1').map(({ user }) => user)).toEqual(['tom']);
    expect(json('root', '--since', '-1h')).toHaveLength(2);
    expect(json('root', '--since', '2100-01-01').map(({ user }) => user)).toEqual(['jan']);

    expect(statSync(host.etc('sessions')).mode & 0o777).toBe(0o600);
    expect(json('jan')).toMatchObject([{ user: 'jan', device: null, contact: null, logout: null }]);
    expect(json('jan')[0]?.line).toBe(json('root', 'jan')[0]?.line);
    expect(json('tom')).toMatchObject([{ user: 'tom', ended: null, logout: expect.any(String) }]);
    expect(json('eva')).toEqual([]);
    expect(last('eva')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(last('jan', 'tom')).toMatchObject({ status: 77, stdout: '' });
    expect(last('root', '-n', '0')).toMatchObject({
      status: 64,
      stderr: 'sipctl: -n: expected a number above 0\n',
    });
    expect(last('root', '--since', 'soon')).toMatchObject({ status: 64, stdout: '' });
  });

  test('an own server writes no wtmp, and its user sees his devices', async () => {
    host.writeFile('jan', 'server', `Realm ${realm}\n`);
    served = await Served.start(host, 'jan');
    await register('jan', 5001);
    await vi.waitFor(() => expect(json('jan')).toMatchObject([{ device: 'Téléphone 5001', logout: null }]));
    await served.stop();
    expect(json('jan')).toMatchObject([{ device: 'Téléphone 5001', ended: 'stopped' }]);
    expect(counts()).toEqual({ logins: 0, logouts: 0 });
    expect(json('root')).toEqual([]);
  });

  test('WriteWtmp no keeps to the journal', async () => {
    served = await Served.start(host, 'root', ['-o', 'WriteWtmp=no']);
    await register('jan', 5001);
    await vi.waitFor(() => expect(json('root')).toHaveLength(1));
    await served.stop();
    expect(counts()).toEqual({ logins: 0, logouts: 0 });
  });
});
