// The process that asks the database behind DbUrl: it alone has the password. What it opened it has for its life; further
// settings change what is made of it. The database may be away, which fails what is asked meanwhile.

import { openSqlAccounts, type SqlAccounts } from '../store/sql/open.ts';
import type { SqlStoreSettings } from '../store/sql/sql-store.ts';
import { serveStore } from './store-worker.ts';

/** Of the store, what travels. */
export interface DatabaseWorkerSettings extends SqlStoreSettings {
  readonly password: string | undefined;
}

/** What is said to the keeper of a database: the key of its servers, in hexadecimal digits, or what is wrong. */
export interface DatabaseOpened {
  readonly key?: string;
  readonly faults?: readonly string[];
}

let opening: Promise<SqlAccounts> | undefined;

await serveStore<DatabaseWorkerSettings>(({ password, ...settings }, { onServe, onOpened }) => {
  if (opening === undefined) {
    opening = openSqlAccounts(settings, password);
    opening
      .then((accounts) => accounts.check(settings))
      .then(
        (found) => onOpened(Array.isArray(found) ? { faults: found } : { key: found.toString('hex') }),
        (error: Error) => onOpened({ faults: [error.message] }),
      );
  }
  const store = opening.then((accounts) => accounts.openStore(settings));
  store.catch(() => {});
  return {
    async run(user, operations) {
      // Nothing of it stands still.
      onServe('');
      return (await store).run(user, operations);
    },
    close() {},
  };
});
