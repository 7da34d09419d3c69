// The store over a database (DESIGN §7): credentials in auth_db's table, contacts in `location`, calls in `acc`. Its users have
// no account on this host, no config and no groups. What cannot be asked fails, and never looks like a wrong password.

import { isEnabled } from '../../home/passwd.ts';
import { type AccessRules, refusalOf } from '../access.ts';
import { type Answer, type DigestFields, NO_FILE, type Operation, type Store, whole } from '../store.ts';
import { matchDigest, type VerifyRules } from '../verify.ts';
import { writeCalls } from './acc-table.ts';
import { type CredentialRow, databaseText, readCredentialRows } from './credentials-table.ts';
import type { Database } from './database.ts';
import type { DatabaseSettings } from './database-settings.ts';
import { contactsOf, lockOf, type Owner, readContacts, rowsOf, writeLines } from './location-table.ts';

/** What the store must know of the server's configuration. */
export interface SqlStoreSettings {
  readonly database: DatabaseSettings;
  /** Octets; of it is every credential and contact. */
  readonly realm: string;
  readonly verify: VerifyRules;
  readonly access: AccessRules;
}

/** Users whose credentials are remembered. */
const MAX_CACHED = 20_000;
const NO_ID = -1;

interface Cached {
  readonly rows: readonly CredentialRow[];
  readonly untilMs: number;
}

/** A request on its way: what it has learned of its user. */
interface Asking {
  readonly owner: Owner;
  rows: readonly CredentialRow[] | undefined;
}

/** Makes the store of a database that is open; others may be over the same. */
export function createSqlStore(database: Database, settings: SqlStoreSettings): Store {
  const { cacheMs } = settings.database;
  const domain = databaseText(settings.realm) ?? '';
  const cache = new Map<string, Cached>();

  async function run(user: string, operations: readonly Operation[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    // A name that no row can have is still asked about, as some other: that takes as long.
    const isName = user !== '' && !/[\0\ufffd]/.test(user);
    const asking: Asking = { owner: { username: isName ? user : ' ', domain }, rows: undefined };
    for (const operation of operations) {
      // What was to be written was decided on what a load has just found to be otherwise.
      if (operation.type === 'appendContacts' && answers.some(({ type }) => type === 'text')) break;
      const answer = await perform(asking, operation).catch(failed);
      answers.push(answer);
      if (answer.type === 'no' || answer.type === 'refused' || answer.type === 'failed') break;
    }
    return whole(answers, operations);
  }

  async function perform(asking: Asking, operation: Operation): Promise<Answer> {
    switch (operation.type) {
      case 'verify':
        return verify(asking, operation.credentials);
      case 'account':
        return admit(asking);
      case 'groups':
        return { type: 'groups', names: [] };
      case 'loadConfig':
        return operation.known === NO_FILE
          ? { type: 'unchanged' }
          : { type: 'text', text: undefined, version: NO_FILE };
      case 'loadContacts': {
        const contacts = await database.run((db) => readContacts(db, asking.owner));
        if (contacts.version === operation.known) return { type: 'unchanged' };
        return { type: 'text', ...contacts };
      }
      case 'appendContacts':
        return write(asking.owner, operation.after, operation.lines);
      case 'compactContacts':
        // Each contact has one row, and what is long over goes with the next that is written.
        return write(asking.owner, operation.after, []);
      case 'appendCall':
        await writeCalls(database, asking.owner, operation.lines);
        return { type: 'written', version: NO_FILE };
    }
  }

  async function verify(asking: Asking, digest: DigestFields): Promise<Answer> {
    const did = settings.verify.useDid ? await didOf(digest.did) : digest.did;
    asking.rows = await rowsFor(asking.owner);
    const rows = asking.rows;
    const credentials = rows.length === 0 ? undefined : rows.map(({ credential }) => credential);
    const match = matchDigest(credentials, { ...digest, did }, settings.verify);
    if (match.type === 'no') return match;
    const { rspauth, credential } = match;
    return {
      type: 'yes',
      rspauth,
      attributes: rows.find((row) => row.credential === credential)?.attributes ?? {},
    };
  }

  async function rowsFor(owner: Owner): Promise<readonly CredentialRow[]> {
    const nowMs = performance.now();
    const known = cache.get(owner.username);
    if (known !== undefined && known.untilMs > nowMs) return known.rows;
    cache.delete(owner.username);
    const { loadCredentials } = settings.verify;
    const rows = await readCredentialRows(database, settings.database, loadCredentials, owner);
    if (cacheMs > 0 && rows.length > 0) {
      if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
      cache.set(owner.username, { rows, untilMs: nowMs + cacheMs });
    }
    return rows;
  }

  async function admit(asking: Asking): Promise<Answer> {
    asking.rows ??= await rowsFor(asking.owner);
    const { username: name } = asking.owner;
    if (!asking.rows.some(({ credential }) => isEnabled(credential)))
      return { type: 'refused', why: 'no such user' };
    const { denyUsers, allowUsers } = settings.access;
    const rules = { minUid: NO_ID, denyUsers, allowUsers, denyGroups: [], allowGroups: [] };
    const refusal = refusalOf({ name, uid: NO_ID }, [], rules);
    if (refusal !== undefined) return { type: 'refused', why: refusal };
    return { type: 'admitted', uid: NO_ID, gecos: '', home: '' };
  }

  /** auth_db's use_did: what the table `domain` says of the domain; one it does not have is its own. */
  async function didOf(asked: string): Promise<string> {
    const name = asked === '_default' ? domain : asked;
    const row = await database.run((db) =>
      db.selectFrom('domain').select(['did']).where('domain', '=', name).executeTakeFirst(),
    );
    return row === undefined ? asked : String(row.did);
  }

  function write(owner: Owner, after: string, lines: readonly string[]): Promise<Answer> {
    return database.transact(lockOf(owner), async (db): Promise<Answer> => {
      const rows = await rowsOf(db, owner);
      if (contactsOf(rows).version !== after) return { type: 'changed' };
      return { type: 'written', version: await writeLines(db, owner, lines, rows, Date.now()) };
    });
  }

  return { run, close: () => cache.clear() };
}

function failed(error: Error): Answer {
  return { type: 'failed', why: `database: ${error.message}` };
}
