// Statements over ~/.sr answered as PostgreSQL answers them over a table of the same rows (PGlite), and errors where it is not to
// be the same.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPglite, type TestDatabase } from '../host/databases.ts';
import { realm, ServedDatabase } from './served.ts';

const columns =
  'ruid, username, contact, expires, q, callid, cseq, user_agent, last_modified, socket, received, methods';
const rows = [
  "('r1', 'jan', 'sip:jan@192.0.2.1', '2031-01-01 10:00:00', 0.5, 'c1', 1, 'Phone 100%', '2026-01-01 00:00:00', 'udp:1:1', null, 7)",
  "('r2', 'jan', 'sip:jan@192.0.2.2', '2032-01-01 10:00:00', 1, 'c2', 22, 'Phone_x', '2026-01-01 00:00:00', null, 'sip:10.0.0.1:5', null)",
  "('r3', 'jan', 'sip:JAN@192.0.2.3', '1970-01-01 00:00:00', -1, 'c3', 3, 'ÜñÏ ''quoted'' \\\\ x', '2026-02-01 00:00:00', 'tcp:1:1', null, null)",
  "('r4', 'jan', 'sip:jan@192.0.2.4;a=b', '2030-12-31 23:59:59', 0.25, 'c4', 4, '', '2026-03-01 00:00:00', null, null, 0)",
];

const conditions = [
  "ruid = 'r1'",
  "username='jan' AND contact = 'sip:jan@192.0.2.2'",
  "username = 'nobody'",
  "ruid <> 'r1'",
  "ruid != 'r1' and cseq > 3",
  'cseq >= 3 and cseq <= 22',
  "cseq < '22'",
  "expires > '2031-01-01 10:00:00'",
  "expires >= '2031-01-01 10:00:00' or expires = '1970-01-01 00:00:00'",
  "expires < '2031-06-01' and expires <> '1970-01-01 00:00:00'",
  'received is null',
  'received is not null',
  "received = 'x' or ruid = 'r4'",
  "not (received = 'x')",
  "not (ruid = 'r1')",
  "received <> 'x'",
  "ruid in ('r1', 'r3', 'r9')",
  "ruid not in ('r1', 'r3')",
  "received in ('x')",
  "received not in ('x')",
  "user_agent like 'Phone%'",
  "user_agent like 'Phone\\_x'",
  "user_agent like 'Phone _00\\%'",
  "user_agent not like '%x'",
  "contact like 'sip:jan@%'",
  "contact ilike 'sip:jan@%'",
  "user_agent like '%''quoted''%'",
  "user_agent = ''",
  "(ruid = 'r1' or ruid = 'r2') and (q = 1 or q = 0.5)",
  'methods = 7 or methods is null',
  "ruid = 'r1' and socket is null or ruid = 'r2' and socket is null",
  'true',
  'false',
  "'a' = 'a' and cseq + 1 = 5",
  "ruid = 'x'' or ''1''=''1'",
];
const selections = [
  'select ruid from location where username = $U order by ruid',
  'select ruid, cseq from location order by cseq desc',
  'select ruid, q from location order by q desc, ruid limit 2',
  'select ruid from location order by ruid limit 2 offset 1',
  'select ruid from location order by ruid offset 3',
  'select ruid from location order by 1 desc',
  'select count(*) from location',
  'select count(received) as n, count(*) as m from location',
  'select count(distinct last_modified) from location',
  'select distinct last_modified from location order by last_modified',
  'select ruid as a, contact b from location order by a',
  'select received, ruid from location order by received, ruid',
  'select received, ruid from location order by received desc, ruid',
  "select 'x' as c, 1 as n, ruid from location order by ruid",
  "select l.ruid from location l where l.ruid = 'r1'",
  'select 1 as one',
  'SELECT "ruid" FROM "location" WHERE "ruid" = \'r2\'',
  "select ruid from location where ruid = 'r1' -- and nothing else",
];

describe('statements', () => {
  let served: ServedDatabase;
  let oracle: TestDatabase;
  let ours: pg.Client;
  let theirs: pg.Client;

  beforeAll(async () => {
    [served, oracle] = await Promise.all([ServedDatabase.start(), startPglite()]);
    ours = await served.connect();
    theirs = new pg.Client({ host: '127.0.0.1', port: oracle.port, user: 'postgres', database: 'postgres' });
    await theirs.connect();
    for (const client of [ours, theirs])
      for (const row of rows) await client.query(`insert into location (${columns}) values ${row}`);
  }, 60_000);
  afterAll(async () => {
    await theirs?.end();
    await served?.stop();
    await oracle?.close();
  });

  /** As texts: numbers of other sizes are the same numbers. */
  const answer = async (client: pg.Client, text: string, values?: unknown[]) => {
    const {
      rows: found,
      command,
      rowCount,
      fields,
    } = await client.query({
      text,
      values,
      rowMode: 'array',
      types: { getTypeParser: () => String },
    } as pg.QueryArrayConfig);
    const plain = found.map((row) => row.map((value) => (value === null ? null : String(value))));
    return { found: plain, command, rowCount, names: fields.map(({ name }) => name) };
  };
  const expectSame = async (text: string, values?: unknown[]) => {
    expect(await answer(ours, text, values), text).toEqual(await answer(theirs, text, values));
  };

  test.each(conditions)('where %s', async (condition) => {
    await expectSame(`select ruid from location where ${condition} order by ruid`);
    await expectSame(`select count(*) from location where ${condition}`);
  });

  test.each(selections)('%s', (text) => expectSame(text.replace('$U', "'jan'")));

  test('parameters are values and nothing else', async () => {
    for (const value of ['r1', "r1' or '1'='1", 'r%', '', null, '\\', '$1'])
      await expectSame('select ruid from location where ruid = $1 order by ruid', [value]);
    await expectSame('select ruid from location where cseq > $1 and contact like $2 order by ruid', [
      '3',
      'sip:%',
    ]);
    await expectSame('select ruid from location where ruid in ($1, $2) order by ruid', ['r1', 'r4']);
  });

  test('changes are the same, and the same is there afterwards', async () => {
    const whole = `select ${columns} from location order by ruid`;
    for (const text of [
      "update location set cseq = 9, user_agent = 'new' where ruid = 'r1'",
      "update location set expires = '2033-01-01 00:00:00' where username = 'jan' and cseq > 5",
      "update location set cseq = cseq + 1 where ruid = 'r4'",
      "update location set received = null, socket = 'udp:9:9' where ruid = 'r2'",
      "update location set cseq = 1 where ruid = 'nothing'",
      `insert into location (${columns}) values ('r5', 'jan', 'sip:jan@192.0.2.5', '2034-01-01 00:00:00', 1, 'c5', 5, '', '2026-04-01 00:00:00', null, null, null)`,
      "insert into location (ruid, username, contact, expires) values ('r5', 'jan', 'x', '2035-01-01 00:00:00') on conflict (ruid) do update set cseq = 55, user_agent = excluded.username",
      "insert into location (ruid, username, contact, expires) values ('r5', 'jan', 'x', '2035-01-01 00:00:00') on conflict do nothing",
      "delete from location where ruid = 'r3' or contact = 'sip:jan@192.0.2.4;a=b'",
      "delete from location where ruid = 'nothing'",
    ]) {
      await expectSame(text);
      await expectSame(whole);
    }
    const twice = `insert into location (ruid, username, contact, expires) values ('r5', 'jan', 'y', '2035-01-01 00:00:00')`;
    for (const client of [ours, theirs])
      await expect(client.query(twice)).rejects.toMatchObject({ code: '23505' });
    await expectSame(whole);
    expect(served.read('usrloc')).toContain('<sip:jan@192.0.2.5>');
    await expectSame('delete from location');
  });

  test('every column of Kamailio’s comes back as it was written', async () => {
    const row = {
      ruid: 'uloc-1-2-3',
      username: 'jan',
      domain: 'example.com',
      contact: 'sip:jan@192.0.2.77:5061;transport=tcp;x=y%20z?h=v',
      received: 'sip:198.51.100.1:1024;transport=TCP',
      path: '<sip:edge.example.com;lr>,<sip:other.example.com;lr>',
      expires: '2033-03-03 03:03:03',
      q: 0.25,
      callid: 'a "quoted" call; id',
      cseq: 77,
      last_modified: '2026-11-30 01:02:03',
      flags: 3,
      cflags: 64,
      user_agent: 'Phone; "x" \\ ü',
      socket: 'tcp:192.0.2.9:5060',
      methods: 5951,
      instance: '<urn:uuid:00000000-0000-0000-0000-000000000001>',
      reg_id: 2,
      server_id: 9,
      connection_id: 12,
      keepalive: 1,
      partition: 4,
    };
    const names = Object.keys(row);
    const places = names.map((_, index) => `$${index + 1}`).join(', ');
    await ours.query(`insert into location (${names.join(', ')}) values (${places})`, Object.values(row));
    const { rows: found } = await ours.query({
      text: `select ${names.join(', ')} from location where ruid = 'uloc-1-2-3'`,
      types: { getTypeParser: () => String },
    } as pg.QueryConfig);
    expect(found).toEqual([
      Object.fromEntries(names.map((name) => [name, String(row[name as keyof typeof row])])),
    ]);
    await ours.query("delete from location where ruid = 'uloc-1-2-3'");
  });

  test.each([
    ['selec 1', '42601'],
    ['select * from nothing', '42P01'],
    ['select nothing from location', '42703'],
    ["select ruid from location where nothing = 'x'", '42703'],
    ['select ruid from location order by 9', '42P10'],
    ["select nosuch('x')", '42883'],
    ["update location set cseq = 'x' where true", '22P02'],
    ["insert into location (ruid, username, contact, expires) values ('r', 'jan', 'c', 'never')", '22007'],
    ['select $1', '42P02'],
  ])('%s is an error, with the code that PostgreSQL has', async (text, code) => {
    await expect(ours.query(text)).rejects.toMatchObject({ code });
    expect((await ours.query('select 1 as one')).rows).toHaveLength(1);
  });

  test.each([
    'select a.ruid from location a, location b',
    'select a.ruid from location a join location b on a.ruid = b.ruid',
    'select username, count(*) from location group by username',
    'select ruid from location where ruid in (select ruid from location)',
    'select ruid from (select * from location) x',
    "delete from location where ruid = 'r1' returning ruid",
    'select ruid from location union select ruid from location',
    'create table x (a int)',
    'drop table location',
    'select max(cseq) from location',
    'with x as (select 1) select * from x',
    'truncate location',
    "select E'\\\\x41'",
    'select $$text$$',
    'copy location to stdout',
  ])('%s is not done, and says so', async (text) => {
    await expect(ours.query(text)).rejects.toMatchObject({
      code: expect.stringMatching(/^(0A000|42601|42883)$/),
    });
    expect((await ours.query('select 1 as one')).rows).toHaveLength(1);
  });

  test('a transaction goes on until it is committed, and what was written is not taken back in silence', async () => {
    await ours.query('begin');
    expect((await ours.query('select 1 as one')).rows).toHaveLength(1);
    await ours.query('commit');
    await ours.query('begin');
    await ours.query(
      `insert into location (ruid, username, contact, expires) values ('t1', 'jan', 'sip:t', '2035-01-01 00:00:00')`,
    );
    await expect(ours.query('rollback')).rejects.toMatchObject({ code: '0A000' });
    await ours.query('begin');
    await expect(ours.query('select x')).rejects.toMatchObject({ code: '42703' });
    await expect(ours.query('select 1')).rejects.toMatchObject({ code: '25P02' });
    expect((await ours.query('commit')).command).toBe('ROLLBACK');
  });

  test('what is refused is in the log, and no value with it', async () => {
    await expect(ours.query("select nothing from subscriber where ha1 = 'very secret'")).rejects.toThrow();
    expect(served.log.join('\n')).toContain(
      'SQL error 42703: column "nothing" does not exist in: select nothing',
    );
    expect(served.log.join('\n')).not.toContain('very secret');
    expect(realm).toBe('sip.test');
  });
});
