// ~/.sr/passwd as Kamailio's `subscriber`, a row a user for this realm, and as auth_db's `credentials`, a row a line.

import { createHash } from 'node:crypto';
import { type Credential, isEnabled, parsePasswd } from '../../home/passwd.ts';
import { plainPassword } from '../../home/password-form.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { keyOfLine } from '../../store/home-tables.ts';
import type { Homes } from '../homes.ts';
import type { Column, Row, Table } from '../table.ts';
import { SqlError } from '../wire.ts';
import { byOwner, rowsOfUsers } from './owned.ts';

const LOAD_SER = 1;
const DISABLED = 2;

const SUBSCRIBER: readonly Column[] = [
  { name: 'id', type: 'int4' },
  { name: 'username', type: 'text', default: '' },
  { name: 'domain', type: 'text', default: '' },
  { name: 'password', type: 'text', default: '', isSecret: true },
  { name: 'ha1', type: 'text', default: '', isSecret: true },
  { name: 'ha1b', type: 'text', default: '', isSecret: true },
];

const CREDENTIALS: readonly Column[] = [
  { name: 'id', type: 'int4' },
  { name: 'auth_username', type: 'text' },
  { name: 'did', type: 'text', default: '_default' },
  { name: 'realm', type: 'text' },
  { name: 'password', type: 'text', default: '', isSecret: true },
  { name: 'flags', type: 'int4', default: LOAD_SER },
  { name: 'ha1', type: 'text', default: '', isSecret: true },
  { name: 'ha1b', type: 'text', default: '', isSecret: true },
  { name: 'uid', type: 'text', default: '' },
];

/** Kamailio's table; `canWrite`: rows may be added, changed and taken away. */
export function subscriberTable(homes: Homes, realm: string, canWrite: boolean): Table {
  const base = {
    name: 'subscriber',
    columns: SUBSCRIBER,
    owner: 'username',
    key: ['username', 'domain'],
    rows: (users: readonly string[] | undefined) =>
      rowsOfUsers(homes, users, 'passwd', (user, { content }) =>
        credentialsOf(content, user)
          .filter((credential) => credential.realm === realm && isEnabled(credential))
          .slice(0, 1)
          .map((credential) => ({
            id: idOf(credential),
            username: user,
            domain: fromOctets(credential.realm),
            ...secretsOf(credential),
          })),
      ),
  };
  const mapping = {
    owner: 'username',
    credentialOf: (row: Row) => {
      if (toOctets(String(row.domain)) !== realm)
        throw new SqlError('23514', `domain "${row.domain}": only ${fromOctets(realm)} is served here`);
      return credentialOf(row, 'username', 'domain', '_default', LOAD_SER);
    },
  };
  return canWrite ? { ...base, ...writing(homes, mapping) } : base;
}

/** SIP Express Router's table. */
export function credentialsTable(homes: Homes, canWrite: boolean): Table {
  const base = {
    name: 'credentials',
    columns: CREDENTIALS,
    owner: 'auth_username',
    key: ['auth_username', 'realm', 'did'],
    rows: (users: readonly string[] | undefined) =>
      rowsOfUsers(homes, users, 'passwd', (user, { content }) =>
        credentialsOf(content, user).map((credential) => ({
          id: idOf(credential),
          auth_username: user,
          did: fromOctets(credential.did),
          realm: fromOctets(credential.realm),
          flags: flagsOf(credential),
          uid: fromOctets(credential.uid),
          ...secretsOf(credential),
        })),
      ),
  };
  const mapping = {
    owner: 'auth_username',
    credentialOf: (row: Row) =>
      credentialOf(
        row,
        'auth_username',
        'realm',
        String(row.did ?? '_default'),
        Number(row.flags ?? LOAD_SER),
      ),
  };
  return canWrite ? { ...base, ...writing(homes, mapping) } : base;
}

interface Mapping {
  readonly owner: string;
  readonly credentialOf: (row: Row) => Credential;
}

/** Changes of passwd as sippasswd makes them; hashes that a row does not have are gone, since they would not fit. */
function writing(
  homes: Homes,
  { owner, credentialOf: of }: Mapping,
): Required<Pick<Table, 'insert' | 'update' | 'remove'>> {
  const change = async (set: readonly Row[], remove: readonly Row[]) => {
    const all = [
      ...set.map((row) => ({ row, isSet: true })),
      ...remove.map((row) => ({ row, isSet: false })),
    ];
    for (const [user, rows] of byOwner(all, ({ row }) => String(row[owner]))) {
      if ((await homes.read(user, 'passwd')) === undefined) throw noAccount(user);
      const credentials = rows.filter(({ isSet }) => isSet).map(({ row }) => of(row));
      const gone = rows.filter(({ isSet }) => !isSet).map(({ row }) => keyOfLine(of(row)));
      await homes.setCredentials(user, credentials, gone);
    }
  };
  return {
    insert: (rows) => change(rows, []),
    remove: (rows) => change([], rows),
    async update(changes) {
      if (changes.some(({ before, after }) => before[owner] !== after[owner]))
        throw new SqlError('0A000', 'credentials of one account cannot become those of another');
      const moved = changes.filter(({ before, after }) => keyOf(of(before)) !== keyOf(of(after)));
      await change(
        changes.map(({ after }) => after),
        moved.map(({ before }) => before),
      );
    },
  };
}

/** Rows are of accounts there are. */
export function noAccount(user: string): SqlError {
  return new SqlError(
    '23503',
    `no account ${user} of this host may use SIP`,
    `adduser ${user} && gpasswd -a ${user} sip`,
  );
}

function credentialsOf(content: string | undefined, user: string): Credential[] {
  return parsePasswd(content ?? '', { path: '', owner: toOctets(user) }).credentials;
}

function secretsOf({ password, ha1, ha1b }: Credential): Row {
  return { password: fromOctets(plainPassword(password) ?? ''), ha1, ha1b };
}

function flagsOf({ flags }: Credential): number {
  return (flags.includes('s') ? LOAD_SER : 0) | (flags.includes('d') ? DISABLED : 0);
}

function credentialOf(row: Row, user: string, realm: string, did: string, flags: number): Credential {
  const text = (name: string) => toOctets(String(row[name] ?? ''));
  const password = text('password');
  return {
    authUsername: text(user),
    realm: text(realm),
    did: toOctets(did),
    uid: text(user),
    flags: `${(flags & LOAD_SER) === 0 ? '' : 's'}${(flags & DISABLED) === 0 ? '' : 'd'}`,
    password: password === '' ? '' : `{PLAIN}${password}`,
    ha1: hash(row, 'ha1'),
    ha1b: hash(row, 'ha1b'),
    ha1Sha256: '',
    ha1bSha256: '',
    ha1Sha512_256: '',
    ha1bSha512_256: '',
    changed: new Date().toISOString().slice(0, 10),
    extra: [],
    line: 0,
  };
}

function hash(row: Row, name: string): string {
  const text = String(row[name] ?? '').toLowerCase();
  if (text === '' || /^[0-9a-f]{32}$/.test(text)) return text;
  throw new SqlError('22P02', `${name}: expected 32 hexadecimal digits`);
}

function keyOf({ authUsername, realm, did }: Credential): string {
  return `${authUsername}\n${realm}\n${did}`;
}

/** A number that stays the same: lines have none of their own. */
function idOf(credential: Credential): number {
  return createHash('sha1').update(keyOf(credential), 'latin1').digest().readUInt32BE(0) >>> 1;
}
