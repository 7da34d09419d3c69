// Remembered answers of NSS, positive and negative, for as long as the host's files stay as they are and a few seconds.

import { watchChanges } from './change-watch.ts';
import { cString } from './libc.ts';
import type { Account } from './nss.ts';
import { findAccount, findGroupName, groupIdsOf } from './nss.ts';
import { statModifiedMs, statPath, statVersion } from './statx.ts';

/** The look-ups of nss.ts; `now` is in milliseconds. They throw NssError, which is not kept. */
export interface NssCache {
  /**
   * Looks whether the host's files changed, and then forgets everything; true when they did. Look-ups answer as of the
   * last call: it is made once for all that was received so far.
   */
  notice(): boolean;
  findAccount(name: string, now?: number): Account | undefined;
  groupIdsOf(account: Account, now?: number): readonly number[];
  /** The names of an account's groups, the primary one first; a gid without a name is left out. */
  groupNamesOf(account: Account, now?: number): readonly string[];
  /** Forgets everything. */
  clear(): void;
  /** Forgets everything and watches no more. */
  close(): void;
}

const MOST_NAMES = 10_000;
const FRESH_MS = 20;

/**
 * Makes a cache. Everything is dropped when `notice` finds that one of /etc/passwd, /etc/group, /etc/nsswitch.conf (or
 * the files of nss_wrapper; or `watch`) changed; an answer is dropped after `ttlMs`, for directories.
 */
export function createNssCache(
  options: { readonly ttlMs?: number; readonly watch?: readonly string[] } = {},
): NssCache {
  const ttlMs = options.ttlMs ?? 10_000;
  const paths = options.watch ?? watchedFiles();
  const watched = paths.map(cString);
  const versions = watched.map(() => '');
  const accounts = createMemory<string, Account>(ttlMs);
  const groupNames = createMemory<number, string>(ttlMs);
  const idLists = createMemory<string, readonly number[]>(ttlMs);
  const nameLists = createMemory<string, readonly string[]>(ttlMs);

  const clear = () => {
    for (const memory of [accounts, groupNames, idLists, nameLists]) memory.clear();
  };
  const watch = watchChanges(paths);
  const notice = () => {
    if (paths.length > 0 && !watch.mayHaveChanged()) return false;
    let hasChanged = false;
    for (let at = 0; at < watched.length; at += 1) {
      const version = versionOf(watched[at] as Buffer);
      if (version !== versions[at]) {
        // A file written this very moment may be written once more without a trace: it counts as changed next time too.
        versions[at] = version !== '' && Date.now() - statModifiedMs() < FRESH_MS ? 'fresh' : version;
        hasChanged = true;
      }
    }
    if (hasChanged) clear();
    return hasChanged;
  };
  const idsOf = (account: Account, now: number) =>
    idLists.get(`${account.gid}:${account.name}`, now, () => groupIdsOf(account)) ?? [];
  const namesOf = (account: Account, now: number) => {
    const others = idsOf(account, now).filter((gid) => gid !== account.gid);
    return [account.gid, ...others].flatMap((gid) => groupNames.get(gid, now, findGroupName) ?? []);
  };
  return {
    notice,
    findAccount: (name, now = Date.now()) => accounts.get(name, now, findAccount),
    groupIdsOf: (account, now = Date.now()) => idsOf(account, now),
    groupNamesOf(account, now = Date.now()) {
      const key = `${account.gid}:${account.name}`;
      return nameLists.get(key, now, () => namesOf(account, now)) ?? [];
    },
    clear,
    close() {
      clear();
      watch.close();
    },
  };
}

function watchedFiles(): string[] {
  const paths = ['/etc/passwd', '/etc/group', '/etc/nsswitch.conf'];
  for (const name of ['NSS_WRAPPER_PASSWD', 'NSS_WRAPPER_GROUP']) {
    const path = process.env[name];
    if (path !== undefined && path !== '') paths.push(path);
  }
  return paths;
}

/** Empty when the file can't be statted, so that its coming and going is a change too. */
function versionOf(path: Buffer): string {
  return statPath(path, true) === 0 ? statVersion() : '';
}

interface Memory<K, V> {
  get(key: K, now: number, ask: (key: K) => V | undefined): V | undefined;
  clear(): void;
}

/** Two lists, least recently used first: a flood of unknown names must not push the known ones out. */
function createMemory<K, V>(ttlMs: number): Memory<K, V> {
  const known = new Map<K, { value: V; at: number }>();
  const unknown = new Map<K, number>();
  const isCurrent = (at: number, now: number) => now >= at && now - at < ttlMs;
  return {
    get(key, now, ask) {
      const kept = known.get(key);
      if (kept !== undefined) {
        known.delete(key);
        if (isCurrent(kept.at, now)) {
          known.set(key, kept);
          return kept.value;
        }
      }
      const missed = unknown.get(key);
      if (missed !== undefined) {
        if (isCurrent(missed, now)) return undefined;
        unknown.delete(key);
      }
      const value = ask(key);
      if (value !== undefined) {
        keep(known, key, { value, at: now });
      } else if (typeof key !== 'string' || key.length <= 256) {
        keep(unknown, key, now);
      }
      return value;
    },
    clear() {
      known.clear();
      unknown.clear();
    },
  };
}

function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= MOST_NAMES) map.delete(map.keys().next().value as K);
  map.set(key, value);
}
