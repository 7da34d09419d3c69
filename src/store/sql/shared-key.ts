// The secret behind nonces and routes that servers of one database share, so that one can speak for another.

import { randomBytes } from 'node:crypto';
import { type Database, DatabaseFault } from './database.ts';

export const KEY_TABLE = 'sr_key';
const KEY_BYTES = 32;

/** Reads the key; where there is none it is made. */
export async function sharedKey(database: Database): Promise<Buffer> {
  const stored = () =>
    database.run((db) =>
      db.selectFrom(KEY_TABLE).select('value').where('name', '=', 'key').executeTakeFirst(),
    );
  let row = await stored();
  if (row === undefined) {
    await database.insertNew(KEY_TABLE, [{ name: 'key', value: randomBytes(KEY_BYTES).toString('hex') }]);
    row = await stored();
  }
  const key = Buffer.from(String(row?.value), 'hex');
  if (key.length === KEY_BYTES) return key;
  throw new DatabaseFault(`${KEY_TABLE}: expected ${2 * KEY_BYTES} hexadecimal digits in the row key`);
}
