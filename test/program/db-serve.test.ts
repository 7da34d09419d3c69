// sipctl db serve, run by root: what its processes may do, who is let in, and what keeps it from starting.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { processesOf, processOf } from '../host/processes.ts';
import { describeNeeding } from '../host/required.ts';
import { WrappedHost, wrapperNeeds } from '../long/wrapped-host.ts';

const realm = 'sip.test';

describeNeeding(['root', ...wrapperNeeds], 'sipctl db serve by root', () => {
  let host: WrappedHost;
  let served: Background;
  let port: number;
  const client = (password: string) => {
    const made = new pg.Client({ host: '127.0.0.1', port, user: 'kamailio', password, database: 'sr' });
    made.on('error', () => {});
    return made;
  };

  const start = (...words: string[]) =>
    new Background(host.command('sipctl', ['db', 'serve', ...words]), { env: host.environment });

  beforeAll(async () => {
    host = new WrappedHost(3);
    for (const user of host.users) host.makeHome(user);
    host.setPassword('u0', 'secret');
    writeFileSync(join(host.directory, 'credentials'), 'kamailio:let me in\n', { mode: 0o600 });
    const lines = [
      `Realm ${realm}`,
      'DbReadHashes yes',
      `KeyFile ${join(host.directory, 'key')}`,
      `DbCredentials ${join(host.directory, 'credentials')}`,
    ];
    writeFileSync(join(host.directory, 'config'), `${lines.join('\n')}\n`);
    port = await freePort();
    served = start('--listen', `127.0.0.1:${port}`, '-f', join(host.directory, 'config'));
    await served.match(/^Serving the accounts of this host at 127\.0\.0\.1 port/m);
  });
  afterAll(async () => {
    expect(await served?.stop()).toBe(0);
    host?.remove();
  });

  test('is three processes: what clients speak to has no privilege, what works in homes three', () => {
    const names = processesOf(served.pid).map(({ name }) => name);
    expect(names.sort()).toEqual(['database-server', 'sipctl', 'tables-worker']);
    const status = (name: string) => readFileSync(`/proc/${processOf(served.pid, name)}/status`, 'utf8');
    expect(status('database-server')).toMatch(/^Uid:\t199999\t199999\t199999\t199999$/m);
    expect(status('database-server')).toMatch(/^CapBnd:\t0+$/m);
    expect(status('database-server')).toMatch(/^Groups:\t\s*$/m);
    expect(status('tables-worker')).toMatch(/^CapBnd:\t00000000000000c4$/m);
    for (const name of ['database-server', 'tables-worker'])
      expect(status(name)).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test('the password lets in, and is in no process’s words or environment', async () => {
    const right = client('let me in');
    await right.connect();
    const { rows } = await right.query('select username, ha1 from subscriber');
    expect(rows).toEqual([{ username: 'u0', ha1: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
    // The account of the server is of their group here.
    const names = (await right.query("select username from uri where username <> 'sr'")).rows;
    expect(names.map(({ username }) => username)).toEqual(host.users);
    await right.end();
    const wrong = client('let me out');
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
    for (const { pid } of processesOf(served.pid))
      for (const file of ['cmdline', 'environ'])
        expect(readFileSync(`/proc/${pid}/${file}`, 'latin1')).not.toContain('let me in');
  });

  test('contacts and passwords that others write hold at once, and the other way round', async () => {
    const right = client('let me in');
    await right.connect();
    const ha1 = async () =>
      (await right.query("select ha1 from subscriber where username = 'u0'")).rows[0].ha1;
    const before = await ha1();
    host.setPassword('u0', 'another');
    expect(await ha1()).not.toBe(before);
    await right.query(
      `insert into location (ruid, username, contact, expires) values ('r', 'u1', 'sip:u1@192.0.2.1', '2035-01-01 00:00:00')`,
    );
    expect(readFileSync(host.usrloc('u1'), 'utf8')).toContain('<sip:u1@192.0.2.1>');
    await right.end();
  });

  test('a worker that is killed costs an answer at most', async () => {
    const right = client('let me in');
    await right.connect();
    const before = processOf(served.pid, 'tables-worker');
    process.kill(before, 'SIGKILL');
    expect((await right.query("select username from subscriber where username = 'u0'")).rows).toHaveLength(1);
    await expect.poll(() => processOf(served.pid, 'tables-worker')).not.toBe(before);
    await right.end();
  });

  test.each([
    [['--listen', 'nowhere'], 64, '--listen nowhere: expected unix:/PATH or ADDRESS:PORT'],
    [['--listen', '127.0.0.1:5432'], 78, 'whoever comes by an address needs a password: see DbCredentials'],
    [
      ['-o', 'ServerUser=nobody-of-that-name', '--listen', 'unix:/tmp/x'],
      78,
      'ServerUser: no account nobody-of-that-name',
    ],
    [['-o', 'DbCredentials=/nonexistent'], 78, '/nonexistent: there is no such file'],
  ])('%j does not start, and says why', async (words, status, text) => {
    const refused = start(...words);
    expect(await refused.end()).toBe(status);
    expect(refused.output).toContain(text);
  });
});
