// A database server in this process over one account in a temporary directory, and real clients of it.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { credentialOfPassword } from '../../src/cli/sippasswd/credential.ts';
import { type DatabaseServer, startDatabaseServer } from '../../src/db/server.ts';
import { createVerifier } from '../../src/digest/scram.ts';
import { setCredentials } from '../../src/home/passwd.ts';
import { createHomeTables } from '../../src/store/home-tables.ts';
import { type Account, invokingAccount } from '../../src/unix/nss.ts';
import { freePort } from '../host/free-port.ts';

export const realm = 'sip.test';
export const user = 'jan';

/** What it may do. */
export interface ServedOptions {
  readonly readsHashes?: boolean;
  readonly writes?: boolean;
}

export class ServedDatabase {
  readonly home = mkdtempSync(join(tmpdir(), 'sr-db-'));
  readonly log: string[] = [];
  port = 0;
  #server: DatabaseServer | undefined;
  #start: () => Promise<DatabaseServer> = () => Promise.reject(new Error('not made'));
  readonly #clients: pg.Client[] = [];

  static async start({ readsHashes = true, writes = true }: ServedOptions = {}): Promise<ServedDatabase> {
    const served = new ServedDatabase();
    chmodSync(served.home, 0o700);
    mkdirSync(join(served.home, '.sr'), { mode: 0o700 });
    served.setPassword('secret');
    const account: Account = { ...invokingAccount(), name: user, home: served.home };
    const access = { minUid: 0, denyUsers: [], allowUsers: [], denyGroups: [], allowGroups: [] };
    const perform = createHomeTables(
      { access, strictModes: true, syncUsrloc: false, keyFile: undefined, readsHashes, writes },
      account,
      () => {},
    );
    served.port = await freePort();
    served.#start = () =>
      startDatabaseServer({
        perform: async (name, operation) => perform(name, operation),
        rules: { realm, domains: ['example.com'], readsHashes, writes },
        access: { peerUids: [], user: 'kamailio' },
        verifier: createVerifier('the password'),
        at: { host: '127.0.0.1', port: served.port },
        log: (text) => served.log.push(text),
      });
    served.#server = await served.#start();
    return served;
  }

  /** Ends it and starts it anew. */
  async restart(): Promise<void> {
    await this.#server?.close();
    this.#server = await this.#start();
  }

  setPassword(password: string): void {
    const key = { user, realm, did: '_default' };
    this.write('passwd', setCredentials('', [credentialOfPassword(key, password, 'ha1', '2026-01-01')]));
  }

  /** A client that is let in. */
  async connect(password = 'the password', name = 'kamailio'): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: name,
      password,
      database: 'sr',
    });
    client.on('error', () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  read(name: string): string {
    try {
      return readFileSync(join(this.home, '.sr', name), 'utf8');
    } catch {
      return '';
    }
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.home, '.sr', name), content, { mode: 0o600 });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})));
    await this.#server?.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}
