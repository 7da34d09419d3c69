// Reads Kamailio's subscriber table as CSV (RFC 4180; also with ; or tab between the fields). Pure.

import type { Fault } from '../../home/fault.ts';
import { type ImportEntry, type Imported, parseHash } from './entry.ts';

interface Row {
  readonly line: number;
  readonly fields: string[];
}

/** The columns of a dump without a head line, by their number: table versions 7 and 6. */
const headless: Readonly<Record<number, readonly string[]>> = {
  6: ['id', 'username', 'domain', 'password', 'ha1', 'ha1b'],
  8: ['id', 'username', 'domain', 'password', 'email_address', 'ha1', 'ha1b', 'rpid'],
};

/** Whether the text looks like a subscriber table. */
export function isKamailio(content: string): boolean {
  const [first] = parseCsv(content);
  return (
    first !== undefined &&
    (isHead(first.fields) || /^\d+$/.test(first.fields[0] ?? '')) &&
    columnsOf(first) !== undefined
  );
}

/** Reads it. The hashes of Kamailio are made with the domain as their realm. */
export function parseKamailio(content: string, path: string): Imported {
  const imported: Imported = { entries: [], faults: [] };
  const rows = parseCsv(content);
  const [first] = rows;
  const columns = first && columnsOf(first);
  if (first === undefined || columns === undefined) return imported;
  for (const row of isHead(first.fields) ? rows.slice(1) : rows) {
    const value = (name: string) => row.fields[columns.indexOf(name)] ?? '';
    const entry = entryOf(row.line, value);
    if (typeof entry === 'string')
      imported.faults.push({ path, line: row.line, text: entry } satisfies Fault);
    else imported.entries.push(entry);
  }
  return imported;
}

function entryOf(line: number, value: (name: string) => string): ImportEntry | string {
  const user = value('username');
  const realm = value('domain') || undefined;
  if (user === '') return 'the column username is empty';
  if (value('password') !== '') return { line, user, realm, ha1: {}, password: value('password') };
  const md5 = parseHash('MD5', value('ha1'));
  if (md5 === undefined) return `neither a password nor an MD5 hash for ${user}`;
  const ha1b = parseHash('MD5', value('ha1b'));
  const entry = { line, user, realm, ha1: { MD5: md5 } };
  return ha1b === undefined ? entry : { ...entry, ha1b };
}

function isHead(fields: readonly string[]): boolean {
  return fields.includes('username') && (fields.includes('password') || fields.includes('ha1'));
}

function columnsOf(first: Row): readonly string[] | undefined {
  return isHead(first.fields) ? first.fields : headless[first.fields.length];
}

/** Splits CSV into rows; blank lines and lines that begin with # are left out. */
function parseCsv(content: string): Row[] {
  const firstLine = /^[^\n#]+/m.exec(content)?.[0] ?? '';
  const separator = [',', ';', '\t'].find((character) => firstLine.includes(character)) ?? ',';
  const rows: Row[] = [];
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRow = () => {
    fields.push(field.replace(/\r$/, ''));
    if (fields.length > 1 && !fields[0]?.startsWith('#')) rows.push({ line: start, fields });
    fields = [];
    field = '';
    start = line + 1;
  };
  for (let at = 0; at < content.length; at++) {
    const character = content[at];
    if (quoted) {
      if (character !== '"') field += character;
      else if (content[at + 1] === '"') field += content[++at];
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === separator) {
      fields.push(field);
      field = '';
    } else if (character === '\n') endRow();
    else field += character;
    if (character === '\n') line++;
  }
  if (field !== '' || fields.length > 0) endRow();
  return rows;
}
