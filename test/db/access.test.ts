// Who is let in to a database server, what he may read and write there, and what strangers can do to it: nothing.

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePasswd } from '../../src/home/passwd.ts';
import { createRandom } from '../long/random.ts';
import { realm, ServedDatabase, user } from './served.ts';

describe('SCRAM', () => {
  let served: ServedDatabase;
  beforeAll(async () => {
    served = await ServedDatabase.start();
  });
  afterAll(() => served.stop());

  test('lets in the user with the password, and nobody else, by the same answer', async () => {
    expect((await (await served.connect()).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const failures = [
      ['wrong', 'kamailio'],
      ['the password', 'somebody'],
      ['', 'kamailio'],
    ] as const;
    for (const [password, name] of failures)
      await expect(served.connect(password, name)).rejects.toMatchObject(
        password === '' ? {} : { code: '28P01', message: 'password authentication failed' },
      );
  });
});

describe('without DbReadHashes and DbWrite', () => {
  let served: ServedDatabase;
  beforeAll(async () => {
    served = await ServedDatabase.start({ readsHashes: false, writes: false });
  });
  afterAll(() => served.stop());

  test('hashes are not to be had, in no way', async () => {
    const client = await served.connect();
    expect((await client.query('select username, domain from subscriber')).rows).toEqual([
      { username: user, domain: realm },
    ]);
    for (const text of [
      'select * from subscriber',
      'select ha1 from subscriber',
      "select username from subscriber where ha1 like '0%'",
      'select username from subscriber order by ha1',
      "select auth_username from credentials where ha1b = 'x'",
      'select count(password) from credentials',
    ])
      await expect(client.query(text), text).rejects.toMatchObject({ code: '42501' });
  });

  test('nothing of passwd and config is changed', async () => {
    const client = await served.connect();
    const before = served.read('passwd');
    for (const text of [
      "update subscriber set username = 'x'",
      'delete from subscriber',
      `insert into subscriber (username, domain, ha1) values ('${user}', '${realm}', '')`,
      'delete from credentials',
      `insert into usr_preferences (username, attribute, value) values ('${user}', 'a', 'b')`,
      'delete from user_attrs',
      "insert into grp (username, grp) values ('jan', 'root')",
      'delete from version',
    ])
      await expect(client.query(text), text).rejects.toMatchObject({
        code: expect.stringMatching(/^(25006|42501)$/),
      });
    expect(served.read('passwd')).toBe(before);
    expect(served.read('config')).toBe('');
  });
});

describe('with both', () => {
  let served: ServedDatabase;
  beforeAll(async () => {
    served = await ServedDatabase.start();
  });
  afterAll(() => served.stop());

  const credentials = () => parsePasswd(served.read('passwd'), { path: '', owner: user }).credentials;

  test('passwd is changed as sippasswd would, and other realms stay', async () => {
    const client = await served.connect();
    const ha1 = '0123456789abcdef'.repeat(2);
    await client.query(
      `insert into credentials (auth_username, realm, ha1, flags) values ('${user}', 'other', '${ha1}', 3)`,
    );
    expect(credentials()).toMatchObject([{ realm }, { realm: 'other', ha1, flags: 'sd' }]);
    await client.query('update subscriber set ha1 = $1, ha1b = $2 where username = $3', [ha1, '', user]);
    expect(credentials()[0]).toMatchObject({ realm, ha1, ha1b: '', ha1Sha256: '' });
    await client.query(`update subscriber set password = 'plain' where username = '${user}'`);
    expect(credentials()[0]?.password).toBe('{PLAIN}plain');
    await client.query("delete from credentials where realm = 'other'");
    expect(credentials()).toHaveLength(1);
    for (const [text, code] of [
      [`update subscriber set ha1 = 'short' where username = '${user}'`, '22P02'],
      [`update subscriber set username = 'root' where username = '${user}'`, '0A000'],
      [`insert into subscriber (username, domain) values ('root', '${realm}')`, '23503'],
      [`insert into subscriber (username, domain) values ('${user}', 'elsewhere')`, '23514'],
    ] as const)
      await expect(client.query(text), text).rejects.toMatchObject({ code });
    expect(credentials()).toHaveLength(1);
  });

  test('config is what usr_preferences and user_attrs say, checked as the server checks it', async () => {
    const client = await served.connect();
    served.write('config', '# mine\nDoNotDisturb no\n');
    await client.query(
      `insert into usr_preferences (username, attribute, value) values ('${user}', 'rpid', '+49 1')`,
    );
    await client.query(
      `update usr_preferences set value = 'yes' where username = '${user}' and attribute = 'DoNotDisturb'`,
    );
    expect(served.read('config')).toBe('# mine\nDoNotDisturb yes\nAttr rpid "+49 1"\n');
    await expect(
      client.query(`update usr_preferences set value = 'maybe' where attribute = 'DoNotDisturb'`),
    ).rejects.toMatchObject({ code: '22023' });
    expect(
      (await client.query("select value from user_attrs where uid = 'jan' and name = 'rpid'")).rows,
    ).toEqual([{ value: '+49 1' }]);
    await client.query("delete from user_attrs where name = 'rpid'");
    expect(served.read('config')).toBe('# mine\nDoNotDisturb yes\n');
  });

  test('calls that Kamailio writes are calls of acct, each once', async () => {
    const client = await served.connect();
    const names =
      'method, from_tag, to_tag, callid, sip_code, sip_reason, time, src_user, src_domain, dst_ouser, dst_user, dst_domain, src_ip';
    const row = (method: string, tags: string, call: string, code: string, at: string, to = 'eva') =>
      `('${method}', ${tags}, '${call}', '${code}', 'x', '2026-11-30 ${at}', '${user}', '${realm}', '${to}', '${to}', 'elsewhere.example', '192.0.2.1')`;
    const insert = (table: string, values: string) =>
      client.query(`insert into ${table} (${names}) values ${values}`);
    await insert('acc', row('INVITE', "'a', 'b'", 'call1', '200', '10:00:00'));
    await insert('acc', row('INVITE', "'a', 'b'", 'call1', '200', '10:00:10'));
    await insert('acc', row('BYE', "'b', 'a'", 'call1', '200', '10:01:30'));
    await insert('acc', row('INVITE', "'c', ''", 'call2', '486', '11:00:00'));
    await insert('missed_calls', row('INVITE', "'c', ''", 'call2', '486', '11:00:00'));
    const records = served
      .read('acct')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      {
        callid: 'call1',
        status: 'answered',
        duration: 90,
        dir: 'out',
        to: 'sip:eva@elsewhere.example',
        ended_by: 'callee',
      },
      { callid: 'call2', status: 'busy', code: 486, duration: 0 },
    ]);
    const { rows } = await client.query('select callid, sip_code, duration from acc order by callid');
    expect(rows).toEqual([
      { callid: 'call1', sip_code: '200', duration: 90 },
      { callid: 'call2', sip_code: '486', duration: 0 },
    ]);
  });

  test('a call goes on while the database server is started anew, and is written once', async () => {
    const client = await served.connect();
    const names =
      'method, from_tag, to_tag, callid, sip_code, sip_reason, time, src_user, src_domain, dst_ouser, dst_domain';
    const row = (method: string, tags: string, at: string, call: string) =>
      `('${method}', ${tags}, '${call}', '200', 'OK', '2026-11-30 ${at}', '${user}', '${realm}', 'eva', 'elsewhere.example')`;
    const insert = (on: pg.Client, values: string) => on.query(`insert into acc (${names}) values ${values}`);
    const long = 'ü'.repeat(5000);
    for (const call of ['going-1', 'going-2', long])
      await insert(client, row('INVITE', "'ga', 'gb'", '12:00:00', call));
    // By a process that was faster than the INVITE's.
    await insert(client, row('BYE', "'ea', 'eb'", '12:00:05', 'early'));
    await insert(client, row('INVITE', "'ea', 'eb'", '12:00:00', 'early'));
    await served.restart();
    const again = await served.connect();
    await insert(again, row('BYE', "'ga', 'gb'", '12:00:30', 'going-1'));
    await served.restart();
    await insert(await served.connect(), row('BYE', "'gb', 'ga'", '12:01:00', long));
    const records = served
      .read('acct')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(records.slice(-3)).toMatchObject([
      { callid: 'early', duration: 5 },
      { callid: 'going-1', duration: 30, ended_by: 'caller' },
      { duration: 60, ended_by: 'callee' },
    ]);
    expect(served.read('db-calls')).toContain('going-2');
    expect(records.filter(({ callid }) => callid === 'going-2')).toEqual([]);
  });

  test('10,000 hostile names and values reach nobody’s rows and change nothing', {
    timeout: 60_000,
  }, async () => {
    const client = await served.connect();
    const random = createRandom(7);
    const pieces = [
      ...["'", "''", '"', ';', '--', '/*', '*/', '\\', '%', '_', '$1', '$10000', ' or 1=1', ')', '('],
      ...[
        'jan',
        'root',
        '../',
        '/',
        '\n',
        '\r',
        '\t',
        'ü',
        '😀',
        'union select',
        'drop table subscriber',
        ':',
        '#',
        '\u0001',
      ],
    ];
    const before = ['passwd', 'usrloc', 'config', 'acct'].map((name) => served.read(name));
    for (let count = 0; count < 5000; count++) {
      const name = Array.from({ length: 1 + random.below(6) }, () => random.pick(pieces)).join('');
      if (name === 'jan') continue;
      const quoted = `'${name.replaceAll("'", "''")}'`;
      const byText = await client.query(
        `select ha1 from subscriber where username = ${quoted} and domain = '${realm}'`,
      );
      const byValue = await client.query('select contact from location where username = $1 or ruid = $2', [
        name,
        name,
      ]);
      expect([name, byText.rows, byValue.rows]).toEqual([name, [], []]);
      if (count % 10 === 0) await client.query('delete from location where contact = $1', [name]);
    }
    expect(['passwd', 'usrloc', 'config', 'acct'].map((name) => served.read(name))).toEqual(before);
  });

  test('spoilt messages of somebody who was let in change nothing', { timeout: 60_000 }, async () => {
    const random = createRandom(13);
    const before = ['passwd', 'usrloc', 'config', 'acct'].map((name) => served.read(name));
    const whole = [
      'Q\0\0\0\x1cselect 1 as one, 2 two\0',
      'P\0\0\0\x17\0select $1 as x\0\0\0',
      'B\0\0\0\x12\0\0\0\0\0\x01\0\0\0\x01a\0\0',
      'D\0\0\0\x06P\0',
      'E\0\0\0\x09\0\0\0\0\0',
      'C\0\0\0\x06S\0',
      'S\0\0\0\x04',
    ];
    for (let connection = 0; connection < 150; connection++) {
      const { stream } = ((await served.connect()) as unknown as { connection: { stream: Socket } })
        .connection;
      stream.on('error', () => {});
      for (let count = 0; count < 20; count++) {
        const text = random.pick(whole);
        const at = random.below(text.length);
        const spoilt = text.slice(0, at) + random.octets(random.below(5)) + text.slice(at + random.below(3));
        stream.write(Buffer.from(random.chance(0.3) ? text : spoilt, 'latin1'));
      }
      const ended = once(stream, 'close');
      stream.end(Buffer.from('X\0\0\0\x04', 'latin1'));
      await ended;
    }
    expect(['passwd', 'usrloc', 'config', 'acct'].map((name) => served.read(name))).toEqual(before);
    expect((await (await served.connect()).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(served.log.join('\n')).not.toContain('Error:');
  });

  test('what is no protocol ends its own connection, and no other', { timeout: 60_000 }, async () => {
    const client = await served.connect();
    const random = createRandom(11);
    const knock = (octets: Buffer): Promise<void> =>
      new Promise((resolve) => {
        const socket = createConnection({ host: '127.0.0.1', port: served.port });
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.on('data', () => {});
        socket.end(octets);
      });
    const startup = (body: string) => {
      const octets = Buffer.from(`\0\0\0\0\0\x03\0\0${body}`, 'latin1');
      octets.writeUInt32BE(octets.length, 0);
      return octets;
    };
    const spoilt = [
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([0, 0, 0, 3]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      startup('user'),
      startup('user\0kamailio\0\0p\0\0\0\x03'),
      startup(`user\0kamailio\0\0p\0\0\0\x30SCRAM-SHA-256\0\x7f\xff\xff\xffn,,n=,r=x`),
      Buffer.concat([startup('user\0kamailio\0\0'), Buffer.from('Q\0\0\0\x0dselect 1\0')]),
      ...Array.from({ length: 500 }, () => Buffer.from(random.octets(random.size(1, 300)), 'latin1')),
    ];
    for (const octets of spoilt) await knock(octets);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(served.log.join('\n')).not.toContain('Error:');
  });
});
