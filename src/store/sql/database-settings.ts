// What DbUrl and the keywords behind it say of a database (auth_db's parameters).

import type { Settings } from '../../home/config.ts';
import type { DatabaseUrl } from '../../home/database-url.ts';

/** A database of accounts: a plain value, which travels to the process that asks it. */
export interface DatabaseSettings {
  readonly url: DatabaseUrl;
  readonly passwordFile: string | undefined;
  readonly table: string;
  readonly columns: CredentialColumns;
  /** How long credentials are remembered, in milliseconds. */
  readonly cacheMs: number;
}

/** The columns of the table of credentials; undefined: it has none. */
export interface CredentialColumns {
  readonly username: string;
  readonly realm: string;
  readonly ha1: string;
  readonly ha1b: string | undefined;
  readonly plain: string | undefined;
  readonly did: string | undefined;
  readonly flags: string | undefined;
}

/** The keywords that say where accounts are: a server has one database for its life. */
export const DATABASE_KEYWORDS = [
  ...(['DbUrl', 'DbPasswordFile', 'CredentialsTable', 'UsernameColumn', 'RealmColumn'] as const),
  ...(['PasswordColumn', 'PasswordColumn2', 'PlainPasswordColumn', 'DidColumn', 'FlagsColumn'] as const),
];

/** Takes the settings of a database from the keywords. */
export function databaseOf(url: DatabaseUrl, keywords: Settings): DatabaseSettings {
  return {
    url,
    passwordFile: keywords.DbPasswordFile,
    table: keywords.CredentialsTable,
    columns: {
      username: keywords.UsernameColumn,
      realm: keywords.RealmColumn,
      ha1: keywords.PasswordColumn,
      ha1b: unlessNone(keywords.PasswordColumn2),
      plain: unlessNone(keywords.PlainPasswordColumn),
      did: unlessNone(keywords.DidColumn),
      flags: unlessNone(keywords.FlagsColumn),
    },
    cacheMs: keywords.CredentialsCache * 1000,
  };
}

function unlessNone(column: string): string | undefined {
  return column === 'none' ? undefined : column;
}
