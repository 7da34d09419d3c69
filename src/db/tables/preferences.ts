// ~/.sr/config as Kamailio's `usr_preferences` and SIP Express Router's `user_attrs`: keywords before the first block, and each
// Attr under its own name.

import { checkValue, parseConfig } from '../../home/config.ts';
import { setKeyword, unsetKeyword } from '../../home/config-edit.ts';
import { findKeyword, keywordEntry } from '../../home/keywords.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import type { Homes } from '../homes.ts';
import type { Row, Table } from '../table.ts';
import { SqlError } from '../wire.ts';
import { noAccount } from './credentials.ts';
import { byOwner, MOST_DECISIONS, rowsOfUsers } from './owned.ts';

const EPOCH = '2000-01-01 00:00:01';

interface Preference {
  readonly attribute: string;
  readonly value: string;
}

/** Kamailio's table. */
export function preferencesTable(homes: Homes, domain: string, canWrite: boolean): Table {
  const base = {
    name: 'usr_preferences',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'uuid', type: 'text', default: '' },
      { name: 'username', type: 'text', default: '0' },
      { name: 'domain', type: 'text', default: '' },
      { name: 'attribute', type: 'text', default: '' },
      { name: 'type', type: 'int4', default: 0 },
      { name: 'value', type: 'text', default: '' },
      { name: 'last_modified', type: 'timestamp', default: EPOCH },
    ] as const,
    owner: 'username',
    key: ['username', 'attribute'],
    rows: (users: readonly string[] | undefined) =>
      rowsOfUsers(homes, users, 'config', (user, { content }) =>
        preferencesOf(content).map(({ attribute, value }, index) => ({
          id: index + 1,
          uuid: user,
          username: user,
          domain: fromOctets(domain),
          attribute,
          type: 0,
          value,
          last_modified: EPOCH,
        })),
      ),
  };
  return canWrite ? { ...base, ...writing(homes, 'username', 'attribute') } : base;
}

/** SIP Express Router's table. */
export function attributesTable(homes: Homes, canWrite: boolean): Table {
  const base = {
    name: 'user_attrs',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'uid', type: 'text' },
      { name: 'name', type: 'text' },
      { name: 'value', type: 'text' },
      { name: 'type', type: 'int4', default: 2 },
      { name: 'flags', type: 'int4', default: 1 },
    ] as const,
    owner: 'uid',
    key: ['uid', 'name'],
    rows: (users: readonly string[] | undefined) =>
      rowsOfUsers(homes, users, 'config', (user, { content }) =>
        preferencesOf(content).map(({ attribute, value }, index) => ({
          id: index + 1,
          uid: user,
          name: attribute,
          value,
          type: 2,
          flags: 1,
        })),
      ),
  };
  return canWrite ? { ...base, ...writing(homes, 'uid', 'name') } : base;
}

function preferencesOf(content: string | undefined): Preference[] {
  const { global } = parseConfig(content ?? '', { path: '', scope: 'user' });
  return global.flatMap(({ keyword, value }) =>
    keywordEntry(keyword)
      .value.format(value)
      .map((words) => {
        const [first = '', ...rest] = words.map(fromOctets);
        return keyword === 'Attr'
          ? { attribute: first, value: rest.join(' ') }
          : { attribute: keyword, value: [first, ...rest].join(' ') };
      }),
  );
}

function writing(
  homes: Homes,
  owner: string,
  name: string,
): Required<Pick<Table, 'insert' | 'update' | 'remove'>> {
  const change = async (rows: readonly Row[], edit: (content: string, row: Row) => string) => {
    for (const [user, all] of byOwner(rows, (row) => String(row[owner])))
      await replace(homes, user, (content) => all.reduce(edit, content));
  };
  const set = (rows: readonly Row[]) =>
    change(rows, (content, row) => setPreference(content, String(row[name]), String(row.value ?? '')));
  const remove = (rows: readonly Row[]) =>
    change(rows, (content, row) => {
      const keyword = findKeyword(String(row[name]));
      if (keyword !== undefined && keyword !== 'Attr') return unsetKeyword(content, keyword);
      return unsetKeyword(content, 'Attr', toOctets(String(row[name])));
    });
  return {
    insert: set,
    remove,
    async update(changes) {
      await remove(
        changes.filter(({ before, after }) => before[name] !== after[name]).map(({ before }) => before),
      );
      await set(changes.map(({ after }) => after));
    },
  };
}

function setPreference(content: string, attribute: string, value: string): string {
  const known = findKeyword(attribute);
  const keyword = known === undefined || known === 'Attr' ? 'Attr' : known;
  const words = keyword === 'Attr' ? [attribute, value] : value.split(' ');
  const octets = words.map(toOctets);
  const checked = checkValue(keyword, octets, 'user');
  if ('fault' in checked || words.some((word) => /[\x00-\x1f\x7f]/.test(word)))
    throw new SqlError(
      '22023',
      `${attribute}: ${'fault' in checked ? checked.fault : 'expected no control characters'}`,
    );
  return setKeyword(content, keyword, octets);
}

async function replace(homes: Homes, user: string, change: (content: string) => string): Promise<void> {
  for (let decision = 0; decision < MOST_DECISIONS; decision++) {
    const text = await homes.read(user, 'config');
    if (text === undefined) throw noAccount(user);
    const before = text.content ?? '';
    const after = change(before);
    if (after === before || (await homes.replace(user, 'config', after, text.version))) return;
  }
  throw new SqlError('40001', `the settings of ${user} are changed by others all the time`);
}
