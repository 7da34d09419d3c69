// The database of accounts for the tools: rows as lines of passwd and usrloc, so that whoever edits those edits these.

import { type Credential, formatCredential, parsePasswd } from '../../home/passwd.ts';
import { plainPassword } from '../../home/password-form.ts';
import { parseUsrloc } from '../../home/usrloc.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import type { Account } from '../../unix/nss.ts';
import type { Trouble } from '../../unix/trouble.ts';
import type { ServerSettings } from '../server-settings.ts';
import { contactsOfText, type ToolStore } from '../tool-store.ts';
import { credentialOf, flagBits } from './credentials-table.ts';
import { type Database, openDatabase, type Row } from './database.ts';
import type { DatabaseSettings } from './database-settings.ts';
import { contactsOf, LOCATION, lockOf, readContacts, rowsOf, writeLines } from './location-table.ts';
import { readDatabasePassword } from './password-file.ts';

const NO_ID = -1;

/** Opens it; a Trouble where the password, the libraries or the database can't be had. */
export async function openSqlToolStore(
  settings: ServerSettings,
  tables: DatabaseSettings,
): Promise<ToolStore | Trouble> {
  const where = settings.keywords.DbUrl;
  const password = readDatabasePassword(tables.passwordFile);
  if (typeof password === 'object') return trouble(password.path, password.text);
  let database: Database;
  let columns: ReadonlySet<string>;
  try {
    database = await openDatabase(tables.url, password);
    columns = (await database.columns()).get(tables.table.toLowerCase()) ?? new Set();
  } catch (error) {
    return trouble(where, messageOf(error));
  }
  const domain = fromOctets(settings.realm);
  const { table } = tables;
  const { username, realm, did, flags } = tables.columns;
  const ownerOf = ({ name }: Account) => ({ username: name, domain });
  const placeOf = ({ name }: Account, what: 'passwd' | 'usrloc') =>
    `${what === 'passwd' ? table : LOCATION} of ${name}`;

  async function attempt<T>(ask: () => Promise<T>): Promise<T | Trouble> {
    try {
      return await ask();
    } catch (error) {
      return trouble(where, messageOf(error));
    }
  }

  const rowsOfUser = async (of: Parameters<Parameters<Database['run']>[0]>[0], name: string) => {
    const rows = await of.selectFrom(table).selectAll().where(username, '=', name).execute();
    return rows.filter((row) => row[username] === name);
  };
  const textOf = (rows: readonly Row[]) =>
    rows.map((row) => `${formatCredential(credentialOf(row, tables.columns))}\n`).join('');
  const keyOf = (credential: Credential) => `${credential.realm}\n${credential.did}`;

  /** The columns of a row that has this credential; bits of flags that are not ours stay. */
  function valuesOf(credential: Credential, before: Row | undefined): Row {
    const { ha1, ha1b, plain } = tables.columns;
    const values: Row = {
      [username]: fromOctets(credential.authUsername),
      [realm]: fromOctets(credential.realm),
      [ha1]: credential.ha1,
    };
    if (ha1b !== undefined) values[ha1b] = credential.ha1b;
    if (plain !== undefined) values[plain] = fromOctets(plainPassword(credential.password) ?? '');
    if (did !== undefined) values[did] = fromOctets(credential.did);
    if (flags !== undefined) values[flags] = flagBits(credential.flags, Number(before?.[flags] ?? 0));
    if (before === undefined && columns.has('uid')) values.uid = fromOctets(credential.authUsername);
    return values;
  }

  function edit(account: Account, change: (content: string) => string): Promise<boolean> {
    const owner = toOctets(account.name);
    return database.transact(`${lockOf(ownerOf(account))}p`, async (of) => {
      const rows = await rowsOfUser(of, account.name);
      const known = new Map(rows.map((row) => [keyOf(credentialOf(row, tables.columns)), row]));
      const before = textOf(rows);
      const after = change(before);
      if (after === before) return false;
      const { credentials } = parsePasswd(after, { path: placeOf(account, 'passwd'), owner });
      const kept = new Set(credentials.map(keyOf));
      const at = (row: Row) => {
        const keys = [username, realm, ...(did === undefined ? [] : [did])];
        return Object.fromEntries(keys.map((key) => [key, row[key]]));
      };
      for (const [key, row] of known)
        if (!kept.has(key))
          await of
            .deleteFrom(table)
            .where((where) => where.and(at(row)))
            .execute();
      for (const credential of credentials) {
        const row = known.get(keyOf(credential));
        const values = valuesOf(credential, row);
        if (row === undefined) await of.insertInto(table).values(values).execute();
        else
          await of
            .updateTable(table)
            .set(values)
            .where((where) => where.and(at(row)))
            .execute();
      }
      return true;
    });
  }

  async function namesIn(of: string, column: string, condition: [string, string]): Promise<Account[]> {
    const rows = await database.run((db) =>
      db.selectFrom(of).select(column).distinct().where(condition[0], '=', condition[1]).execute(),
    );
    return rows.map((row) => accountOf(String(row[column])));
  }

  return {
    isUnix: false,
    placeOf,
    find: accountOf,
    list: () => namesIn(table, username, [realm, domain]),
    listRegistered: () => namesIn(LOCATION, 'username', ['domain', domain]),
    credentials: (account) =>
      attempt(async () => {
        const rows = await database.run((of) => rowsOfUser(of, account.name));
        return rows.length === 0 ? undefined : textOf(rows);
      }),
    editCredentials: (account, change) => attempt(() => edit(account, change)),
    contacts: (account) =>
      attempt(async () => {
        const { text } = await database.run((of) => readContacts(of, ownerOf(account)));
        return contactsOfText(text, placeOf(account, 'usrloc'));
      }),
    appendContacts: (account, decide) =>
      attempt(() =>
        database.transact(lockOf(ownerOf(account)), async (of) => {
          const rows = await rowsOf(of, ownerOf(account));
          const lines = decide(parseUsrloc(contactsOf(rows).text, placeOf(account, 'usrloc')));
          await writeLines(of, ownerOf(account), lines, rows, Date.now());
          return lines;
        }),
      ),
    close: () => void database.close(),
  };
}

/** Who is in a database has no account on this host. */
function accountOf(name: string): Account {
  return { name, uid: NO_ID, gid: NO_ID, gecos: '', home: '', shell: '' };
}

function trouble(path: string, why: string): Trouble {
  return { type: 'trouble', kind: 'temporary', path, why };
}

function messageOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return (first ?? (error as Error)).message;
}
