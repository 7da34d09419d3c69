// What psql and drivers ask of PostgreSQL's catalogue, recognised by what their questions look like: which tables there are, and
// of what columns. Pure.

import type { Answered, Database } from './execute.ts';
import type { Value } from './sql.ts';
import type { Table } from './table.ts';
import type { Field } from './wire.ts';

/** Answers a question about the catalogue; undefined: it is none. */
export function catalogueAnswer(text: string, database: Database, version: string): Answered | undefined {
  const show = /^show\s+("?[\w. ]+"?)$/i.exec(text)?.[1]?.toLowerCase();
  if (show !== undefined)
    return answer([show], [[SHOWN[show] ?? (show === 'server_version' ? version : '')]]);
  if (!/\bpg_catalog\b|\binformation_schema\b|\bpg_class\b|\bpg_type\b/i.test(text)) return undefined;
  const tables = [...database.tables.values()];
  if (/information_schema\.tables/i.test(text))
    return answer(
      ['table_name'],
      tables.map(({ name }) => [name]),
    );
  const named = /OPERATOR\(pg_catalog\.~\)\s*'\^\((.*)\)\$'/i.exec(text)?.[1];
  if (/a\.attname/i.test(text) && /a\.attrelid = '(\d+)'/i.test(text)) return columnsOf(text, tables);
  if (/c\.relchecks/i.test(text)) return relation(text, tables);
  if (/^select c\.oid,\s*n\.nspname,\s*c\.relname/i.test(text))
    return answer(
      ['oid', 'nspname', 'relname'],
      matching(tables, named).map((table) => [oidOf(tables, table), 'public', table.name]),
    );
  if (/c\.relname as "Name"/i.test(text))
    return answer(
      ['Schema', 'Name', 'Type', 'Owner'],
      matching(tables, named).map(({ name }) => ['public', name, 'table', 'sr']),
    );
  // Indexes, keys, triggers, policies: there are none. As many columns as were asked for, as far as that shows.
  return answer(['?column?'], []);
}

const SHOWN: Readonly<Record<string, string>> = {
  transaction_isolation: 'read committed',
  server_encoding: 'UTF8',
  client_encoding: 'UTF8',
  timezone: 'localtime',
};

const FIRST_OID = 16_384;

function oidOf(tables: readonly Table[], table: Table): string {
  return String(FIRST_OID + tables.indexOf(table));
}

function byOid(tables: readonly Table[], text: string): Table | undefined {
  const oid = /(?:attrelid|c\.oid) = '(\d+)'/i.exec(text)?.[1];
  return oid === undefined ? undefined : tables[Number(oid) - FIRST_OID];
}

/** psql makes a pattern of what was typed: `loc*` is `loc.*`. */
function matching(tables: readonly Table[], pattern: string | undefined): Table[] {
  const all = [...tables].sort((one, other) => (one.name < other.name ? -1 : 1));
  if (pattern === undefined) return all;
  const plain = /^[\w]*(?:\.\*)?$/.test(pattern) ? pattern : '';
  const isWhole = !plain.endsWith('.*');
  const start = plain.replace(/\.\*$/, '');
  return all.filter(({ name }) => (isWhole ? name === start : name.startsWith(start)));
}

/** What psql wants to know of a table before it asks for the columns (describe.c, describeOneTableDetails). */
function relation(text: string, tables: readonly Table[]): Answered {
  const names = [
    ...['relchecks', 'relkind', 'relhasindex', 'relhasrules', 'relhastriggers', 'relrowsecurity'],
    ...['relforcerowsecurity', 'relhasoids', 'relispartition', '?column?', 'reltablespace', 'reloftype'],
    ...['relpersistence', 'relreplident', 'amname'],
  ];
  const row = ['0', 'r', 'f', 'f', 'f', 'f', 'f', 'f', 'f', '', '0', '', 'p', 'd', 'heap'];
  return answer(names, byOid(tables, text) === undefined ? [] : [row]);
}

function columnsOf(text: string, tables: readonly Table[]): Answered {
  const names = [
    'attname',
    'format_type',
    'pg_get_expr',
    'attnotnull',
    'attcollation',
    'attidentity',
    'attgenerated',
  ];
  const rows = (byOid(tables, text)?.columns ?? []).map(({ name, type, default: byDefault }) => [
    name,
    SPELLED[type],
    byDefault === undefined || byDefault === null
      ? null
      : typeof byDefault === 'string'
        ? `'${byDefault}'`
        : String(byDefault),
    ...['f', null, '', ''],
  ]);
  return answer(names, rows);
}

const SPELLED: Readonly<Record<Field['type'], string>> = {
  text: 'text',
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
  timestamp: 'timestamp without time zone',
  bool: 'boolean',
};

function answer(names: readonly string[], rows: readonly (readonly Value[])[]): Answered {
  return { tag: `SELECT ${rows.length}`, fields: names.map((name) => ({ name, type: 'text' })), rows };
}
