// wtmpdb(8), which keeps logins in a database where wtmp would run out of time in 2038: libwtmpdb.so.0, loaded where the
// host has its database.

import { existsSync } from 'node:fs';
import { cString, koffi } from './libc.ts';
import type { LoginRecord } from './wtmp.ts';

const DATABASE = '/var/lib/wtmpdb/wtmp.db';
const LIBRARY = 'libwtmpdb.so.0';
const USER_PROCESS = 3;
const SERVICE = cString('sip');

interface Wtmpdb {
  /** Times in microseconds; answers the entry's id, or less than 0. */
  login(
    database: null,
    type: number,
    user: Buffer,
    at: bigint,
    line: Buffer,
    host: Buffer,
    service: Buffer,
    error: null,
  ): number;
  logout(database: null, id: number, at: bigint, error: null): number;
  /** The id of the last entry of that line without a logout. */
  idOf(database: null, line: Buffer, error: null): number;
}

let loaded: Wtmpdb | undefined;

/** Whether this host keeps logins there. */
export function hasWtmpdb(): boolean {
  if (!existsSync(DATABASE)) return false;
  try {
    loaded ??= load();
    return true;
  } catch {
    return false;
  }
}

/** Writes records one by one, each of which is a transaction; answers how many were refused. */
export function writeWtmpdb(records: readonly LoginRecord[]): number {
  const library = loaded;
  if (library === undefined) return records.length;
  return records.filter((record) => !write(library, record)).length;
}

function write(library: Wtmpdb, { type, line, user, host, at }: LoginRecord): boolean {
  const microseconds = BigInt(Math.floor(at)) * 1000n;
  const tty = cString(line);
  if (type === 'login') {
    const [name, from] = [cString(user), cString(host)];
    return library.login(null, USER_PROCESS, name, microseconds, tty, from, SERVICE, null) >= 0;
  }
  const id = library.idOf(null, tty, null);
  return id >= 0 && library.logout(null, id, microseconds, null) >= 0;
}

function load(): Wtmpdb {
  const library = koffi().load(LIBRARY);
  const declare = <T>(name: string, result: string, parameters: string[]): T =>
    library.func(name, result, parameters) as unknown as T;
  const text = 'void *';
  return {
    login: declare('wtmpdb_login', 'int64_t', [
      ...[text, 'int', text, 'uint64_t', text, text, text],
      'void *',
    ]),
    logout: declare('wtmpdb_logout', 'int', [text, 'int64_t', 'uint64_t', 'void *']),
    idOf: declare('wtmpdb_get_id', 'int64_t', [text, text, 'void *']),
  };
}
