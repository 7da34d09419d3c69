// A table: what it is called, what its columns are, and where its rows come from and go to.

import type { Value } from './sql.ts';
import type { TypeName } from './wire.ts';

/** A row by the names of its columns; what is missing is NULL. */
export type Row = Readonly<Record<string, Value>>;

/** A column, and what it is in a row that does not say. */
export interface Column {
  readonly name: string;
  readonly type: TypeName;
  readonly default?: Value;
  /** Only read where hashes may be (DbReadHashes). */
  readonly isSecret?: boolean;
}

/** What is asked of a table. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** The column that says whose a row is; with it not everybody's files are read. */
  readonly owner?: string;
  /** Columns that no two rows have alike. */
  readonly key: readonly string[];
  /**
   * The rows there are: of these users alone, or undefined for everybody's. Rows of others may be among them. `where` are
   * columns that have to have a value.
   */
  rows(users: readonly string[] | undefined, where: Readonly<Record<string, Value>>): Promise<Row[]>;
  /** Missing: the table cannot be written to. */
  insert?(rows: readonly Row[]): Promise<void>;
  update?(changes: readonly { readonly before: Row; readonly after: Row }[]): Promise<void>;
  remove?(rows: readonly Row[]): Promise<void>;
}
