// What a statement does to tables, and what it answers.

import type {
  DeleteStatement,
  Expr,
  InsertStatement,
  SelectFromStatement,
  UpdateStatement,
} from 'pgsql-ast-parser';
import { columnOf, compare, evaluate, isTrue, type Scope, typeOf, unsupported } from './evaluate.ts';
import type { Parsed, Value } from './sql.ts';
import type { Column, Row, Table } from './table.ts';
import { type Field, SqlError } from './wire.ts';

/** What a statement answers. */
export interface Answered {
  /** What CommandComplete says: `SELECT 3`. */
  readonly tag: string;
  /** Undefined: the statement has no rows. */
  readonly fields?: readonly Field[] | undefined;
  readonly rows: readonly (readonly Value[])[];
}

/** What there is to be asked. */
export interface Database {
  readonly tables: ReadonlyMap<string, Table>;
  readonly functions: Readonly<Record<string, Value>>;
  /** Whether columns of passwords and hashes may be read. */
  readonly readsHashes: boolean;
}

/** Runs one statement; `isDescribed`: only what it would answer is wanted. */
export async function execute(
  database: Database,
  { statement, literals }: Parsed,
  parameters: readonly Value[],
  isDescribed = false,
): Promise<Answered> {
  const run = new Run(database, literals, parameters, isDescribed);
  switch (statement.type) {
    case 'select':
      return run.select(statement);
    case 'insert':
      return run.insert(statement);
    case 'update':
      return run.update(statement);
    case 'delete':
      return run.delete(statement);
    default:
      throw unsupported(`the statement ${statement.type}`);
  }
}

/** How many parameters of the client's a statement has. */
export function parameterCount(text: string): number {
  return Math.max(0, ...[...text.matchAll(/\$(\d{1,4})\b/g)].map(([, number]) => Number(number)));
}

class Run {
  readonly #database: Database;
  readonly #literals: readonly Value[];
  readonly #parameters: readonly Value[];
  readonly #isDescribed: boolean;

  constructor(
    database: Database,
    literals: readonly Value[],
    parameters: readonly Value[],
    isDescribed: boolean,
  ) {
    this.#database = database;
    this.#literals = literals;
    this.#parameters = parameters;
    this.#isDescribed = isDescribed;
  }

  async select(statement: SelectFromStatement): Promise<Answered> {
    for (const clause of ['groupBy', 'for', 'skip', 'having'] as const)
      if ((statement as unknown as Record<string, unknown>)[clause]) throw unsupported(clause.toUpperCase());
    const { where, limit, distinct } = statement;
    const [from, orderBy] = [statement.from ?? [], statement.orderBy ?? []];
    if (from.length > 1) throw unsupported('a join');
    const [source] = from;
    if (source !== undefined && (source.type !== 'table' || source.join !== undefined))
      throw unsupported(`FROM ${source.type}`);
    const table = source === undefined ? undefined : this.#table(source.name.name);
    const scope = this.#scope(table);
    const outputs = (statement.columns ?? []).flatMap(({ expr, alias }) =>
      expr.type === 'ref' && expr.name === '*'
        ? (table?.columns ?? []).map(({ name, type }) => ({
            name,
            type,
            expr: { type: 'ref', name } as Expr,
          }))
        : [{ name: alias?.name ?? nameOf(expr), type: typeOfOutput(expr, scope), expr }],
    );
    const fields = outputs.map(({ name, type }) => ({ name, type }));
    for (const { expr } of outputs) check(expr, scope);
    if (where) check(where, scope);
    if (this.#isDescribed) return { tag: '', fields, rows: [] };
    const found = table === undefined ? [{}] : await this.#rows(table, where, scope);
    const isCounted = outputs.some(({ expr }) => isCount(expr));
    if (isCounted) {
      if (!outputs.every(({ expr }) => isCount(expr))) throw unsupported('count() beside columns');
      const values = outputs.map(({ expr }) => countOf(expr, found, scope));
      return { tag: 'SELECT 1', fields, rows: [values] };
    }
    const sorted = sort(found, orderBy, scope, outputs);
    let rows = sorted.map((row) => outputs.map(({ expr }) => evaluate(expr, row, scope)));
    if (distinct === 'distinct') rows = [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
    else if (distinct && distinct !== 'all') throw unsupported('DISTINCT ON');
    const skipped = numberIn(limit?.offset, scope) ?? 0;
    const most = numberIn(limit?.limit, scope) ?? Number.POSITIVE_INFINITY;
    rows = rows.slice(skipped, skipped + most);
    return { tag: `SELECT ${rows.length}`, fields, rows };
  }

  async insert(statement: InsertStatement): Promise<Answered> {
    const table = this.#table(statement.into.name);
    if (statement.returning !== undefined) throw unsupported('RETURNING');
    if (statement.insert.type !== 'values') throw unsupported('INSERT of anything but VALUES');
    if (table.insert === undefined) throw readOnly(table);
    const scope = this.#scope(table);
    const names = statement.columns?.map(({ name }) => columnOf(name, scope)) ?? table.columns;
    const rows = statement.insert.values.map((values): Row => {
      if (values.length !== names.length) throw new SqlError('42601', 'INSERT has other columns than values');
      const row: Record<string, Value> = Object.fromEntries(
        table.columns.map((column) => [column.name, column.default ?? null]),
      );
      for (const [index, column] of names.entries()) {
        const expr = values[index] as Expr;
        if (expr.type !== 'default') row[column.name] = typed(evaluate(expr, {}, scope), column);
      }
      return row;
    });
    if (this.#isDescribed) return { tag: '', rows: [] };
    const { onConflict } = statement;
    const added: Row[] = [];
    const changes: { before: Row; after: Row }[] = [];
    for (const row of rows) {
      const before = await this.#conflict(table, row);
      if (before === undefined) added.push(row);
      else if (onConflict === undefined || onConflict === null)
        throw new SqlError(
          '23505',
          `duplicate key value violates unique constraint "${table.name}_${table.key.join('_')}_idx"`,
        );
      else if (onConflict.do !== 'do nothing') {
        const after = { ...before };
        const excluded = Object.fromEntries(
          Object.entries(row).map(([name, value]) => [`excluded.${name}`, value]),
        );
        for (const { column, value } of onConflict.do.sets) {
          const of = columnOf(column.name, scope);
          after[of.name] = typed(
            evaluate(withExcluded(value), { ...before, ...excluded }, withExcludedColumns(scope)),
            of,
          );
        }
        changes.push({ before, after });
      }
    }
    if (added.length > 0) await table.insert(added);
    if (changes.length > 0) {
      if (table.update === undefined) throw readOnly(table);
      await table.update(changes);
    }
    return { tag: `INSERT 0 ${added.length + changes.length}`, rows: [] };
  }

  async update(statement: UpdateStatement): Promise<Answered> {
    const table = this.#table(statement.table.name);
    if (statement.returning !== undefined) throw unsupported('RETURNING');
    if (statement.from !== undefined) throw unsupported('UPDATE … FROM');
    if (table.update === undefined) throw readOnly(table);
    const scope = this.#scope(table);
    const sets = statement.sets.map(({ column, value }) => ({ column: columnOf(column.name, scope), value }));
    for (const { column, value } of sets) {
      check(value, scope);
      if (isConstant(value)) typed(evaluate(value, {}, scope), column);
    }
    if (statement.where) check(statement.where, scope);
    if (this.#isDescribed) return { tag: '', rows: [] };
    const found = await this.#rows(table, statement.where, scope);
    const changes = found.map((before) => {
      const after: Record<string, Value> = { ...before };
      for (const { column, value } of sets)
        after[column.name] = typed(evaluate(value, before, scope), column);
      return { before, after };
    });
    if (changes.length > 0) await table.update(changes);
    return { tag: `UPDATE ${changes.length}`, rows: [] };
  }

  async delete(statement: DeleteStatement): Promise<Answered> {
    const table = this.#table(statement.from.name);
    if (statement.returning !== undefined) throw unsupported('RETURNING');
    if (table.remove === undefined) throw readOnly(table);
    const scope = this.#scope(table);
    if (statement.where) check(statement.where, scope);
    if (this.#isDescribed) return { tag: '', rows: [] };
    const found = await this.#rows(table, statement.where, scope);
    if (found.length > 0) await table.remove(found);
    return { tag: `DELETE ${found.length}`, rows: [] };
  }

  #table(name: string): Table {
    const table = this.#database.tables.get(name.toLowerCase());
    if (table === undefined) throw new SqlError('42P01', `relation "${name}" does not exist`);
    return table;
  }

  #scope(table: Table | undefined): Scope {
    const columns = new Map((table?.columns ?? []).map((column) => [column.name, column]));
    return {
      columns,
      readsHashes: this.#database.readsHashes,
      literals: this.#literals,
      parameters: this.#parameters,
      functions: this.#database.functions,
    };
  }

  async #rows(table: Table, where: Expr | null | undefined, scope: Scope): Promise<Row[]> {
    const fixed = fixedColumns(where ?? undefined, scope);
    const owners = table.owner === undefined ? undefined : fixed.get(table.owner);
    const users = owners?.map(String);
    const single = [...fixed].filter(([, values]) => values.length === 1);
    const rows = await table.rows(
      users,
      Object.fromEntries(single.map(([name, values]) => [name, values[0] as Value])),
    );
    return rows.filter((row) => isTrue(where, row, scope));
  }

  /** The row that has a row's key. */
  async #conflict(table: Table, row: Row): Promise<Row | undefined> {
    if (table.key.length === 0) return undefined;
    const where = Object.fromEntries(table.key.map((name) => [name, row[name] ?? null]));
    const owner = table.owner === undefined ? undefined : row[table.owner];
    const rows = await table.rows(typeof owner === 'string' ? [owner] : undefined, where);
    return rows.find((each) => table.key.every((name) => (each[name] ?? null) === (row[name] ?? null)));
  }
}

function readOnly({ name }: Table): SqlError {
  return new SqlError('25006', `table ${name} cannot be written to here`, 'See DbWrite in sr_config(5).');
}

/** Looks for names that are not there before any row is looked at. */
function check(expr: Expr, scope: Scope): void {
  if (expr.type === 'call' && isCount(expr)) {
    for (const each of expr.args) if (each.type !== 'ref' || each.name !== '*') check(each, scope);
    return;
  }
  const row = Object.fromEntries([...scope.columns.keys()].map((name) => [name, null]));
  evaluate(expr, row, scope);
}

/** Columns that a condition ties to values, by what it has between AND. */
function fixedColumns(where: Expr | undefined, scope: Scope): Map<string, Value[]> {
  const fixed = new Map<string, Value[]>();
  const look = (expr: Expr): void => {
    if (expr.type !== 'binary') return;
    if (expr.op === 'AND') {
      look(expr.left);
      look(expr.right);
      return;
    }
    const [column, other] = expr.left.type === 'ref' ? [expr.left, expr.right] : [expr.right, expr.left];
    if (column.type !== 'ref') return;
    const { name } = columnOf(column.name, scope);
    if (expr.op === '=' && isConstant(other)) fixed.set(name, [evaluate(other, {}, scope)]);
    else if (expr.op === 'IN' && other.type === 'list' && other.expressions.every(isConstant))
      fixed.set(
        name,
        other.expressions.map((each) => evaluate(each, {}, scope)),
      );
  };
  if (where !== undefined) look(where);
  return fixed;
}

function isConstant({ type }: Expr): boolean {
  return type === 'parameter' || type === 'string' || type === 'integer';
}

function isCount(expr: Expr): boolean {
  return expr.type === 'call' && expr.function.name.toLowerCase() === 'count';
}

function countOf(expr: Expr, rows: readonly Row[], scope: Scope): number {
  const [of] = expr.type === 'call' ? expr.args : [];
  if (of === undefined || (of.type === 'ref' && of.name === '*')) return rows.length;
  if (expr.type === 'call' && expr.distinct !== undefined)
    return new Set(rows.map((row) => evaluate(of, row, scope)).filter((value) => value !== null)).size;
  return rows.filter((row) => evaluate(of, row, scope) !== null).length;
}

function nameOf(expr: Expr): string {
  if (expr.type === 'ref') return expr.name;
  if (expr.type === 'call') return expr.function.name;
  if (expr.type === 'cast') return nameOf(expr.operand);
  return '?column?';
}

function typeOfOutput(expr: Expr, scope: Scope): Field['type'] {
  return isCount(expr) ? 'int8' : typeOf(expr, scope);
}

interface Output {
  readonly name: string;
  readonly expr: Expr;
}

/** By the columns of the answer too, by name or number; NULL comes last where it goes up. */
function sort(
  rows: readonly Row[],
  orderBy: NonNullable<SelectFromStatement['orderBy']>,
  scope: Scope,
  outputs: readonly Output[],
): readonly Row[] {
  if (orderBy.length === 0) return rows;
  const keys = orderBy.map(({ by, order, nulls }) => {
    const number = by.type === 'parameter' ? evaluate(by, {}, scope) : undefined;
    const output =
      typeof number === 'number'
        ? outputs[number - 1]
        : by.type === 'ref' && !scope.columns.has(by.name)
          ? outputs.find(({ name }) => name === by.name)
          : undefined;
    if (typeof number === 'number' && output === undefined)
      throw new SqlError('42P10', `ORDER BY position ${number} is not in select list`);
    const sign = order === 'DESC' ? -1 : 1;
    const nullsLast = nulls === undefined ? sign === 1 : nulls === 'LAST';
    return { expr: output?.expr ?? by, sign, nullsLast };
  });
  const valued = rows.map((row) => ({ row, values: keys.map(({ expr }) => evaluate(expr, row, scope)) }));
  valued.sort((one, other) => {
    for (const [index, { sign, nullsLast }] of keys.entries()) {
      const [a, b] = [one.values[index] as Value, other.values[index] as Value];
      if (a === null || b === null) {
        if (a !== b) return (a === null) === nullsLast ? 1 : -1;
        continue;
      }
      const order = compare(a, b);
      if (order !== 0) return order * sign;
    }
    return 0;
  });
  return valued.map(({ row }) => row);
}

function numberIn(expr: Expr | null | undefined, scope: Scope): number | undefined {
  if (!expr) return undefined;
  const value = Number(evaluate(expr, {}, scope));
  if (!Number.isInteger(value) || value < 0)
    throw new SqlError('2201W', 'LIMIT and OFFSET are whole numbers');
  return value;
}

/** A value as its column has it. */
function typed(value: Value, { name, type }: Column): Value {
  if (value === null) return null;
  if (type === 'text') return String(value);
  if (type === 'bool') return value === true || /^(?:t|true|1|yes|on)$/i.test(String(value));
  if (type === 'timestamp') {
    const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:Z|\+00)?$/.exec(String(value));
    if (match === null) throw new SqlError('22007', `invalid input syntax for type timestamp: "${value}"`);
    return `${match[1]} ${match[2]}`;
  }
  const number = Number(value);
  if (Number.isNaN(number) || (type !== 'float8' && !Number.isInteger(number)))
    throw new SqlError('22P02', `invalid input syntax for column ${name}: "${value}"`);
  return number;
}

/** `excluded.column` of ON CONFLICT is a column like any other, under that name. */
function withExcluded(expr: Expr): Expr {
  if (expr.type === 'ref' && expr.table?.name === 'excluded')
    return { type: 'ref', name: `excluded.${expr.name}` };
  return expr;
}

function withExcludedColumns(scope: Scope): Scope {
  const columns = new Map(scope.columns);
  for (const [name, column] of scope.columns)
    columns.set(`excluded.${name}`, { ...column, name: `excluded.${name}` });
  return { ...scope, columns };
}
