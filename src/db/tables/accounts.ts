// Who there is: `grp` are the UNIX groups of accounts, `uri` and `domain` what is served, `version` what Kamailio expects.

import { fromOctets } from '../../message/octets.ts';
import type { Homes } from '../homes.ts';
import type { Row, Table } from '../table.ts';
import { ofEach } from './owned.ts';

/** Versions that Kamailio 5.x expects of its tables; of 6.x, which has the same, by its published schema, untested. */
const VERSIONS: Readonly<Record<string, number>> = {
  version: 1,
  subscriber: 7,
  credentials: 7,
  location: 9,
  location_attrs: 1,
  grp: 2,
  usr_preferences: 2,
  acc: 5,
  missed_calls: 4,
  uri: 1,
  domain: 2,
};
const EPOCH = '2000-01-01 00:00:01';

export function versionTable(): Table {
  return {
    name: 'version',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'table_name', type: 'text' },
      { name: 'table_version', type: 'int4' },
    ],
    key: ['table_name'],
    rows: async () =>
      Object.entries(VERSIONS).map(([name, version], index) => ({
        id: index + 1,
        table_name: name,
        table_version: version,
      })),
  };
}

/** A row for each group of an account. */
export function grpTable(homes: Homes, domain: string): Table {
  return {
    name: 'grp',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'username', type: 'text' },
      { name: 'domain', type: 'text' },
      { name: 'grp', type: 'text' },
      { name: 'last_modified', type: 'timestamp' },
    ],
    owner: 'username',
    key: [],
    async rows(users) {
      const names = users ?? (await homes.users());
      const rows = await ofEach(names, async (user) =>
        (await homes.groups(user)).map((group) => ({
          username: user,
          domain: fromOctets(domain),
          grp: group,
          last_modified: EPOCH,
        })),
      );
      return rows.map((row, index): Row => ({ id: index + 1, ...row }));
    },
  };
}

export function uriTable(homes: Homes, domain: string): Table {
  return {
    name: 'uri',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'username', type: 'text' },
      { name: 'domain', type: 'text' },
      { name: 'uri_user', type: 'text' },
      { name: 'last_modified', type: 'timestamp' },
    ],
    key: [],
    rows: async () =>
      (await homes.users()).map((user, index) => ({
        id: index + 1,
        username: user,
        domain: fromOctets(domain),
        uri_user: user,
        last_modified: EPOCH,
      })),
  };
}

export function domainTable(domains: readonly string[]): Table {
  return {
    name: 'domain',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'domain', type: 'text' },
      { name: 'did', type: 'text' },
      { name: 'last_modified', type: 'timestamp' },
    ],
    key: [],
    rows: async () =>
      domains.map((domain, index) => ({
        id: index + 1,
        domain: fromOctets(domain),
        did: fromOctets(domain),
        last_modified: EPOCH,
      })),
  };
}
