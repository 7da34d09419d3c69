// SQL into what is asked (pgsql-ast-parser). Parsing takes a millisecond, and a program asks the same again with other values: so
// literals are taken out first, and what is left is parsed once. Pure.

import { parse, type Statement } from 'pgsql-ast-parser';
import { SqlError } from './wire.ts';

/** A value of SQL as it stands in a statement or comes with it. */
export type Value = string | number | boolean | null;

/** A statement, and the values of its parameters `$1`… by their numbers. */
export interface Parsed {
  readonly statement: Statement;
  /** Literals that were taken out. */
  readonly literals: readonly Value[];
}

const MOST_REMEMBERED = 500;
const MOST_CHARACTERS = 100_000;
/** How deep parentheses may stand in each other: the parser is none of the fastest. */
const MOST_DEPTH = 30;
/** Literals that are taken out are parameters from here on; a client's own are below. */
export const FIRST_LITERAL = 10_000;

const remembered = new Map<string, Statement[]>();

/** Reads the statements of a text; throws a SqlError. */
export function parseSql(text: string): Parsed[] {
  if (text.length > MOST_CHARACTERS) throw new SqlError('54000', 'the statement is too long');
  const { template, literals } = withoutLiterals(text);
  let statements = remembered.get(template);
  if (statements === undefined) {
    statements = parseTemplate(template);
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
  } else remembered.delete(template);
  // The last used is the last to be forgotten.
  remembered.set(template, statements);
  return statements.map((statement) => ({ statement, literals }));
}

function parseTemplate(template: string): Statement[] {
  try {
    return parse(template);
  } catch (error) {
    const [line = ''] = (error as Error).message.split('\n');
    throw new SqlError('42601', `syntax error: ${line.replace(/\$1\d{4}\b/g, '…').slice(0, 200)}`);
  }
}

/** A token that may hold what looks like another: text, quoted name, comment, number, parameter, word, anything. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\s+|[\s\S]/gu;

/** Takes texts and numbers out of a statement, but for numbers behind LIMIT and OFFSET. */
export function withoutLiterals(text: string): { template: string; literals: Value[] } {
  const literals: Value[] = [];
  let template = '';
  let depth = 0;
  let before = '';
  const take = (value: Value) => {
    literals.push(value);
    template += `$${FIRST_LITERAL + literals.length - 1}`;
  };
  for (const [token] of text.matchAll(TOKEN)) {
    const first = token[0] as string;
    if (first === '(' && ++depth > MOST_DEPTH) throw new SqlError('54001', 'parentheses too deep');
    if (first === ')') depth--;
    if (first === "'") {
      if (token.length < 2 || !token.endsWith("'")) throw new SqlError('42601', 'a text without its end');
      if (/^(?:e|b|x|n|u&)$/i.test(before))
        throw new SqlError('0A000', `texts of the kind ${before}'…' are not supported`);
      take(token.slice(1, -1).replaceAll("''", "'"));
    } else if (/^\d/.test(first) && !/^(?:limit|offset)$/i.test(before)) take(Number(token));
    else if (first === '$' && !/^\$\d/.test(token))
      throw new SqlError('0A000', 'texts between dollars are not supported');
    else if (first === '$' && Number(token.slice(1)) >= FIRST_LITERAL)
      throw new SqlError('42P02', `there is no parameter ${token}`);
    else if (token.startsWith('--') || token.startsWith('/*')) template += ' ';
    else template += token;
    if (!/^\s/.test(token)) before = token;
    if (literals.length > 20_000) throw new SqlError('54000', 'too many values');
  }
  return { template, literals };
}
