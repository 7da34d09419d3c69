// sipctl serve as root runs it for a host (DESIGN §3, §4.4, §5): who is served, what root's tools change while it runs, and
// what one account can do to another, or to root: nothing.

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { run } from '../host/run.ts';
import { Phone } from '../server/phone.ts';
import { listenOn, realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

describe.skipIf(!isRoot)('sipctl serve, run by root (needs root)', () => {
  const host = new ToolHost();
  let served: Served | undefined;
  afterAll(() => host.remove());
  beforeEach(() => {
    host.clean();
    host.etc('config');
  });
  afterEach(async () => {
    await served?.stop();
    served = undefined;
  });
  const keyFile = ['-o', 'KeyFile=/etc/sr/key', '-o', 'ControlSocket=/etc/sr/control.sock'];
  const serve = (...words: string[]) => host.run('root', 'sipctl', ['serve', ...keyFile, ...words]);
  const start = async (...words: string[]) => {
    served = await Served.start(host, 'root', [...keyFile, ...words]);
    return served;
  };
  const hostFile = (name: string) => readFileSync(host.etc(`../${name}`), 'utf8');
  const startWithPhones = async () => {
    const running = await start();
    const phone = async (user: string) => new Phone(await running.agent(), user);
    return { log: (pattern: RegExp, timeoutMs: number) => running.logged(pattern, timeoutMs), phone };
  };
  const setPassword = (user: string, password: string, as: 'root' | 'jan' = 'root') =>
    expect(host.sippasswd(as, ['--stdin', '--realm', realm, user], `${password}\n`).status).toBe(0);

  test('serves the members of sip and nobody else; a refusal after the right password is 403 and logged', async () => {
    for (const user of ['jan', 'eva', 'tom']) setPassword(user, `of ${user}`);
    setPassword('root', 'of root');
    const { port } = await start();
    expect(port).toBeGreaterThan(0);
    expect(await served?.register('jan', 'of jan')).toBe(200);
    expect(await served?.register('tom', 'of tom')).toBe(200);
    expect(await served?.register('eva', 'of eva')).toBe(403);
    expect(await served?.register('root', 'of root')).toBe(403);
    expect(await served?.register('eva', 'wrong')).toBe(401);
    const log = served?.log() ?? '';
    expect(log).toMatch(/why="not in AllowGroups sip: gpasswd -a eva sip"/);
    expect(log).toMatch(/why="uid 0 is below MinUid 1000"/);
  });

  test('a group given or taken holds from the next message on', async () => {
    setPassword('eva', 'of eva');
    await start();
    expect(await served?.register('eva', 'of eva')).toBe(403);
    const group = (members: string) =>
      host.write(
        'etc/group',
        `root:x:0:\njan:x:54321:\neva:x:54322:\ntom:x:54323:\nsip:x:54400:${members}\n`,
      );
    group('jan,tom,eva');
    expect(await served?.register('eva', 'of eva')).toBe(200);
    group('jan,tom');
    expect(await served?.register('eva', 'of eva')).toBe(403);
  });

  test.each([
    ['his group', () => host.write('etc/group', 'root:x:0:\nsip:x:54400:tom\nsr:x:54390:\n')],
    ['his account', () => host.write('etc/passwd', hostFile('passwd').replace(/^jan:.*\n/m, ''))],
    ['root’s leave', () => host.sippasswd('root', ['-l', 'jan'])],
  ])('who loses %s is reached no more, and logged out soon', { timeout: 30_000 }, async (_, lose) => {
    const [passwd, group] = [hostFile('passwd'), hostFile('group')];
    for (const user of ['jan', 'tom']) setPassword(user, `of ${user}`);
    const { log, phone } = await startWithPhones();
    const [jan, tom] = [await phone('jan'), await phone('tom')];
    const contact = `<${jan.contact}>`;
    const options = { user: 'jan', password: 'of jan', domain: realm, contact };
    expect((await jan.agent.register(options)).status).toBe(200);
    const call = async () => {
      const answer = tom.invite(`sip:jan@${realm}`, {}, 'of tom');
      await jan.answer(await jan.next('INVITE'), 486);
      return (await answer).status;
    };
    expect(await call()).toBe(486);
    try {
      lose();
      expect((await tom.invite(`sip:jan@${realm}`, {}, 'of tom')).status).toBe(404);
      await log(/event=shut-out user=jan/, 20_000);
      await expect.poll(() => readFileSync(host.etc('sessions'), 'utf8')).toMatch(/\brefused\b/);
    } finally {
      host.write('etc/passwd', passwd);
      host.write('etc/group', group);
      host.sippasswd('root', ['-u', 'jan']);
    }
    // His contacts were his all the time.
    expect(await call()).toBe(486);
  });

  test('sippasswd -l and -u, a new password and an expiry hold from the next message on', async () => {
    setPassword('jan', 'first');
    await start();
    expect(await served?.register('jan', 'first')).toBe(200);
    for (let round = 0; round < 3; round++) {
      expect(host.sippasswd('root', ['-l', 'jan']).status).toBe(0);
      expect(await served?.register('jan', 'first')).toBe(401);
      expect(host.sippasswd('root', ['-u', 'jan']).status).toBe(0);
      expect(await served?.register('jan', 'first')).toBe(200);
    }
    setPassword('jan', 'second');
    expect(await served?.register('jan', 'first')).toBe(401);
    expect(await served?.register('jan', 'second')).toBe(200);
    expect(host.sippasswd('root', ['-e', '2020-01-01', 'jan']).status).toBe(0);
    expect(await served?.register('jan', 'second')).toBe(401);
    expect(host.sippasswd('root', ['-e', 'never', 'jan']).status).toBe(0);
    expect(await served?.register('jan', 'second')).toBe(200);
    expect(host.sippasswd('root', ['-d', 'jan']).status).toBe(0);
    expect(await served?.register('jan', 'second')).toBe(401);
  });

  test('root’s shadow that cannot be trusted locks everybody', async () => {
    setPassword('jan', 'first');
    writeFileSync(host.etc('shadow'), 'tom:!:\n', { mode: 0o644 });
    await start();
    expect(await served?.register('jan', 'first')).toBe(401);
    await served?.logged(/event=fault text="[^"]*\/etc\/sr\/shadow: .*every account counts as locked/);
  });

  test('an account that writes another’s name into its passwd is still itself alone', async () => {
    setPassword('jan', 'of jan');
    setPassword('tom', 'of tom');
    const line = host.file('jan', 'passwd') ?? '';
    // jan claims to be tom, in each field that could say so, with a password that jan knows.
    for (const claim of [
      line.replace(/^jan:/, 'tom:'),
      line.replace(/:jan:s:/, ':tom:s:'),
      line.replaceAll('jan:', 'tom:'),
    ])
      host.writeFile('jan', 'passwd', `${line}${claim}`);
    await start();
    const agent = await (served as Served).agent();
    const asTom = { password: 'of jan', domain: realm };
    expect((await agent.register({ ...asTom, user: 'tom' })).status).toBe(401);
    expect((await agent.register({ ...asTom, user: 'tom', authUsername: 'jan' })).status).toBe(403);
    expect((await agent.register({ ...asTom, user: 'jan', authUsername: 'tom' })).status).toBe(401);
    expect(host.file('tom', 'usrloc')).toBeUndefined();
    expect(await served?.register('jan', 'of jan')).toBe(200);
  });

  test('a ~/.sr or a file in it that leads elsewhere is not followed, and nothing there is touched', async () => {
    setPassword('jan', 'of jan');
    setPassword('tom', 'of tom');
    await start();
    const own = join(host.home('jan'), '.sr');
    const tom = host.file('tom', 'passwd');
    rmSync(join(own, 'usrloc'), { force: true });
    symlinkSync(join(host.home('tom'), '.sr/passwd'), join(own, 'usrloc'));
    expect(await served?.register('jan', 'of jan')).toBe(500);
    expect(host.file('tom', 'passwd')).toBe(tom);
    rmSync(own, { recursive: true });
    symlinkSync(join(host.home('tom'), '.sr'), own);
    expect(await served?.register('jan', 'of jan')).toBe(401);
    expect(await served?.register('jan', 'of tom')).toBe(401);
    rmSync(own);
    symlinkSync('/etc', own);
    expect(await served?.register('jan', 'of jan')).toBe(401);
    expect(host.file('tom', 'usrloc')).toBeUndefined();
  });

  test('who holds his own lock holds up himself alone', async () => {
    for (const user of ['jan', 'tom']) setPassword(user, `of ${user}`);
    await start();
    const lock = join(host.home('jan'), '.sr/.lock');
    const holder = new Background([
      'sh',
      '-c',
      'exec 9>>"$1"; flock 9; echo held; exec sleep 30',
      'sh',
      lock,
    ]);
    await holder.match(/held/);
    const [jans, toms] = [await (served as Served).agent(), await (served as Served).agent()];
    const began = performance.now();
    const waiting = jans.register({ user: 'jan', password: 'of jan', domain: realm });
    const { status, response } = await toms.register({ user: 'tom', password: 'of tom', domain: realm });
    expect(status).toBe(200);
    expect(response.microseconds).toBeLessThan(150_000);
    expect((await waiting).status).toBe(500);
    expect(performance.now() - began).toBeGreaterThan(199);
    await holder.stop('SIGKILL');
    expect(await served?.register('jan', 'of jan')).toBe(200);
  });

  test('files it makes are the user’s, 0600, and root’s own stay root’s', async () => {
    setPassword('jan', 'of jan');
    await start();
    expect(await served?.register('jan', 'of jan')).toBe(200);
    const listed = run(['stat', '-c', '%u %a %n', join(host.home('jan'), '.sr/usrloc')]).stdout;
    expect(listed).toMatch(/^54321 600 /);
    expect(run(['stat', '-c', '%u %a', join(host.etc('key'))]).stdout).toBe('0 600\n');
  });

  describe('does not start', () => {
    test('without the group it would serve, and says how to make it', async () => {
      const group = host.write('etc/group', 'root:x:0:\njan:x:54321:\neva:x:54322:\ntom:x:54323:\n');
      try {
        const { status, stdout, stderr } = serve(...listenOn(await freePort()));
        expect([status, stdout]).toEqual([78, '']);
        expect(stderr.split('\n').filter((line) => line !== '' && !/^time=/.test(line))).toEqual([
          'sipctl: AllowGroups: no group sip on this host: groupadd --system sip',
        ]);
      } finally {
        writeFileSync(group, 'root:x:0:\njan:x:54321:\neva:x:54322:\ntom:x:54323:\nsip:x:54400:jan,tom\n');
      }
    });

    test.each([
      ['nosuch', 'no account nosuch on this host: useradd --system --no-create-home nosuch'],
      ['root', 'root is root'],
    ])('as ServerUser %s', async (name, why) => {
      const { status, stderr } = serve(...listenOn(await freePort()), '-o', `ServerUser=${name}`);
      expect([status, stderr]).toEqual([78, `sipctl: ServerUser: ${why}\n`]);
    });

    test.each([
      ['that others can write to', 'chmod o+w', /server\.js can be written to by others: chmod o-w /],
      [
        'that a group can write to',
        'chown :54323 "$code/server.js"; chmod g+w',
        /by group 54323: chmod g-w /,
      ],
      ['of another user', 'chown 54321', /server\.js belongs to uid 54321, .*: chown -R root: /],
      ['that its account may not read', 'chmod 600', /ServerUser: sr may not read .*server\.js: /],
    ])('with code %s', async (_, change, why) => {
      const dist = host.command('root', 'sipctl', []).find((word) => word.endsWith('bin/sipctl.js'));
      const place = (dist as string).replace('bin/sipctl.js', 'dist');
      const copy = `code='${host.etc('code')}'; cp -r '${place}/.' "$code"; chmod -R u=rwX,go=rX "$code"`;
      const before = `mkdir '${host.etc('code')}'; ${copy}; ${change} "$code/server.js"; mount --bind "$code" '${place}'`;
      await expect(Served.start(host, 'root', keyFile, undefined, before)).rejects.toThrow(why);
    });

    test('with a worker that ends whenever it is started', async () => {
      const broken = host.write('broken.mjs', 'process.exit(3)\n');
      const command = host.command('root', 'sipctl', []).find((word) => word.endsWith('bin/sipctl.js'));
      const place = (command as string).replace('bin/sipctl.js', 'dist/home-worker.js');
      const ended = Served.start(host, 'root', keyFile, undefined, `mount --bind '${broken}' '${place}'`);
      // It may have been ready for a moment.
      const running = await ended.catch((error: Error) => error.message);
      if (typeof running === 'string') expect(running).toContain('no worker can be kept');
      else {
        expect(await running.shown.end()).toBe(70);
        expect(running.log()).toContain('sipctl: no worker can be kept: ');
        await running.stop();
      }
    });

    test('with aliases that its account may not read', async () => {
      writeFileSync(host.etc('aliases'), 'sales: jan\n', { mode: 0o600 });
      const { status, stderr } = serve(...listenOn(await freePort()));
      const mend = 'chmod a+rx /etc/sr && chmod a+r /etc/sr/aliases';
      expect([status, stderr]).toEqual([
        78,
        `sipctl: /etc/sr/aliases: ServerUser sr may not read it: ${mend}\n`,
      ]);
    });

    test('with a key that others can read', async () => {
      writeFileSync(host.etc('key'), `${'0'.repeat(64)}\n`, { mode: 0o644 });
      const { status, stderr } = serve(...listenOn(await freePort()));
      expect(status).toBe(71);
      expect(stderr).toMatch(
        /^sipctl: \/etc\/sr\/key: can be read by group or others: chmod 600 \/etc\/sr\/key$/m,
      );
    });

    test('with a configuration that others can write to', async () => {
      writeFileSync(host.etc('config'), 'Realm sip.test\n', { mode: 0o666 });
      run(['chmod', '666', host.etc('config')]);
      const { status, stderr } = serve('-t');
      expect(status).toBe(78);
      expect(stderr).toMatch(/^sipctl: \/etc\/sr\/config: can be written to by group or others: chmod /);
    });

    test('as somebody who has no account', () => {
      const argv = [
        'setpriv',
        '--reuid',
        '59999',
        '--clear-groups',
        ...host.command('root', 'sipctl', ['serve', '-t']).slice(-4),
      ];
      const inside = host.command('root', 'sipctl', []).slice(0, -2);
      const { status, stderr } = run([...inside, ...argv], { env: host.environment() });
      expect([status, stderr]).toEqual([67, 'sipctl: no account has uid 59999\n']);
    });
  });

  describe('--own', () => {
    test('by root listens on loopback only and says so', async () => {
      const { stdout } = host.run('root', 'sipctl', ['serve', '--own', '-T']);
      expect(stdout.split('\n').filter((line) => line.startsWith('Listen'))).toEqual([
        'Listen udp:127.0.0.1:5060',
        'Listen tcp:127.0.0.1:5060',
      ]);
      // In a network of its own, where port 5060 is nobody else's.
      const argv = host.command('root', 'sipctl', ['serve', '--own']);
      const alone = ['unshare', '--net', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh', ...argv];
      const server = new Background(alone, { env: host.environment() });
      await server.match(/listens on loopback only; -o "Listen udp:\*:5060" opens it\./);
      await server.match(/event=ready listen=udp:127\.0\.0\.1:5060,tcp:127\.0\.0\.1:5060 /);
      expect(server.output).toMatch(/^ {2}server {5}127\.0\.0\.1:5060$/m);
      expect(await server.stop()).toBe(0);
    });

    test('by root with a Listen of his own is what he says', () => {
      const { stdout } = host.run('root', 'sipctl', ['serve', '--own', '-T', '-o', 'Listen=udp:*:5060']);
      expect(stdout.match(/^Listen .*$/gm)).toEqual(['Listen udp:*:5060']);
    });

    test('serves its account without any group, and no other', async () => {
      setPassword('jan', 'of jan');
      await start('--own');
      expect(await served?.register('jan', 'of jan')).toBe(401);
      const password = /password {3}(\S+)/.exec(
        (await served?.shown.match(/password {3}\S+/))?.[0] ?? '',
      )?.[1];
      expect(await served?.register('root', password ?? '')).toBe(200);
    });
  });

  test('a home that is a FIFO, a file or closed holds nobody up', async () => {
    for (const user of ['jan', 'tom']) setPassword(user, `of ${user}`);
    await start();
    const own = join(host.home('jan'), '.sr');
    rmSync(own, { recursive: true });
    for (const make of [
      () => run(['mkfifo', own]),
      () => writeFileSync(own, ''),
      () => mkdirSync(own, { mode: 0 }),
    ]) {
      make();
      expect(await served?.register('jan', 'of jan')).toBe(401);
      expect(await served?.register('tom', 'of tom')).toBe(200);
      rmSync(own, { recursive: true });
    }
  });
});
