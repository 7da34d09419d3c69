// What must be there before anything is served: the tables and columns that are asked for, one line of fault for each that is not.

import { ACC, ACC_COLUMNS } from './acc-table.ts';
import type { Database } from './database.ts';
import type { DatabaseSettings } from './database-settings.ts';
import { LOCATION, LOCATION_COLUMNS } from './location-table.ts';
import { KEY_TABLE } from './shared-key.ts';

/** Looks for what is missing; the keyword that named it comes first. */
export async function schemaFaults(
  database: Database,
  { table, columns, url }: DatabaseSettings,
  { loadCredentials, useDid }: { readonly loadCredentials: readonly string[]; readonly useDid: boolean },
): Promise<string[]> {
  const found = await database.columns();
  const faults: string[] = [];
  const script = `etc/sql/${url.kind}.sql`;

  function expect(name: string, keyword: string, wanted: readonly (readonly [string, string | undefined])[]) {
    const there = found.get(name.toLowerCase());
    if (there === undefined) {
      faults.push(`${keyword}: no table ${name} in database ${url.database}: ${script} of unixsip makes it`);
      return;
    }
    for (const [of, column] of wanted)
      if (column !== undefined && !there.has(column.toLowerCase()))
        faults.push(`${of}: no column ${column} in table ${name}: see ${script} of unixsip`);
  }

  const { username, realm, ha1, ha1b, plain, did, flags } = columns;
  expect(table, 'CredentialsTable', [
    ['UsernameColumn', username],
    ['RealmColumn', realm],
    ['PasswordColumn', ha1],
    ['PasswordColumn2', ha1b],
    ['PlainPasswordColumn', plain],
    ['DidColumn', did],
    ['FlagsColumn', flags],
    ...loadCredentials.map((column) => ['LoadCredentials', column] as const),
  ]);
  const own = (names: readonly string[]) => names.map((column) => ['DbUrl', column] as const);
  expect(LOCATION, 'DbUrl', own(LOCATION_COLUMNS));
  expect(ACC, 'DbUrl', own(ACC_COLUMNS));
  expect(KEY_TABLE, 'DbUrl', own(['name', 'value']));
  if (useDid) expect('domain', 'UseDid', own(['domain', 'did']));
  return faults;
}
