// Contacts in Kamailio's table `location`, a row a contact. The row is a line of ~/.sr/usrloc (column `sr_line`), and the
// other columns are what others read; of a row that has no line they are the contact.

import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { bindingKey, formatBinding } from '../../home/usrloc.ts';
import { type Binding, readContactLine } from '../../home/usrloc-line.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import type { Version } from '../store.ts';
import type { Row, Tables } from './database.ts';

/** Whose contacts. */
export interface Owner {
  readonly username: string;
  readonly domain: string;
}

/** Contacts as they were read. */
export interface Contacts {
  /** As a file of usrloc: octets. */
  readonly text: string;
  /** Of that text. */
  readonly version: Version;
}

export const LOCATION = 'location';
/** The columns that are written. */
export const LOCATION_COLUMNS = [
  ...['ruid', 'username', 'domain', 'contact', 'received', 'path', 'expires', 'q', 'callid', 'cseq'],
  ...['last_modified', 'user_agent', 'socket', 'instance', 'reg_id', 'sr_line'],
] as const;
/** How long a contact that has expired, or was taken away, is remembered: it tells late duplicates apart (64·T1). */
const MEMORY_MS = 32_000;

/** The name of the lock that whoever writes a user's contacts holds. */
export function lockOf({ username, domain }: Owner): string {
  return `sr-${createHash('sha1').update(`${username}\n${domain}`).digest('hex')}`;
}

/** Reads all contacts of a user. */
export async function readContacts(db: Kysely<Tables>, owner: Owner): Promise<Contacts> {
  return contactsOf(await rowsOf(db, owner));
}

/** Puts lines of usrloc behind contacts that were read, and forgets what is long over; answers the version there is then. */
export async function writeLines(
  db: Kysely<Tables>,
  owner: Owner,
  lines: readonly string[],
  before: readonly Row[],
  nowMs: number,
): Promise<Version> {
  const written = new Map<string, Row>();
  for (const line of lines) {
    const row = rowOf(line, owner, nowMs);
    if (row !== undefined) {
      written.delete(row.ruid as string);
      written.set(row.ruid as string, row);
    }
  }
  const isReplaced = (row: Row) => written.has(row.ruid as string) || written.has(ownRuid(row, owner));
  const isOver = (row: Row) => (row.expires as Date).getTime() < nowMs - MEMORY_MS && !isPermanent(row);
  const left = before.filter((row) => !isReplaced(row) && !isOver(row));
  const gone = before.filter((row) => !left.includes(row)).map(({ ruid }) => ruid as string);
  if (gone.length > 0)
    await db
      .deleteFrom(LOCATION)
      .where('username', '=', owner.username)
      .where('domain', '=', owner.domain)
      .where('ruid', 'in', gone)
      .execute();
  if (written.size > 0)
    await db
      .insertInto(LOCATION)
      .values([...written.values()])
      .execute();
  return contactsOf([...left, ...written.values()]).version;
}

/** The rows of a user, as they are. */
export async function rowsOf(db: Kysely<Tables>, { username, domain }: Owner): Promise<Row[]> {
  const rows = await db
    .selectFrom(LOCATION)
    .select([...LOCATION_COLUMNS])
    .where('username', '=', username)
    .where('domain', '=', domain)
    .execute();
  return rows.filter((row) => row.username === username);
}

/** What rows say as a file of usrloc. */
export function contactsOf(rows: readonly Row[]): Contacts {
  // Rows have no order, and a version must not depend on it.
  const text = rows
    .map((row) => `${lineOf(row)}\n`)
    .sort()
    .join('');
  return { text, version: createHash('sha1').update(text, 'latin1').digest('base64') };
}

function rowOf(line: string, { username, domain }: Owner, nowMs: number): Row | undefined {
  const read = readContactLine(line, 0);
  if (typeof read === 'string') return undefined;
  const { binding, removal } = read;
  // Cut to the width of Kamailio's columns: the line has all of it.
  const text = (octets: string | undefined, width = 255) =>
    octets === undefined ? null : fromOctets(octets).slice(0, width);
  return {
    ruid: ruidOf(binding, { username, domain }),
    username,
    domain,
    contact: text(binding.uri, 512),
    received: text(binding.received, 128),
    path: text(binding.path?.join(', '), 512),
    expires: removal === undefined ? new Date(binding.expiresAt ?? 0) : new Date(nowMs),
    q: binding.q ?? -1,
    callid: text(binding.callId) ?? '',
    cseq: binding.cseq === undefined ? 1 : binding.cseq % 2 ** 31,
    last_modified: new Date(nowMs),
    user_agent: text(binding.userAgent) ?? '',
    socket: text(binding.socket, 64),
    instance: text(binding.instance),
    reg_id: Number(binding.regId) || 0,
    // A character an octet, so that what is no UTF-8 comes back as it was.
    sr_line: line,
  };
}

function ruidOf(binding: Binding, { username, domain }: Owner): string {
  const hash = createHash('sha1').update(`${username}\n${domain}\n`).update(bindingKey(binding), 'latin1');
  return `sr-${hash.digest('hex')}`;
}

/** The ruid that we would give the contact of a row. */
function ownRuid(row: Row, owner: Owner): string {
  if (String(row.ruid).startsWith('sr-')) return row.ruid as string;
  const read = readContactLine(lineOf(row), 0);
  return typeof read === 'string' ? '' : ruidOf(read.binding, owner);
}

/** Kamailio's way to say that a contact does not expire. */
function isPermanent(row: Row): boolean {
  return (row.expires as Date).getTime() === 0;
}

function lineOf(row: Row): string {
  const { sr_line: line } = row;
  return typeof line === 'string' && !/[^\x20-\xff]/.test(line) ? line : foreignLine(row);
}

/** The line of a contact that another program wrote. */
function foreignLine(row: Row): string {
  const text = (value: unknown) =>
    value === null || value === undefined || value === '' ? undefined : toOctets(String(value));
  const instance = text(row.instance);
  const parameters = [];
  if (instance !== undefined) parameters.push({ name: '+sip.instance', value: `"${instance}"` });
  if (Number(row.reg_id) > 0) parameters.push({ name: 'reg-id', value: String(row.reg_id) });
  if (Number(row.q) >= 0) parameters.push({ name: 'q', value: String(row.q) });
  const path = text(row.path);
  const binding: Binding = {
    uri: text(row.contact) ?? '',
    parameters,
    instance,
    expiresAt: isPermanent(row) ? undefined : (row.expires as Date).getTime(),
    received: text(row.received),
    path: path === undefined ? undefined : [path],
    callId: text(row.callid),
    cseq: Number(row.cseq),
    userAgent: text(row.user_agent),
    modified: (row.last_modified as Date).getTime(),
    extra: [],
    line: 0,
  };
  return formatBinding(binding);
}
