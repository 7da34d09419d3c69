// What auth_db promises of a table of credentials, as a phone sees it: the same of ~/.sr/passwd and of every database.

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ha1 } from '../../src/digest/response.ts';
import { type Credential, setCredentials } from '../../src/home/passwd.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { toOctets } from '../../src/message/octets.ts';
import type { Agent, RegisterOptions } from '../agent/agent.ts';
import type { TestDatabase } from '../host/databases.ts';
import { Phone } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

/** A row of auth_db's table, in Unicode; what is left out is empty, and counts (flags 1). */
export interface CredentialRow {
  readonly username?: string;
  readonly realm?: string;
  readonly did?: string;
  readonly flags?: number;
  readonly password?: string;
  readonly ha1?: string;
  readonly ha1b?: string;
}

/** Where the credentials are. */
export interface Backend {
  /** Lines of the configuration. */
  readonly config: readonly string[];
  /** Puts these in the place of all that are there. */
  set(server: TestServer, rows: readonly CredentialRow[]): Promise<void>;
  close(): Promise<void>;
}

/** ~/.sr/passwd of the account that is served. */
export const unixBackend = async (): Promise<Backend> => ({
  config: [],
  async set(server, rows) {
    const lines = rows.map(
      (row): Credential => ({
        authUsername: toOctets(row.username ?? 'jan'),
        realm: row.realm ?? realm,
        did: row.did ?? '_default',
        uid: 'jan',
        flags: ['', 's', 'd', 'sd'][(row.flags ?? 1) & 3] as string,
        password: row.password === undefined ? '' : `{PLAIN}${toOctets(row.password)}`,
        ha1: row.ha1 ?? '',
        ha1b: row.ha1b ?? '',
        ha1Sha256: '',
        ha1bSha256: '',
        ha1Sha512_256: '',
        ha1bSha512_256: '',
        changed: '2026-01-01',
        extra: [],
        line: 0,
      }),
    );
    server.write('passwd', setCredentials('', lines));
  },
  async close() {},
});

/** The table of a database. */
export function databaseBackend(start: () => Promise<TestDatabase>): () => Promise<Backend> {
  return async () => {
    const database = await start();
    await database.query("insert into domain (did, domain) values ('of example', 'example.com')");
    return {
      config: database.config,
      async set(_, rows) {
        const values = rows.map((row) => {
          const texts = [
            row.username ?? 'jan',
            row.realm ?? realm,
            row.did ?? '_default',
            row.password ?? '',
          ];
          const all = [...texts, row.ha1 ?? '', row.ha1b ?? ''].map(
            (text) => `'${text.replaceAll("'", "''")}'`,
          );
          return `(${[...all, row.flags ?? 1].join(', ')})`;
        });
        const columns = 'auth_username, realm, did, password, ha1, ha1b, flags';
        const insert = `insert into credentials (${columns}) values ${values.join(', ')}`;
        await database.query(`delete from credentials; ${rows.length > 0 ? insert : ''}`);
      },
      close: () => database.close(),
    };
  };
}

/** HA1 of MD5, as auth_db's tools compute it. */
export const hash = (user: string, password: string, of = realm): string =>
  createHash('md5').update(`${user}:${of}:${password}`).digest('hex');

/** The tests; `dids` names the domain id of example.com. */
export function testCredentials(name: string, open: () => Promise<Backend>, did: string): void {
  describe(`credentials of ${name}`, () => {
    let backend: Backend;
    let server: TestServer;
    let agent: Agent;

    beforeAll(async () => {
      backend = await open();
    }, 60_000);
    afterEach(() => server?.stop());
    afterAll(() => backend?.close());

    async function start(rows: readonly CredentialRow[], config: readonly string[] = []): Promise<void> {
      server = await TestServer.start({ config: [...backend.config, ...config] });
      agent = await server.agent();
      await backend.set(server, rows);
    }

    const status = async (options: Partial<RegisterOptions> = {}): Promise<number> =>
      (await agent.register({ user: 'jan', password: 'secret', domain: realm, ...options })).status;

    const right = { ha1: hash('jan', 'secret'), ha1b: hash(`jan@${realm}`, 'secret') };

    test('the right password is let in, for calls too, and a wrong one asked again', async () => {
      await start([right]);
      expect(await status()).toBe(200);
      expect(await status({ password: 'wrong' })).toBe(401);
      const phone = new Phone(agent, 'jan');
      const options = (secret: string) => phone.request('OPTIONS', 'sip:eva@192.0.2.1', { secret });
      expect((await options('wrong')).status).toBe(407);
      expect((await options('secret')).status).not.toBe(407);
    });

    test('who has no credentials is answered as who has others', async () => {
      await start([right]);
      const [unknown, wrong] = [await status({ user: 'eva' }), await status({ password: 'wrong' })];
      expect([unknown, wrong]).toEqual([401, 401]);
      await backend.set(server, []);
      expect(await status()).toBe(401);
    });

    test('unreadable credentials are 400', async () => {
      await start([right]);
      const { response } = await agent.register({
        user: 'jan',
        password: 'secret',
        domain: realm,
        authorization: `Digest username="jan", realm="${realm}"`,
      });
      expect([response.status, fieldValue(response, 'www-authenticate')]).toEqual([400, undefined]);
    });

    test.each([
      ['LOAD_SER', 1, 200],
      ['none', 0, 401],
      ['DISABLED', 3, 401],
      ['DISABLED alone', 2, 401],
    ])('flags: %s', async (_, flags, expected) => {
      await start([{ ...right, flags }]);
      expect(await status()).toBe(expected);
    });

    test('of several rows the first that counts is taken', async () => {
      await start([
        { ...right, flags: 3, did: 'one' },
        { ha1: hash('jan', 'other'), did: 'two' },
      ]);
      expect(await status()).toBe(401);
      expect(await status({ password: 'other' })).toBe(200);
    });

    test('rows of other realms do not count', async () => {
      await start([{ ha1: hash('jan', 'secret', 'example.com'), realm: 'example.com' }]);
      expect(await status()).toBe(401);
    });

    test('an empty hash lets nobody in', async () => {
      await start([{ ha1: '' }]);
      expect(await status({ password: '' })).toBe(401);
    });

    test('user@domain goes by the second column', async () => {
      await start([{ ha1b: right.ha1b }]);
      expect(await status()).toBe(401);
      expect(await status({ authUsername: `jan@${realm}` })).toBe(200);
      await backend.set(server, [{ ha1: right.ha1 }]);
      expect(await status({ authUsername: `jan@${realm}` })).toBe(401);
    });

    test('CalculateHa1 yes takes the plain password, whatever the hashes are, for every algorithm', async () => {
      const row = { ha1: hash('jan', 'other'), password: 'secret' };
      await start([row], ['CalculateHa1 yes', 'DigestAlgorithms MD5 SHA-256 SHA-512-256']);
      for (const algorithm of ['MD5', 'SHA-256', 'SHA-512-256'] as const)
        expect(await status({ algorithm }), algorithm).toBe(200);
      expect(await status({ authUsername: `jan@${realm}` })).toBe(200);
      expect(await status({ password: 'other' })).toBe(401);
    });

    test('CalculateHa1 no takes the hashes, whatever the plain password is', async () => {
      await start([{ ha1: hash('jan', 'other'), password: 'secret' }]);
      expect(await status()).toBe(401);
      expect(await status({ password: 'other' })).toBe(200);
    });

    test('UseDid yes goes by the domain id of To, and of From for calls', async () => {
      const rows = [{ ha1: hash('jan', 'here') }, { ha1: hash('jan', 'there'), did }];
      await start(rows, ['UseDid yes', 'Domain example.com']);
      expect(await status({ password: 'here' })).toBe(200);
      expect(await status({ password: 'there' })).toBe(401);
      expect(await status({ domain: 'example.com', password: 'there' })).toBe(200);
      expect(await status({ domain: 'example.com', password: 'here' })).toBe(401);
      const phone = new Phone(agent, 'jan');
      const options = async (host: string, secret: string) =>
        (
          await phone.request('OPTIONS', 'sip:eva@192.0.2.1', {
            secret,
            fields: { From: `<sip:jan@${host}>;tag=1` },
          })
        ).status;
      expect(await options('example.com', 'here')).toBe(407);
      expect(await options('example.com', 'there')).not.toBe(407);
    });

    test('a password may be of any script', async () => {
      const password = 'pässwörd "☎" : \\';
      await start([{ ha1: ha1('MD5', 'jan', realm, toOctets(password)) }]);
      expect(await status({ password })).toBe(200);
    });

    test('a new password holds for the next message, the old one no more', async () => {
      await start([right]);
      expect(await status()).toBe(200);
      await backend.set(server, [{ ha1: hash('jan', 'new') }]);
      expect(await status()).toBe(401);
      expect(await status({ password: 'new' })).toBe(200);
    });

    test('names that nobody has, nearly or wickedly, are nobody', async () => {
      await start([right]);
      const names = [
        ...['JAN', 'jan ', ' jan', 'ján', 'jan%', 'ja_', '%', '*', 'jan\\', ' ', "jan' or '1'='1", "jan'--"],
        ...['jan"; drop table credentials; --', "'; delete from credentials where ''='", 'jan/**/', '{jan}'],
        ...['\u00ff\u00fe', 'jan\u200b', '\ud83d\ude00', `jan${'n'.repeat(300)}`, '$1', ':jan', '?'],
      ];
      for (const user of names) {
        const got = await status({ authUsername: user });
        expect([user, got]).toEqual([user, 401]);
      }
      expect(await status()).toBe(200);
    });
  });
}
