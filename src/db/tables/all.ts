// Every table there is, over the accounts of one host.

import { fromOctets } from '../../message/octets.ts';
import type { DatabaseRules } from '../../store/database-messages.ts';
import type { Database } from '../execute.ts';
import type { Homes } from '../homes.ts';
import { localText } from '../time.ts';
import { domainTable, grpTable, uriTable, versionTable } from './accounts.ts';
import { callTables } from './calls.ts';
import { credentialsTable, subscriberTable } from './credentials.ts';
import { locationAttrsTable, locationTable } from './location.ts';
import { attributesTable, preferencesTable } from './preferences.ts';

/** The server version that clients are told: what they expect of it is what this answers. */
export const SERVER_VERSION = '15.0 (unixsip)';

/** Makes the tables, and takes up the calls that are not over. */
export async function openTables(homes: Homes, rules: DatabaseRules): Promise<Database> {
  const { realm, domains, readsHashes, writes } = rules;
  const served = [realm, ...domains];
  const isLocal = (domain: string) => served.some((each) => each.toLowerCase() === domain.toLowerCase());
  const calls = callTables(homes, fromOctets(realm), isLocal);
  await calls.takeUp();
  const all = [
    versionTable(),
    subscriberTable(homes, realm, writes),
    credentialsTable(homes, writes),
    locationTable(homes),
    locationAttrsTable(homes),
    grpTable(homes, realm),
    preferencesTable(homes, realm, writes),
    attributesTable(homes, writes),
    ...calls.tables,
    uriTable(homes, realm),
    domainTable(served),
  ];
  return {
    tables: new Map(all.map((table) => [table.name, table])),
    readsHashes,
    functions: {
      version: `PostgreSQL ${SERVER_VERSION}`,
      current_database: 'sr',
      current_schema: 'public',
      current_user: 'sr',
      session_user: 'sr',
      now: localText(Date.now()),
    },
  };
}
