// sipctl serve as whoever runs it for himself (DESIGN §3, §6): what it checks, shows, makes and says, how it starts, or
// does not, and which signals mean what.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAgent } from '../agent/agent.ts';
import { freePort } from '../host/free-port.ts';
import { listenOn, realm, Served } from './serve-host.ts';
import { canPlayUsers, ToolHost } from './tool-host.ts';

describe.skipIf(!canPlayUsers)('sipctl serve (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  let served: Served | undefined;
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  afterEach(async () => {
    await served?.stop();
    served = undefined;
  });
  const serve = (...words: string[]) => host.run('jan', 'sipctl', ['serve', ...words]);
  const start = async (...words: string[]) => {
    served = await Served.start(host, 'jan', words);
    return served;
  };
  const file = (name: string) => join(host.home('jan'), '.sr', name);
  const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

  describe('-t', () => {
    test('says nothing of a configuration without faults, and makes nothing', () => {
      expect(serve('-t')).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(existsSync(file(''))).toBe(false);
    });

    test('names every fault by path and line, and the nearest keyword', () => {
      const path = host.write(
        'bad',
        '# mine\nRelm sip.test\nMaxContacts many\nDomain example.com\nDbUrl mysql://me:secret@x/sr\n',
      );
      const { status, stdout, stderr } = serve('-t', '-f', path);
      expect([status, stdout]).toEqual([78, '']);
      const lines = stderr.split('\n').slice(0, -1);
      expect(lines).toHaveLength(3);
      expect(lines[0]).toMatch(new RegExp(`^sipctl: ${path}:2: Relm: .*\\bRealm\\b`));
      expect(lines[1]).toMatch(new RegExp(`^sipctl: ${path}:3: MaxContacts: expected `));
      expect(lines[2]).toMatch(new RegExp(`^sipctl: ${path}:5: DbUrl: expected .*DbPasswordFile$`));
    });

    test.each([
      ['Relm=x', /^sipctl: -o:1: Relm: .*\bRealm\b.*\n$/],
      [
        'LoadCredentials=ha1',
        /^sipctl: -o:1: LoadCredentials: ha1: with DbUrl unix: expected uid, did, .*\n$/,
      ],
      ['Listen=udp:nowhere:5060', /^sipctl: -o:1: Listen: expected .*\n$/],
      ['MinExpires', /^sipctl: -o:1: MinExpires: .*\n$/],
    ])('-o %s is a fault like a line of the file', (word, message) => {
      const { status, stderr } = serve('-t', '-o', word);
      expect(status).toBe(78);
      expect(stderr).toMatch(message);
    });

    test('names the faults of gateways, and takes those that have none', () => {
      const good = 'Gateway a\n  Address sip:192.0.2.1\n';
      expect(serve('-t', '-f', host.write('good', good))).toEqual({ status: 0, stdout: '', stderr: '' });
      const path = host.write('bad', `${good}  Patern sip:00*@*\nGateway b\n`);
      expect(serve('-t', '-f', path)).toEqual({
        status: 78,
        stdout: '',
        stderr: [
          `sipctl: ${path}:3: Patern: unknown keyword of a Gateway block (did you mean Pattern?)\n`,
          `sipctl: ${path}:4: Gateway: expected an Address among the lines of b\n`,
        ].join(''),
      });
    });

    test('-f of a file that is not there is a fault', () => {
      const { status, stderr } = serve('-t', '-f', '/nonexistent/config');
      expect([status, stderr]).toEqual([78, 'sipctl: /nonexistent/config: cannot be read: ENOENT\n']);
    });

    test('rules about UNIX accounts are faults where accounts are in a database', () => {
      const url = ['-o', 'DbUrl=postgres://sr@127.0.0.1/sr'];
      expect(serve('-t', ...url).status).toBe(0);
      const { status, stderr } = serve('-t', ...url, '-o', 'AllowGroups=sip');
      expect(status).toBe(78);
      expect(stderr).toBe('sipctl: -o:2: AllowGroups: is about UNIX accounts, and DbUrl names a database\n');
    });
  });

  describe('-T', () => {
    test('shows what is in effect, in the grammar of the file: its output is the same configuration', () => {
      const path = host.write(
        'config',
        'Realm sip.test\nDomain a.example b.example\nNonceLifetime 5m\nGateway gw\nAddress gw.test\nStrip 2\n',
      );
      const shown = serve('-T', '-f', path, '-o', 'MaxContacts=3');
      expect(shown.status).toBe(0);
      for (const line of [
        'Realm sip.test',
        'MaxContacts 3',
        'DigestAlgorithms MD5',
        'Gateway gw',
        '    Strip 2',
      ])
        expect(shown.stdout.split('\n')).toContain(line);
      const again = serve('-T', '-f', host.write('again', shown.stdout));
      expect(again.stdout).toBe(shown.stdout);
    });

    test('-o wins over the file', () => {
      const path = host.write('config', 'Realm of.file\nMaxContacts 5\n');
      const { stdout } = serve('-T', '-f', path, '-o', 'Realm of.words', '-o', 'maxcontacts=6');
      expect(stdout).toMatch(/^Realm of\.words$/m);
      expect(stdout).toMatch(/^MaxContacts 6$/m);
    });

    test('--json is one document', () => {
      expect(JSON.parse(serve('-T', '--json', '-o', 'Realm=x.test').stdout)).toMatchObject({
        Realm: 'x.test',
      });
    });
  });

  describe('the first start', () => {
    test('makes a key and a password, shows it once and what to type, and a phone registers with it', async () => {
      const { shown, port } = await start();
      await shown.match(/sippasswd sets another/);
      const lines = shown.output.split('\n');
      expect(lines[0]).toBe('Type this into a phone:');
      expect(shown.output).toContain(`  domain     ${realm}\n  server     127.0.0.1:${port}\n`);
      const password = /^ {2}password {3}(\S+)$/m.exec(shown.output)?.[1] ?? '';
      expect(password.length).toBeGreaterThan(10);
      expect(await served?.register('jan', password)).toBe(200);
      expect(await served?.register('jan', `${password}x`)).toBe(401);
      expect(served?.log()).not.toContain(password);
      for (const name of ['passwd', 'key', 'usrloc'])
        expect([name, modeOf(file(name))]).toEqual([name, '600']);
      expect(modeOf(file(''))).toBe('700');
      for (const name of ['passwd', 'key', 'usrloc', 'server'])
        if (existsSync(file(name))) expect(readFileSync(file(name), 'utf8')).not.toContain(password);
      expect(readFileSync(file('key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);

      const key = readFileSync(file('key'), 'utf8');
      await served?.stop();
      const again = await start();
      await again.shown.match(/password {3}the one you have; sippasswd sets another\n/);
      expect(again.shown.output).not.toContain(password);
      expect(await again.register('jan', password)).toBe(200);
      expect(readFileSync(file('key'), 'utf8')).toBe(key);
    });

    test('that fails for want of a port makes no password that nobody would see', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as { port: number };
      expect(serve(...listenOn(port), '-o', `Realm=${realm}`).status).toBe(71);
      taken.close();
      await once(taken, 'close');
      expect(existsSync(file('passwd'))).toBe(false);
      served = await Served.start(host, 'jan', [], port);
      await served.shown.match(/The password is shown this once/);
    });

    test('of another realm makes another password and leaves the first', async () => {
      await start('-o', 'Realm=first.test');
      await served?.shown.match(/sippasswd sets another/);
      await served?.stop();
      // -o before ours: the first wins.
      const before = readFileSync(file('passwd'), 'utf8');
      await start();
      await served?.shown.match(/sippasswd|shown this once/);
      expect(readFileSync(file('passwd'), 'utf8').startsWith(before)).toBe(true);
    });
  });

  describe('does not start, says why in one line, and leaves nothing open', () => {
    /** What it says besides the log. */
    const said = (stderr: string) => stderr.split('\n').filter((line) => line !== '' && !/^time=/.test(line));

    test('when a port is taken', async () => {
      const socket = createSocket('udp4').bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const { port } = socket.address();
      const { status, stdout, stderr } = serve(...listenOn(port));
      expect([status, stdout, said(stderr)]).toEqual([
        71,
        '',
        [`sipctl: Listen udp:127.0.0.1:${port}: address in use`],
      ]);
      socket.close();
    });

    test('when the second of its ports is taken: the first is free again', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as { port: number };
      const { status, stderr } = serve(...listenOn(port));
      expect([status, said(stderr)]).toEqual([71, [`sipctl: Listen tcp:127.0.0.1:${port}: address in use`]]);
      const socket = createSocket('udp4').bind(port, '127.0.0.1');
      await once(socket, 'listening');
      socket.close();
      taken.close();
    });

    test('when the address is not of this host', () => {
      const { status, stderr } = serve('-o', 'Listen=udp:203.0.113.7:5060');
      expect([status, said(stderr)]).toEqual([
        71,
        ['sipctl: Listen udp:203.0.113.7:5060: no such address on this host'],
      ]);
    });

    test.each([
      [0o644, /^sipctl: \S+\/\.sr\/key: can be read by group or others: chmod 600 \S+\/\.sr\/key$/],
      [0o660, /^sipctl: \S+\/\.sr\/key: can be written to by group or others: chmod 600 \S+\/\.sr\/key$/],
    ])('when its key has mode %o', async (mode, message) => {
      host.writeFile('jan', 'key', `${'0'.repeat(64)}\n`);
      chmodSync(file('key'), mode);
      const { status, stdout, stderr } = serve(...listenOn(await freePort()));
      expect([status, stdout]).toEqual([71, '']);
      expect(said(stderr)).toEqual([expect.stringMatching(message)]);
    });

    test.each(['not a key\n', `${'0'.repeat(63)}\n`])('when its key is %j', async (content) => {
      host.writeFile('jan', 'key', content);
      const { status, stderr } = serve(...listenOn(await freePort()));
      expect(status).toBe(71);
      expect(said(stderr)).toEqual([
        expect.stringMatching(/\/key: expected 64 hexadecimal digits: remove the file/),
      ]);
    });
  });

  describe('signals', () => {
    test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0, its ports free', async (signal) => {
      const { port } = await start();
      expect(await served?.stop(signal)).toBe(0);
      served = await Served.start(host, 'jan', [], port);
      expect(await served.stop()).toBe(0);
      served = undefined;
    });

    test('SIGUSR1 opens no debugger', async () => {
      const { shown } = await start();
      for (let round = 0; round < 3; round++) served?.signal('SIGUSR1');
      expect(await served?.register('jan', 'x')).toBe(401);
      expect(shown.output + (served?.log() ?? '')).not.toMatch(/debugger/i);
    });

    test('SIGHUP takes in a good configuration, and leaves everything as it was for a bad one', async () => {
      const path = host.write('config', 'MaxContacts 1\n');
      await start('-f', path);
      const agent = await (served as Served).agent();
      const password = /password {3}(\S+)/.exec(
        (await served?.shown.match(/password {3}\S+/))?.[0] ?? '',
      )?.[1];
      const contactsAfter = async (port: number) => {
        const { status, response } = await agent.register({
          user: 'jan',
          password: password ?? '',
          domain: realm,
          contact: `<sip:jan@127.0.0.1:${port}>`,
        });
        expect(status).toBe(200);
        return response.fields.filter(({ id }) => id === 'contact').length;
      };
      await contactsAfter(5071);
      expect(await contactsAfter(5072)).toBe(1);

      writeFileSync(path, 'MaxContacts 3\n');
      served?.signal('SIGHUP');
      await served?.logged(/event=reloaded/);
      expect(await contactsAfter(5073)).toBe(2);

      writeFileSync(path, 'MaxContacts 1\nMaxContatcs 1\n');
      served?.signal('SIGHUP');
      await served?.logged(/event=reload .*nothing changed/);
      expect(served?.log()).toMatch(/event=fault text="[^"]*config:2: MaxContatcs: [^"]*MaxContacts/);
      expect(await contactsAfter(5074)).toBe(3);
    });
  });

  test('goes on when nobody reads its log any more', async () => {
    const port = await freePort();
    const [program = '', ...rest] = host.command('jan', 'sipctl', [
      'serve',
      ...listenOn(port),
      '-o',
      `Realm=${realm}`,
    ]);
    const child = spawn(program, rest, { env: host.environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      let log = '';
      for await (const chunk of child.stderr) {
        log += chunk;
        if (log.includes('event=ready')) break;
      }
      child.stderr.destroy();
      const agent = await createAgent({ transport: 'udp', server: { address: '127.0.0.1', port } });
      for (let round = 0; round < 20; round++)
        expect((await agent.register({ user: 'jan', password: 'x', domain: realm })).status).toBe(401);
      await agent.close();
      expect(child.exitCode).toBeNull();
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect((await ended)[0]).toBe(0);
    }
  });

  test('a realm that changed is said in the log, with what mends it', async () => {
    expect(host.sippasswd('jan', ['--stdin', '--realm', 'old.test'], 'secret\n').status).toBe(0);
    await start();
    await served?.shown.match(/password/);
    // The first password is for the new realm: as if an administrator had renamed the host, take it away.
    const old = readFileSync(file('passwd'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(':old.test:'));
    writeFileSync(file('passwd'), `${old.join('\n')}\n`);
    expect(await served?.register('jan', 'secret')).toBe(401);
    expect(await served?.logged(/event=auth-failed .*/)).toContain(
      'passwd has hashes for realm old.test only, not for sip.test: run sippasswd again',
    );
  });
});
