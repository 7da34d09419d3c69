// ~/.sr/usrloc as Kamailio's `location`, a row a contact. Columns that usrloc has no name for are parameters `sr-k-COLUMN` of
// the contact; `location_attrs` has the phone's own parameters.

import { createHash } from 'node:crypto';
import {
  bindingKey,
  compactUsrloc,
  foldLines,
  formatBinding,
  formatRemoval,
  parseUsrloc,
  type UsrlocFold,
} from '../../home/usrloc.ts';
import type { Binding } from '../../home/usrloc-line.ts';
import { splitList } from '../../message/fields.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import type { Parameter } from '../../message/parameters.ts';
import { quote, unquote } from '../../message/quoted-string.ts';
import type { Homes } from '../homes.ts';
import type { Value } from '../sql.ts';
import type { Column, Row, Table } from '../table.ts';
import { localText, localTime } from '../time.ts';
import { SqlError } from '../wire.ts';
import { byOwner, ofEach, rowsOfUsers } from './owned.ts';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'int4' },
  { name: 'ruid', type: 'text', default: '' },
  { name: 'username', type: 'text', default: '' },
  { name: 'domain', type: 'text' },
  { name: 'contact', type: 'text', default: '' },
  { name: 'received', type: 'text' },
  { name: 'path', type: 'text' },
  { name: 'expires', type: 'timestamp', default: '2030-05-28 21:32:15' },
  { name: 'q', type: 'float8', default: 1 },
  { name: 'callid', type: 'text', default: 'Default-Call-ID' },
  { name: 'cseq', type: 'int4', default: 1 },
  { name: 'last_modified', type: 'timestamp', default: '2000-01-01 00:00:01' },
  { name: 'flags', type: 'int4', default: 0 },
  { name: 'cflags', type: 'int4', default: 0 },
  { name: 'user_agent', type: 'text', default: '' },
  { name: 'socket', type: 'text' },
  { name: 'methods', type: 'int4' },
  { name: 'instance', type: 'text' },
  { name: 'reg_id', type: 'int4', default: 0 },
  { name: 'server_id', type: 'int4', default: 0 },
  { name: 'connection_id', type: 'int4', default: 0 },
  { name: 'keepalive', type: 'int4', default: 0 },
  { name: 'partition', type: 'int4', default: 0 },
];
/** Those that usrloc has no name for, and whether they are numbers. */
const KEPT: readonly (readonly [string, Value])[] = [
  ['ruid', ''],
  ['domain', null],
  ['flags', 0],
  ['cflags', 0],
  ['methods', null],
  ['server_id', 0],
  ['connection_id', 0],
  ['keepalive', 0],
  ['partition', 0],
];
const PREFIX = 'sr-k-';
/** Kamailio's way to say that a contact does not expire. */
const PERMANENT_MS = 0;
/** Lines that say nothing any more, beyond which a file is written anew. */
const MOST_STALE = 50;
/** Users whose contacts are remembered. */
const MOST_FOLDS = 20_000;
/** Whose a ruid is: Kamailio asks by it alone. */
const MOST_RUIDS = 200_000;

/** The table of contacts. */
export function locationTable(homes: Homes): Table {
  const owners = new Map<string, string>();
  /** What rows that were asked for are. */
  const origins = new WeakMap<Row, { readonly binding: Binding }>();
  /** Contacts as they were read from a content. */
  const folds = new Map<
    string,
    { readonly version: string; readonly content: string; readonly fold: UsrlocFold }
  >();

  function remember(ruid: string, user: string): void {
    if (owners.size >= MOST_RUIDS) owners.delete(owners.keys().next().value as string);
    owners.set(ruid, user);
  }

  /** A user's contacts; undefined: nobody of that name may use SIP. */
  async function contactsOf(user: string): Promise<UsrlocFold | undefined> {
    const text = await homes.read(user, 'usrloc');
    if (text === undefined) return undefined;
    const known = folds.get(user);
    if (known !== undefined && known.version === text.version) return known.fold;
    const content = text.content ?? '';
    // Lines behind what is known are read alone.
    const fold =
      known !== undefined && known.fold.torn === undefined && content.startsWith(known.content)
        ? foldLines(known.fold, content.slice(known.content.length).split('\n').slice(0, -1))
        : parseUsrloc(content, '');
    if (folds.size >= MOST_FOLDS) folds.delete(folds.keys().next().value as string);
    if (content.endsWith('\n') || content === '') folds.set(user, { version: text.version, content, fold });
    return fold;
  }

  async function rows(
    users: readonly string[] | undefined,
    where: Readonly<Record<string, Value>>,
  ): Promise<Row[]> {
    const known = typeof where.ruid === 'string' ? owners.get(where.ruid) : undefined;
    const asked = users ?? (known === undefined ? await homes.users() : [known]);
    const found = await ofEach(asked, async (user) =>
      ((await contactsOf(user))?.bindings ?? []).map((binding) => {
        const row = rowOf(user, binding);
        origins.set(row, { binding });
        return row;
      }),
    );
    for (const { ruid, username } of found) remember(String(ruid), String(username));
    // What was somebody's may be another's by now.
    const isGone =
      known !== undefined && users === undefined && !found.some(({ ruid }) => ruid === where.ruid);
    if (!isGone) return found;
    owners.delete(String(where.ruid));
    return rows(users, where);
  }

  async function append(user: string, lines: readonly string[], fold: UsrlocFold | undefined): Promise<void> {
    if (lines.some((line) => line.length > 4096)) throw new SqlError('22001', 'a contact is too long');
    await homes.append(user, 'usrloc', lines);
    if (fold === undefined || fold.staleCount < MOST_STALE + 2 * fold.bindings.length) return;
    const text = await homes.read(user, 'usrloc');
    // What others write meanwhile is not lost: then it is not written anew this time.
    if (text?.content !== undefined)
      await homes.replace(user, 'usrloc', compactUsrloc(text.content, Date.now()), text.version);
  }

  return {
    name: 'location',
    columns: COLUMNS,
    owner: 'username',
    key: ['ruid'],
    rows,
    async insert(added) {
      for (const [user, all] of byOwner(added, ({ username }) => String(username))) {
        const lines = all.map((row) => formatBinding(bindingOf(row, undefined)));
        await append(user, lines, folds.get(user)?.fold);
        for (const { ruid } of all) remember(String(ruid), user);
      }
    },
    async update(changes) {
      for (const [user, all] of byOwner(changes, ({ before }) => String(before.username))) {
        const lines = all.flatMap(({ before, after }) => {
          if (after.username !== before.username)
            throw new SqlError('0A000', 'a contact of one account cannot become one of another');
          const old = origins.get(before)?.binding;
          const binding = bindingOf(after, old);
          const isMoved = old !== undefined && bindingKey(old) !== bindingKey(binding);
          return [...(isMoved ? [formatRemoval(old, { at: Date.now() })] : []), formatBinding(binding)];
        });
        await append(user, lines, folds.get(user)?.fold);
      }
    },
    async remove(gone) {
      for (const [user, all] of byOwner(gone, ({ username }) => String(username))) {
        const lines = all.flatMap((row) => {
          const { binding } = origins.get(row) ?? {};
          if (binding === undefined) return [];
          const { callId, cseq } = binding;
          return [formatRemoval(binding, { at: Date.now(), callId, cseq })];
        });
        await append(user, lines, folds.get(user)?.fold);
        for (const { ruid } of all) owners.delete(String(ruid));
      }
    },
  };
}

/** Parameters that a phone gave its contact and `location` has no column for. */
export function locationAttrsTable(homes: Homes): Table {
  return {
    name: 'location_attrs',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'ruid', type: 'text' },
      { name: 'username', type: 'text' },
      { name: 'domain', type: 'text' },
      { name: 'aname', type: 'text' },
      { name: 'atype', type: 'int4' },
      { name: 'avalue', type: 'text' },
      { name: 'last_modified', type: 'timestamp' },
    ],
    owner: 'username',
    key: [],
    rows: (users) =>
      rowsOfUsers(homes, users, 'usrloc', (user, { content }) =>
        parseUsrloc(content ?? '', '').bindings.flatMap((binding) => {
          const { id, ruid, domain = null, last_modified = null } = rowOf(user, binding);
          return binding.parameters.filter(isOther).map(({ name, value = '' }) => ({
            id: id ?? null,
            ruid: ruid ?? null,
            username: user,
            domain,
            aname: fromOctets(name),
            atype: 0,
            avalue: fromOctets(unquote(value)),
            last_modified,
          }));
        }),
      ),
  };
}

/** Not one of those that are columns. */
function isOther({ name }: Parameter): boolean {
  return !['+sip.instance', 'reg-id', 'q'].includes(name.toLowerCase());
}

function keyHash(user: string, binding: Binding): Buffer {
  return createHash('sha1').update(`${user}\n`).update(bindingKey(binding), 'latin1').digest();
}

function ruidOf(user: string, binding: Binding): string {
  return keptText(binding, 'ruid') ?? `sr-${keyHash(user, binding).toString('hex').slice(0, 24)}`;
}

function rowOf(user: string, binding: Binding): Row {
  const text = (octets: string | undefined) => (octets === undefined ? null : fromOctets(octets));
  const key = keyHash(user, binding);
  const kept = Object.fromEntries(
    KEPT.map(([column, byDefault]) => {
      const value = keptText(binding, column);
      const isNumber = COLUMNS.find(({ name }) => name === column)?.type !== 'text';
      return [column, value === undefined ? byDefault : isNumber ? Number(value) : value];
    }),
  );
  return {
    ...kept,
    id: key.readUInt32BE(0) >>> 1,
    ruid: ruidOf(user, binding),
    username: user,
    contact: fromOctets(binding.uri),
    received: text(binding.received),
    path: keptText(binding, 'path') ?? text(binding.path?.join(', ')),
    expires: localText(binding.expiresAt ?? PERMANENT_MS),
    q: binding.q ?? -1,
    callid: text(binding.callId) ?? '',
    cseq: binding.cseq ?? 1,
    last_modified: localText(binding.modified ?? PERMANENT_MS),
    user_agent: text(binding.userAgent) ?? '',
    socket: text(binding.socket),
    instance: text(binding.instance),
    reg_id: Number(binding.regId) || 0,
  };
}

/** What a parameter of ours says, in Unicode. */
function keptText({ extra }: Binding, column: string): string | undefined {
  const said = extra.find(({ name }) => name === `${PREFIX}${column}`)?.value;
  return said === undefined ? undefined : fromOctets(unquote(said));
}

/** The contact that a row is; what the row has no column for stays as it was. */
function bindingOf(row: Row, before: Binding | undefined): Binding {
  const text = (name: string) => {
    const value = row[name];
    return value === null || value === undefined || value === '' ? undefined : toOctets(String(value));
  };
  const uri = text('contact');
  if (uri === undefined) throw new SqlError('23514', 'contact: expected a SIP URI');
  const expires = localTime(String(row.expires));
  const modified = localTime(String(row.last_modified));
  const instance = text('instance');
  const q = Number(row.q ?? -1);
  const parameters: Parameter[] = (before?.parameters ?? []).filter(isOther);
  if (instance !== undefined)
    parameters.push({ name: '+sip.instance', value: quote(instance.replace(/^"|"$/g, '')) });
  if (Number(row.reg_id) > 0) parameters.push({ name: 'reg-id', value: String(row.reg_id) });
  if (q >= 0) parameters.push({ name: 'q', value: String(Math.min(1, Math.round(q * 1000) / 1000)) });
  const path = text('path');
  const extra = KEPT.flatMap(([column, byDefault]): Parameter[] => {
    const value = row[column] ?? null;
    return value === byDefault || value === null
      ? []
      : [{ name: `${PREFIX}${column}`, value: quote(toOctets(String(value))) }];
  });
  // A list as it is written there, and here not.
  const listed = path === undefined ? undefined : splitList(path);
  if (path !== undefined && listed?.join(', ') !== path)
    extra.push({ name: `${PREFIX}path`, value: quote(path) });
  return {
    uri,
    displayName: before?.displayName,
    parameters,
    instance: instance?.replace(/^"|"$/g, ''),
    regId: Number(row.reg_id) > 0 ? String(row.reg_id) : undefined,
    expiresAt: expires === PERMANENT_MS || expires === undefined ? undefined : expires,
    received: text('received'),
    path: listed,
    callId: text('callid'),
    cseq: Number(row.cseq ?? 1),
    userAgent: text('user_agent'),
    socket: text('socket'),
    modified,
    extra,
    line: 0,
  };
}
