// Accounts in a database, served by root: the process that asks it, what that may do, and what keeps a server from starting.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startPglite, type TestDatabase } from '../host/databases.ts';
import { processesOf, processOf } from '../host/processes.ts';
import { hash } from '../server/credentials-suite.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock'].flatMap((word) => ['-o', word]);

describe.skipIf(!isRoot)('accounts in a database (needs root)', () => {
  const host = new ToolHost();
  let database: TestDatabase;

  beforeAll(async () => {
    host.etc('config');
    database = await startPglite();
    const row = `'eva', '${realm}', '${hash('eva', 'secret', realm)}', 'eva'`;
    await database.query(`insert into credentials (auth_username, realm, ha1, uid) values (${row})`);
  }, 60_000);
  afterAll(async () => {
    host.remove();
    await database?.close();
  });

  const options = (...more: string[]) => [
    ...files,
    ...[...database.config, ...more].flatMap((line) => ['-o', line]),
  ];

  describe('serving', () => {
    let served: Served;

    beforeAll(async () => {
      served = await Served.start(host, 'root', options());
    });
    afterAll(() => served?.stop());

    test('phones register, whoever has an account here', async () => {
      expect(await served.register('eva', 'secret')).toBe(200);
      expect(await served.register('eva', 'wrong')).toBe(401);
      expect(await served.register('jan', 'secret')).toBe(401);
      const rows = await database.query('select username, domain, contact from location');
      expect(rows).toMatchObject([{ username: 'eva', domain: realm }]);
      expect(rows[0]?.contact).toMatch(/^sip:eva@127\.0\.0\.1:/);
    });

    test('the process that asks the database has no capability', () => {
      const { pid } = served.shown;
      expect(
        processesOf(pid)
          .map(({ name }) => name)
          .sort(),
      ).toEqual(['database-worker', 'server', 'sipctl']);
      const status = readFileSync(`/proc/${processOf(pid, 'database-worker')}/status`, 'utf8');
      for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
        expect(status).toMatch(new RegExp(`^${set}:\\s0+$`, 'm'));
      expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    });

    test('one that is killed is replaced, and nobody notices', async () => {
      const { pid } = served.shown;
      const before = processOf(pid, 'database-worker');
      process.kill(before, 'SIGKILL');
      expect(await served.register('eva', 'secret')).toBe(200);
      await vi.waitFor(() => expect(processOf(pid, 'database-worker')).not.toBe(before));
      expect(await served.register('eva', 'secret')).toBe(200);
    });

    test('root takes a contact away', async () => {
      const socket = ['--socket', '/etc/sr/control.sock'];
      expect(host.run('root', 'sipctl', ['drop', 'eva', ...socket])).toMatchObject({ status: 0, stderr: '' });
      expect(await database.query('select 1 from location where expires > now()')).toEqual([]);
    });
  });

  describe('the tools', () => {
    beforeAll(() => {
      const settings = [`Realm ${realm}`, ...database.config];
      writeFileSync(host.etc('config'), `${settings.join('\n')}\n`);
    });
    afterAll(() => writeFileSync(host.etc('config'), ''));

    const rows = (user: string) =>
      database.query(
        `select realm, flags, password, ha1, ha1b, uid from credentials where auth_username = '${user}'`,
      );

    test('sippasswd makes a row, changes it, locks and deletes it', async () => {
      const set = (password: string, ...words: string[]) =>
        host.sippasswd('root', ['--stdin', ...words, 'tom'], `${password}\n`);
      expect(set('first').status).toBe(0);
      const ha1b = hash(`tom@${realm}`, 'first', realm);
      const made = { realm, flags: 1, password: '', ha1: hash('tom', 'first', realm), ha1b, uid: 'tom' };
      expect(await rows('tom')).toEqual([made]);
      await database.query("update credentials set flags = flags + 4 where auth_username = 'tom'");
      expect(set('second', '--format', 'plain').status).toBe(0);
      expect(await rows('tom')).toMatchObject([
        { flags: 5, password: 'second', ha1: hash('tom', 'second', realm) },
      ]);
      expect(host.sippasswd('root', ['--verify', '--stdin', 'tom'], 'second\n').status).toBe(0);
      expect(host.sippasswd('root', ['--verify', '--stdin', 'tom'], 'first\n').status).toBe(1);
      expect(host.sippasswd('root', ['-S', 'tom']).stdout).toBe(`tom P - never ${realm} MD5\n`);
      expect(host.sippasswd('root', ['-l', 'tom']).stdout).toBe('tom locked\n');
      expect(await rows('tom')).toMatchObject([{ flags: 7 }]);
      expect(host.sippasswd('root', ['-S', '-a']).stdout).toContain(`tom D - never ${realm} MD5\n`);
      expect(host.sippasswd('root', ['-u', 'tom']).status).toBe(0);
      expect(await rows('tom')).toMatchObject([{ flags: 5 }]);
      expect(host.sippasswd('root', ['--realm', 'example.com', '--stdin', 'tom'], 'x-third\n').status).toBe(
        0,
      );
      expect(await rows('tom')).toHaveLength(2);
      expect(host.sippasswd('root', ['-d', '--realm', realm, 'tom']).status).toBe(0);
      expect(await rows('tom')).toMatchObject([{ realm: 'example.com' }]);
      expect(host.sippasswd('root', ['-d', 'tom']).status).toBe(0);
      expect(await rows('tom')).toEqual([]);
      expect(host.sippasswd('root', ['-d', 'tom']).status).toBe(4);
      expect(host.sippasswd('root', ['-e', '2030-01-01', 'tom']).status).toBe(6);
      expect(host.sippasswd('root', ['--stdin'], 'x\n').status).toBe(2);
    });

    test('sippasswd --batch sets many', async () => {
      expect(host.sippasswd('root', ['--batch'], 'b1:secret1\nb2:secret2\n').stdout).toBe(
        '2 of 2 SIP passwords set\n',
      );
      expect(await rows('b2')).toMatchObject([{ ha1: hash('b2', 'secret2', realm) }]);
    });

    test('sipctl ul shows, adds and takes away', async () => {
      const contact = 'sip:eva@192.0.2.1:5070';
      const ul = (...words: string[]) => host.run('root', 'sipctl', ['ul', ...words]);
      expect(ul('add', 'eva', contact)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(ul('show', 'eva').stdout).toContain(contact);
      expect(ul('show').stdout).toContain(contact);
      expect(JSON.parse(ul('show', 'eva', '--json').stdout)).toMatchObject([{ user: 'eva', uri: contact }]);
      expect(ul('dump', 'eva').stdout).toContain(`<${contact}>`);
      const [row] = await database.query(`select domain from location where contact = '${contact}'`);
      expect(row).toEqual({ domain: realm });
      expect(ul('rm', 'eva', contact).status).toBe(0);
      expect(ul('show', 'eva').stdout).not.toContain(contact);
      expect(ul('show').status).toBe(0);
    });
  });

  test.each([
    ['a column', ['PasswordColumn=md5'], 'PasswordColumn: no column md5 in table credentials: '],
    [
      'a table',
      ['CredentialsTable=subscriber'],
      'CredentialsTable: no table subscriber in database postgres: ',
    ],
    ['an attribute', ['LoadCredentials=uid|rpid'], 'LoadCredentials: no column rpid in table credentials: '],
  ])('%s that is missing is one line', (_, more, line) => {
    const { status, stderr } = host.run('root', 'sipctl', ['serve', ...options(...more)]);
    expect(status).toBe(71);
    expect(stderr.split('\n')).toEqual([expect.stringContaining(`sipctl: ${line}`), '']);
  });

  test('a database that is not there is one line', () => {
    const more = ['DbUrl=postgres://sr@127.0.0.1:1/sr'].flatMap((line) => ['-o', line]);
    const { status, stderr } = host.run('root', 'sipctl', ['serve', ...files, ...more]);
    expect([status, stderr]).toEqual([
      71,
      'sipctl: DbUrl: postgres at 127.0.0.1 port 1: connect ECONNREFUSED 127.0.0.1:1\n',
    ]);
  });
});
