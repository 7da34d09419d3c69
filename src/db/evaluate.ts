// Expressions of SQL over a row: with NULL as the unknown that it is, and an error for whatever is not supported. Pure.

import type { Expr } from 'pgsql-ast-parser';
import { FIRST_LITERAL, type Value } from './sql.ts';
import type { Column, Row } from './table.ts';
import { SqlError, type TypeName } from './wire.ts';

/** What expressions refer to. */
export interface Scope {
  readonly columns: ReadonlyMap<string, Column>;
  readonly literals: readonly Value[];
  /** The client's, `$1` first. */
  readonly parameters: readonly Value[];
  readonly readsHashes: boolean;
  /** What functions without arguments answer. */
  readonly functions: Readonly<Record<string, Value>>;
}

/** Says what cannot be done. */
export function unsupported(what: string): SqlError {
  return new SqlError('0A000', `${what} is not supported`);
}

/** The value of an expression. */
export function evaluate(expr: Expr, row: Row, scope: Scope): Value {
  switch (expr.type) {
    case 'ref': {
      const { name, isSecret = false } = columnOf(expr.name, scope);
      if (isSecret && !scope.readsHashes)
        throw new SqlError(
          '42501',
          `permission denied for column ${name}`,
          'See DbReadHashes in sr_config(5).',
        );
      return row[name] ?? null;
    }
    case 'parameter':
      return parameterOf(expr.name, scope);
    case 'string':
    case 'integer':
    case 'numeric':
    case 'boolean':
      return expr.value;
    case 'null':
      return null;
    case 'cast':
      return cast(evaluate(expr.operand, row, scope), 'name' in expr.to ? expr.to.name : '');
    case 'unary':
      return unary(expr.op, evaluate(expr.operand, row, scope));
    case 'binary':
      return binary(expr, row, scope);
    case 'call':
      return call(expr.function.name, expr.args.length, scope);
    case 'keyword':
      return call(expr.keyword, 0, scope);
    default:
      throw unsupported(`an expression of the kind ${expr.type}`);
  }
}

/** Whether a condition holds: NULL does not. */
export function isTrue(condition: Expr | null | undefined, row: Row, scope: Scope): boolean {
  return condition === null || condition === undefined || evaluate(condition, row, scope) === true;
}

/** The type that an expression has in an answer. */
export function typeOf(expr: Expr, scope: Scope): TypeName {
  if (expr.type === 'ref') return columnOf(expr.name, scope).type;
  if (expr.type === 'integer') return 'int4';
  if (expr.type === 'boolean') return 'bool';
  if (expr.type === 'parameter') {
    const value = parameterOf(expr.name, scope);
    return typeof value === 'number' ? (Number.isInteger(value) ? 'int4' : 'float8') : 'text';
  }
  return 'text';
}

export function columnOf(name: string, { columns }: Scope): Column {
  const column = columns.get(name) ?? columns.get(name.toLowerCase());
  if (column === undefined) throw new SqlError('42703', `column "${name}" does not exist`);
  return column;
}

function parameterOf(name: string, { literals, parameters }: Scope): Value {
  const number = Number(name.slice(1));
  const value = number >= FIRST_LITERAL ? literals[number - FIRST_LITERAL] : parameters[number - 1];
  if (value === undefined) throw new SqlError('42P02', `there is no parameter ${name}`);
  return value;
}

function call(name: string, args: number, { functions }: Scope): Value {
  const value = args === 0 ? functions[name.toLowerCase()] : undefined;
  if (value === undefined) throw new SqlError('42883', `function ${name} does not exist`);
  return value;
}

function cast(value: Value, type: string): Value {
  if (value === null) return null;
  if (/^(?:int\w*|integer|bigint|smallint|numeric|float\w*|double precision|real)$/.test(type))
    return numberOf(value);
  if (/^(?:text|varchar|name|char|bpchar|timestamp.*|regclass|unknown)$/.test(type)) return String(value);
  if (/^bool/.test(type)) return /^(?:t|true|1|yes|on)$/i.test(String(value));
  throw unsupported(`a cast to ${type}`);
}

function numberOf(value: Value): number {
  const number = Number(value);
  if (Number.isNaN(number) || String(value).trim() === '')
    throw new SqlError('22P02', `invalid input syntax for a number: "${value}"`);
  return number;
}

function unary(op: string, value: Value): Value {
  switch (op) {
    case 'IS NULL':
      return value === null;
    case 'IS NOT NULL':
      return value !== null;
    case 'IS TRUE':
      return value === true;
    case 'IS FALSE':
      return value === false;
    case 'NOT':
      return value === null ? null : value !== true;
    case '-':
      return value === null ? null : -numberOf(value);
    case '+':
      return value === null ? null : numberOf(value);
    default:
      throw unsupported(`operator ${op}`);
  }
}

function binary(expr: Expr & { type: 'binary' }, row: Row, scope: Scope): Value {
  const { op } = expr;
  const left = evaluate(expr.left, row, scope);
  if (op === 'AND' || op === 'OR') {
    const decides = op === 'OR';
    if (left === decides) return decides;
    const right = evaluate(expr.right, row, scope);
    if (right === decides) return decides;
    return left === null || right === null ? null : !decides;
  }
  if (op === 'IN' || op === 'NOT IN') {
    const { right: list } = expr;
    if (list.type === 'select') throw unsupported(`${op} of a query`);
    // A list of one is what stands in it.
    const found = isIn(left, list.type === 'list' ? list.expressions : [list], row, scope);
    return found === null ? null : found === (op === 'IN');
  }
  const right = evaluate(expr.right, row, scope);
  if (left === null || right === null) return null;
  switch (op) {
    case 'LIKE':
    case 'ILIKE':
      return isLike(String(left), String(right), op === 'ILIKE');
    case 'NOT LIKE':
    case 'NOT ILIKE':
      return !isLike(String(left), String(right), op === 'NOT ILIKE');
    case '||':
      return `${left}${right}`;
    case '+':
      return numberOf(left) + numberOf(right);
    case '-':
      return numberOf(left) - numberOf(right);
    case '*':
      return numberOf(left) * numberOf(right);
  }
  const order = compare(left, right);
  switch (op) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      throw unsupported(`operator ${op}`);
  }
}

function isIn(value: Value, list: readonly Expr[], row: Row, scope: Scope): boolean | null {
  if (value === null) return null;
  let isUnknown = false;
  for (const each of list) {
    const other = evaluate(each, row, scope);
    if (other === null) isUnknown = true;
    else if (compare(value, other) === 0) return true;
  }
  return isUnknown ? null : false;
}

/** Orders two values: as numbers where one of them is one, else by their characters. */
export function compare(one: string | number | boolean, other: string | number | boolean): number {
  if (typeof one === 'number' || typeof other === 'number') return numberOf(one) - numberOf(other);
  if (typeof one === 'boolean' || typeof other === 'boolean')
    return Number(asBoolean(one)) - Number(asBoolean(other));
  return one < other ? -1 : one > other ? 1 : 0;
}

function asBoolean(value: string | number | boolean): boolean {
  return typeof value === 'boolean' ? value : /^(?:t|true|1|yes|on)$/i.test(String(value));
}

/** `%` is any text and `_` a character. Walked by hand: a pattern is the client's, and may be made to take for ever. */
function isLike(text: string, pattern: string, ignoresCase: boolean): boolean {
  const [of, by] = ignoresCase ? [text.toLowerCase(), pattern.toLowerCase()] : [text, pattern];
  let at = 0;
  let place = 0;
  let star = -1;
  let mark = 0;
  while (at < of.length) {
    const isEscaped = by[place] === '\\' && place + 1 < by.length;
    const wanted = isEscaped ? by[place + 1] : by[place];
    if (!isEscaped && wanted === '%') {
      star = place++;
      mark = at;
    } else if (wanted !== undefined && ((!isEscaped && wanted === '_') || wanted === of[at])) {
      place += isEscaped ? 2 : 1;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++mark;
    } else return false;
  }
  while (by[place] === '%') place++;
  return place === by.length;
}
