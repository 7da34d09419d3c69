// A database of accounts, opened and looked through before anything is served.

import type { DatabaseUrl } from '../../home/database-url.ts';
import type { Store } from '../store.ts';
import { DatabaseFault, openDatabase } from './database.ts';
import { schemaFaults } from './schema.ts';
import { sharedKey } from './shared-key.ts';
import { createSqlStore, type SqlStoreSettings } from './sql-store.ts';

/** An open database. */
export interface SqlAccounts {
  /** The secret behind nonces and routes that its servers share; or what is wrong, a line each. */
  check(settings: SqlStoreSettings): Promise<Buffer | string[]>;
  /** A store over it; closing one closes nothing but itself. */
  openStore(settings: SqlStoreSettings): Store;
  close(): void;
}

/** Opens it: connections are made when they are needed. Throws a DatabaseFault where its libraries are missing. */
export async function openSqlAccounts(
  { database: { url } }: SqlStoreSettings,
  password: string | undefined,
): Promise<SqlAccounts> {
  const database = await openDatabase(url, password);
  return {
    async check({ database: tables, verify }) {
      try {
        const faults = await schemaFaults(database, tables, verify);
        return faults.length > 0 ? faults : await sharedKey(database);
      } catch (error) {
        return [describe(url, error as Error)];
      }
    },
    openStore: (settings) => createSqlStore(database, settings),
    close: () => void database.close(),
  };
}

function describe({ kind, host, isSocket, port }: DatabaseUrl, error: Error): string {
  // Node's errors of several addresses say nothing themselves.
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  const what = error instanceof DatabaseFault ? error.message : (first ?? error).message;
  return `DbUrl: ${kind} at ${host}${isSocket ? '' : ` port ${port}`}: ${what}`;
}
