// auth_db's table of credentials, whatever its columns are called: a row is what a line of ~/.sr/passwd is.

import type { Credential } from '../../home/passwd.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import type { Database, Row } from './database.ts';
import type { CredentialColumns, DatabaseSettings } from './database-settings.ts';

/** A row: its credential, and what LoadCredentials names besides. */
export interface CredentialRow {
  readonly credential: Credential;
  /** Octet strings. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Bits of the column of flags (SIP Express Router, DB_LOAD_SER and DB_DISABLED). */
const LOAD_SER = 1;
const DISABLED = 2;

/** Reads the rows of a user in a realm. */
export async function readCredentialRows(
  database: Database,
  settings: DatabaseSettings,
  loaded: readonly string[],
  { username: user, domain: realm }: { readonly username: string; readonly domain: string },
): Promise<CredentialRow[]> {
  const { table, columns } = settings;
  const wanted = new Set([...Object.values(columns), ...loaded].filter((name) => name !== undefined));
  const rows = await database.run((db) =>
    db
      .selectFrom(table)
      .select([...wanted])
      .where(columns.username, '=', user)
      .where(columns.realm, '=', realm)
      .execute(),
  );
  // Some collations take other names for the same.
  return rows
    .filter((row) => row[columns.username] === user && row[columns.realm] === realm)
    .map((row) => readRow(row, settings, loaded));
}

function readRow(row: Row, { columns }: DatabaseSettings, loaded: readonly string[]): CredentialRow {
  const attributes = Object.fromEntries(loaded.map((name) => [name, textOf(row[name])]));
  return { credential: credentialOf(row, columns), attributes };
}

/** The credential that a row is. */
export function credentialOf(row: Row, columns: CredentialColumns): Credential {
  const text = (column: string | undefined) => textOf(column === undefined ? '' : row[column]);
  const plain = text(columns.plain);
  const flags = columns.flags === undefined ? LOAD_SER : Number(row[columns.flags]);
  return {
    authUsername: text(columns.username),
    realm: text(columns.realm),
    did: columns.did === undefined ? '_default' : text(columns.did),
    uid: '',
    flags: `${(flags & LOAD_SER) === 0 ? '' : 's'}${(flags & DISABLED) === 0 ? '' : 'd'}`,
    password: plain === '' ? '' : `{PLAIN}${plain}`,
    ha1: hash(text(columns.ha1)),
    ha1b: hash(text(columns.ha1b)),
    ha1Sha256: '',
    ha1bSha256: '',
    ha1Sha512_256: '',
    ha1bSha512_256: '',
    changed: '',
    extra: [],
    line: 0,
  };
}

/** The column of flags for letters of passwd; bits that are not ours are as they were. */
export function flagBits(letters: string, before: number): number {
  const own = (letters.includes('s') ? LOAD_SER : 0) | (letters.includes('d') ? DISABLED : 0);
  return (before & ~(LOAD_SER | DISABLED)) | own;
}

function textOf(value: unknown): string {
  return value === null || value === undefined ? '' : toOctets(String(value));
}

/** A hash of MD5; a column that holds something else holds none. */
function hash(text: string): string {
  return /^[0-9a-fA-F]{32}$/.test(text) ? text.toLowerCase() : '';
}

/** The Unicode text of octets, as databases take it; undefined: no row can have it. */
export function databaseText(octets: string): string | undefined {
  const text = fromOctets(octets);
  return text.includes('\0') || toOctets(text) !== octets ? undefined : text;
}
