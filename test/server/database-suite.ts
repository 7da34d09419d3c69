// What a server promises of the database that its accounts are in, besides credentials: contacts, calls, what others write
// there, and what happens while it is away.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type HmacKey, hmac, hmacKey } from '../../src/digest/hash.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { flowRoute } from '../../src/proxy/flow-route.ts';
import { openSqlAccounts } from '../../src/store/sql/open.ts';
import { readDatabasePassword } from '../../src/store/sql/password-file.ts';
import type { SqlStoreSettings } from '../../src/store/sql/sql-store.ts';
import type { Agent } from '../agent/agent.ts';
import type { TestDatabase } from '../host/databases.ts';
import { createRandom } from '../long/random.ts';
import { hash } from './credentials-suite.ts';
import { Phone, SDP } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const password = 'secret';

/** The tests; `isWhole`: it has many connections, can be killed and started anew, and has Kamailio's tables. */
export function testDatabase(name: string, open: () => Promise<TestDatabase>, isWhole: boolean): void {
  describe(`accounts in ${name}`, () => {
    let database: TestDatabase;
    const servers: TestServer[] = [];

    beforeAll(async () => {
      database = await open();
      for (const user of ['jan', 'eva']) {
        const row = [user, realm, hash(user, password), user].map((text) => `'${text}'`).join(', ');
        await database.query(`insert into credentials (auth_username, realm, ha1, uid) values (${row})`);
      }
    }, 60_000);
    afterEach(async () => {
      await Promise.all(servers.splice(0).map((server) => server.stop()));
      await database.query('delete from location; delete from acc');
    });
    afterAll(() => database?.close());

    async function start(...config: string[]): Promise<TestServer> {
      const server = await TestServer.start({ config: [...database.config, ...config] });
      servers.push(server);
      return server;
    }
    const register = (agent: Agent, user = 'jan', more: object = {}) =>
      agent.register({ user, password, domain: realm, ...more });
    const ifWhole: typeof test | (() => void) = isWhole ? test : () => {};
    const contacts = () => database.query('select * from location order by contact');

    test('a contact is a row, with all that a phone says of it', async () => {
      const server = await start();
      const agent = await server.agent('tcp');
      const uri = `sip:jan@${agent.local.address}:${agent.local.port};transport=tcp`;
      const contact = `"Jan \\"☎\\" Müller" <${uri}>;+sip.instance="<urn:uuid:1>";reg-id=1;q=0.7;x=y`;
      const { response } = await register(agent, 'jan', {
        contact: Buffer.from(contact).toString('latin1'),
        extraFields: { 'User-Agent': `Phone/${'9'.repeat(300)}` },
      });
      expect(response.status).toBe(200);
      const [row] = await contacts();
      expect(row).toMatchObject({ username: 'jan', domain: realm, contact: uri, instance: '<urn:uuid:1>' });
      expect([row?.reg_id, Number(row?.q).toFixed(1)]).toEqual([1, '0.7']);
      expect(row?.socket).toBe(`tcp:127.0.0.1:${server.port}`);
      const left = Number(row?.expires) - Date.now();
      expect(left).toBeGreaterThan(3_590_000);
      expect(left).toBeLessThan(3_601_000);
      const fetched = await register(agent, 'jan', { contact: null });
      const shown = Buffer.from(fieldValue(fetched.response, 'contact') ?? '', 'latin1').toString();
      expect(shown).toContain(`<${uri}>`);
      expect(shown).toContain(';x=y');
      expect(shown).toContain('+sip.instance="<urn:uuid:1>"');
      // The same once more, and taken away.
      expect((await register(agent, 'jan', { contact })).status).toBe(200);
      expect(await contacts()).toHaveLength(1);
      expect((await register(agent, 'jan', { contact, expires: 0 })).status).toBe(200);
      const after = await register(agent, 'jan', { contact: null });
      expect(fieldValue(after.response, 'contact')).toBeUndefined();
    });

    test('a contact that another program wrote is known, and is one with that of the phone', async () => {
      const server = await start();
      const agent = await server.agent();
      const uri = `sip:eva@127.0.0.1:${agent.local.port}`;
      await database.query(
        `insert into location (ruid, username, domain, contact, expires, callid, cseq, user_agent, last_modified)
         values ('ulcx-1', 'eva', '${realm}', '${uri}', '2031-01-01 00:00:00', 'c', 1, 'Kamailio', '2026-01-01 00:00:00')`,
      );
      const { response } = await register(agent, 'eva', { contact: null });
      expect(fieldValue(response, 'contact')).toContain(`<${uri}>;`);
      expect((await register(agent, 'eva')).status).toBe(200);
      expect((await contacts()).map(({ ruid }) => ruid)).toEqual([expect.stringMatching(/^sr-/)]);
    });

    test('a call is written once for each of the two, with what Kamailio writes', async () => {
      const server = await start();
      const [caller, callee] = [
        new Phone(await server.agent(), 'jan'),
        new Phone(await server.agent(), 'eva'),
      ];
      expect((await register(callee.agent, 'eva')).status).toBe(200);
      const called = caller.request('INVITE', `sip:eva@${realm}`, {
        fields: { 'Content-Type': 'application/sdp' },
        body: SDP,
        secret: password,
      });
      await callee.answer(await callee.next('INVITE'), 200, { body: SDP });
      const answer = await called;
      await caller.confirm(answer);
      await callee.next('ACK');
      const bye = caller.agent.request(caller.within('BYE', answer, 90));
      await callee.answer(await callee.next('BYE'), 200);
      expect((await bye).status).toBe(200);
      const rows = () => database.query('select * from acc order by username');
      await vi.waitFor(async () => expect(await rows()).toHaveLength(2), { timeout: 5000, interval: 20 });
      const [eva, jan] = await rows();
      expect(eva).toMatchObject({ method: 'INVITE', sip_code: '200', username: 'eva', direction: 'in' });
      expect(jan).toMatchObject({
        username: 'jan',
        direction: 'out',
        status: 'answered',
        call_id: eva?.call_id,
      });
      expect(JSON.parse(String(jan?.record))).toMatchObject({ id: jan?.call_id, to: `sip:eva@${realm}` });
    });

    ifWhole('two servers of one database lose no contact of each other', async () => {
      const both = [await start(), await start()];
      const agents = await Promise.all(
        [0, 1, 2, 3, 4, 5, 6, 7].map((at) => (both[at % 2] as TestServer).agent()),
      );
      const all = await Promise.all(agents.map((agent) => register(agent)));
      const logs = both.map((server) => server.log().join('\n')).join('\n\n');
      expect(
        all.map(({ status }) => status),
        logs,
      ).toEqual(agents.map(() => 200));
      expect(await contacts()).toHaveLength(agents.length);
      for (const agent of agents) {
        const { response } = await register(agent, 'jan', { contact: null });
        expect(response.octets.match(/^Contact:.*<sip:/gim) ?? []).not.toHaveLength(0);
        expect(response.octets.split('<sip:jan@127.0.0.1:').length - 1).toBeGreaterThanOrEqual(agents.length);
      }
    });

    const invite = (caller: Phone, fields: object = {}) =>
      caller.request('INVITE', `sip:eva@${realm}`, {
        fields: { 'Content-Type': 'application/sdp', ...fields },
        body: SDP,
        secret: password,
      });

    const ways = isWhole ? (['on TCP', 'behind NAT'] as const) : [];
    describe.each(ways)('a phone of another server %s', (how) => {
      async function call(caller: Phone, callee: Phone): Promise<void> {
        const called = invite(caller);
        const received = await callee.next('INVITE');
        expect(received.request.requestUri).toBe(callee.contact);
        expect(fieldValue(received.request, 'route')).toBeUndefined();
        await callee.answer(received, 200, { body: SDP });
        const answer = await called;
        expect(answer.status).toBe(200);
        await caller.confirm(answer);
        await callee.next('ACK');
        const again = callee.agent.request(callee.back('INVITE', received, 77));
        await caller.answer(await caller.next('INVITE'), 200, { body: SDP });
        expect((await again).status).toBe(200);
        const bye = caller.agent.request(caller.within('BYE', answer, 90));
        await callee.answer(await callee.next('BYE'), 200);
        expect((await bye).status).toBe(200);
      }

      async function pair(server: TestServer): Promise<Phone> {
        const agent = await server.agent(how === 'on TCP' ? 'tcp' : 'udp');
        const contact = how === 'behind NAT' ? `sip:eva@192.0.2.1:${agent.local.port}` : undefined;
        const phone = new Phone(agent, 'eva', contact);
        expect((await register(agent, 'eva', { contact: `<${phone.contact}>` })).status).toBe(200);
        return phone;
      }

      test('is called, calls back, and goes over to the one that is left', async () => {
        const [one, other] = [await start(), await start()];
        const callee = await pair(one);
        const caller = new Phone(await other.agent(), 'jan');
        await call(caller, callee);
        const rows = () => database.query('select username from acc');
        // One server keeps account of a call.
        await vi.waitFor(async () => expect(await rows()).toHaveLength(2), { timeout: 5000, interval: 20 });
        await one.halt();
        const moved = await pair(other);
        if (how === 'on TCP')
          await database.query(`delete from location where contact = '${callee.contact}'`);
        await call(caller, moved);
      });
    });

    ifWhole('a Route over a flow is obeyed only where a server of ours signed it', async () => {
      const server = await start();
      const agent = await server.agent('tcp');
      const phone = new Phone(agent, 'eva');
      expect((await register(agent, 'eva', { contact: `<${phone.contact}>` })).status).toBe(200);
      const stranger = await server.agent();
      const { address, port } = agent.local;
      const text = `tcp,127.0.0.1,${server.port},${address},${port}`;
      const flow = Buffer.from(text).toString('base64url');
      const key = (text: string) => hmacKey(Buffer.from(text, 'hex'));
      const [row] = await database.query("select value from sr_key where name = 'key'");
      const right = key(hmac(key(String(row?.value)), 'dialog'));
      const ends = { transport: 'tcp', localAddress: '127.0.0.1', localPort: server.port } as const;
      const remote = { remoteAddress: address, remotePort: port };
      const signed = (by: HmacKey, atMs: number) => flowRoute(by, { ...ends, ...remote }, atMs);
      const knock = (route: string) =>
        stranger.request({
          method: 'MESSAGE',
          requestUri: phone.contact,
          fields: { Route: route, From: `<sip:jan@${realm}>;tag=1` },
        });
      for (const route of [
        `<sip:127.0.0.1:${server.port};lr;sf=${(Date.now() + 60_000).toString(36)}.${'x'.repeat(22)}${flow}>`,
        signed(key('00'.repeat(32)), Date.now() + 60_000),
        signed(right, Date.now() - 2000),
        signed(right, Date.now() + 60_000).replace(/.>$/, '>'),
      ])
        expect((await knock(route)).status, route).toBe(407);
      const knocked = knock(signed(right, Date.now() + 60_000));
      await phone.answer(await phone.next('MESSAGE'), 200);
      expect((await knocked).status).toBe(200);
    });

    ifWhole('Kamailio’s subscriber is a table of credentials by its columns alone', async () => {
      const row = [realm, 'plain', hash('tom', 'secret'), hash(`tom@${realm}`, 'secret')];
      const values = row.map((text) => `'${text}'`).join(', ');
      await database.query(
        `insert into subscriber (username, domain, password, ha1, ha1b) values ('tom', ${values})`,
      );
      const columns = ['UsernameColumn username', 'RealmColumn domain', 'DidColumn none', 'FlagsColumn none'];
      const config = ['CredentialsTable subscriber', ...columns, 'LoadCredentials none'];
      const agent = await (await start(...config)).agent();
      expect((await register(agent, 'tom')).status).toBe(200);
      expect((await register(agent, 'tom', { authUsername: `tom@${realm}` })).status).toBe(200);
      for (const authUsername of ['TOM', 'tom ', 'jan'])
        expect((await register(agent, 'tom', { authUsername })).status).toBe(401);
      const plain = await (await start(...config, 'CalculateHa1 yes')).agent();
      expect((await register(plain, 'tom', { password: 'plain' })).status).toBe(200);
      expect((await register(plain, 'tom')).status).toBe(401);
    });

    test('hostile names and realms are nobody’s, and change nothing', { timeout: 60_000 }, async () => {
      const server = await start();
      const { database: tables, verify, access } = server.settings();
      const settings = { database: tables, verify, access, realm } as SqlStoreSettings;
      const secret = readDatabasePassword(tables?.passwordFile) as string | undefined;
      const accounts = await openSqlAccounts(settings, secret);
      const store = accounts.openStore(settings);
      const random = createRandom(5);
      const pieces = [
        "'",
        "''",
        '"',
        '`',
        ';',
        '--',
        '/*',
        '\\',
        '%',
        '_',
        '$1',
        '?',
        ' or 1=1',
        ')',
        'jan',
        '\0',
        'ü',
      ];
      const all = 'select * from credentials order by auth_username';
      const before = await database.query(all);
      const text = () => Array.from({ length: 1 + random.below(6) }, () => random.pick(pieces)).join('');
      for (let count = 0; count < 1000; count++) {
        const [user, ofRealm] = [text(), random.chance(0.5) ? realm : text()];
        if (user === 'jan') continue;
        const digest = { algorithm: 'MD5', username: user, realm: ofRealm, nonce: 'n', uri: 'u' } as const;
        const rest = { method: 'REGISTER', qop: undefined, nc: undefined, cnonce: undefined, did: text() };
        const credentials = { ...digest, ...rest, response: hash('jan', password) };
        const [verified] = await store.run(user, [{ type: 'verify', credentials }]);
        const [loaded] = await store.run(user, [{ type: 'loadContacts', known: undefined }]);
        expect([user, verified?.type, loaded]).toMatchObject([user, 'no', { type: 'text', text: '' }]);
      }
      accounts.close();
      expect(await database.query(all)).toEqual(before);
    });

    test('CredentialsCache keeps a password for so long and no longer', async () => {
      const server = await start('CredentialsCache 1');
      const agent = await server.agent();
      expect((await register(agent)).status).toBe(200);
      const set = (text: string) =>
        database.query(`update credentials set ha1 = '${hash('jan', text)}' where auth_username = 'jan'`);
      await set('new');
      try {
        expect((await register(agent)).status).toBe(200);
        await vi.waitFor(async () => expect((await register(agent)).status).toBe(401), { timeout: 3000 });
        expect((await register(agent, 'jan', { password: 'new' })).status).toBe(200);
      } finally {
        await set(password);
      }
    });

    test('LoadCredentials takes any columns as attributes', async () => {
      const server = await start('LoadCredentials uid|flags id');
      const { database: tables, verify, access } = server.settings();
      const settings = { database: tables, verify, access, realm } as SqlStoreSettings;
      const secret = readDatabasePassword(tables?.passwordFile) as string | undefined;
      const accounts = await openSqlAccounts(settings, secret);
      const digest = {
        algorithm: 'MD5',
        username: 'jan',
        realm,
        nonce: 'n',
        uri: 'u',
        method: 'REGISTER',
      } as const;
      const md5 = (text: string) => createHash('md5').update(text).digest('hex');
      const response = md5(`${hash('jan', password)}:n:${md5('REGISTER:u')}`);
      const rest = { qop: undefined, nc: undefined, cnonce: undefined, did: '_default' };
      const credentials = { ...digest, ...rest, response };
      const [answer] = await accounts.openStore(settings).run('jan', [{ type: 'verify', credentials }]);
      accounts.close();
      expect(answer).toMatchObject({ type: 'yes', attributes: { uid: 'jan', flags: '1' } });
      expect(answer).toHaveProperty('attributes.id', expect.stringMatching(/^\d+$/));
    });

    test('while it hangs all is 500 within two seconds, and well again when it is', async () => {
      const server = await start();
      const agent = await server.agent();
      expect((await register(agent)).status).toBe(200);
      database.kill('SIGSTOP');
      try {
        for (const secret of [password, 'wrong']) {
          const beganMs = performance.now();
          const { response } = await register(agent, 'jan', { password: secret });
          expect([response.status, fieldValue(response, 'retry-after')]).toEqual([500, '5']);
          expect(performance.now() - beganMs).toBeLessThan(2000);
        }
      } finally {
        await database.resume();
      }
      await vi.waitFor(async () => expect((await register(agent)).status).toBe(200), { timeout: 10_000 });
      expect((await register(agent, 'jan', { password: 'wrong' })).status).toBe(401);
      expect(server.log('auth-error').join()).toContain('the database does not answer for 1500 ms');
    });

    ifWhole('while it is down all is 500, and well again when it is up', async () => {
      const server = await start();
      const agent = await server.agent();
      expect((await register(agent)).status).toBe(200);
      database.kill('SIGKILL');
      for (const secret of [password, 'wrong', password]) {
        const beganMs = performance.now();
        const { response } = await register(agent, 'jan', { password: secret });
        expect([response.status, fieldValue(response, 'retry-after')]).toEqual([500, '5']);
        expect(performance.now() - beganMs).toBeLessThan(2000);
        await delay(1);
      }
      await database.resume();
      expect((await register(agent)).status).toBe(200);
      expect(await contacts()).toHaveLength(1);
    });
  });
}
