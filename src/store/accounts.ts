// Who there is and whether he may: NSS, /etc/sr/shadow and the expiry of /etc/shadow, each looked at again when it changes.

import { isLocked, parseShadow, type ShadowEntry } from '../home/shadow.ts';
import type { Identity } from '../unix/as-user.ts';
import { watchChanges } from '../unix/change-watch.ts';
import type { Account } from '../unix/nss.ts';
import { createNssCache } from '../unix/nss-cache.ts';
import { fileVersionAt, readRootFile } from '../unix/root-file.ts';
import { accountExpiry } from '../unix/shadow-expiry.ts';
import { type AccessRules, refusalOf } from './access.ts';
import type { Answer } from './store.ts';

/** Root's say over accounts; no user can edit it. */
export const ROOT_SHADOW = '/etc/sr/shadow';

const HOST_SHADOW = '/etc/shadow';
const MAX_EXPIRIES = 20_000;
const MAX_KNOWN = 20_000;
const DAY_MS = 86_400_000;
const MAX_SHADOW_BYTES = 16 * 1024 * 1024;
/** Answers of sources that cannot be watched (LDAP, sssd) hold this long: who loses his group is out within a minute. */
const NSS_TTL_MS = 60_000;

/** One account as it is now. */
export interface Looked {
  readonly account: Account;
  readonly identity: Identity;
  /** MinUid, Allow and Deny rules, and the account's own expiry (sp_expire). */
  readonly admission: Answer;
  /** Locked or expired by root in /etc/sr/shadow; everyone is while that file cannot be read. */
  readonly isLocked: boolean;
}

/** The accounts of this host as the rules see them. All functions are synchronous. */
export interface Accounts {
  /** Looks whether the host's files changed: once before what was received so far is served. */
  notice(): void;
  /** An account as of the last `notice`; undefined: there is none. Throws NssError when NSS fails. Never within asUser. */
  look(name: string): Looked | undefined;
  /** The names of its UNIX groups, the primary one first. Throws NssError. */
  groupNamesOf(account: Account): readonly string[];
  close(): void;
}

/** What holds until the host's files change, and for NSS_TTL_MS. */
type Known = Omit<Looked, 'isLocked'> & { readonly atMs: number };

/** Looks at accounts through NSS; with `own` there is that account alone, and root's files do not apply. */
export function createAccounts(
  rules: AccessRules,
  own: Account | undefined,
  onFault: (text: string) => void,
): Accounts {
  const nss = createNssCache({ ttlMs: NSS_TTL_MS });
  const watch = watchChanges([ROOT_SHADOW, HOST_SHADOW]);
  let shadowVersion: string | undefined;
  let shadowRead = false;
  let shadow: ReadonlyMap<string, ShadowEntry> = new Map();
  let shadowUnreadable = false;
  const expiries = new Map<string, number | undefined>();
  let expiryVersion: string | undefined;
  let expiryReadMs = 0;
  const known = new Map<string, Known>();

  function notice(): void {
    if (nss.notice()) known.clear();
    if (!watch.mayHaveChanged()) return;
    const rootVersion = fileVersionAt(ROOT_SHADOW);
    if (rootVersion !== shadowVersion || !shadowRead || shadowUnreadable) readShadow(rootVersion);
    const hostVersion = fileVersionAt(HOST_SHADOW);
    if (hostVersion === expiryVersion) return;
    expiryVersion = hostVersion;
    expiries.clear();
    known.clear();
  }

  function readShadow(version: string | undefined): void {
    const file = readRootFile(ROOT_SHADOW, { private: true, maxBytes: MAX_SHADOW_BYTES, uid: 0 });
    shadowRead = true;
    shadowVersion = version;
    shadowUnreadable = false;
    if (file === undefined) {
      shadow = new Map();
    } else if ('type' in file) {
      shadowUnreadable = true;
      shadow = new Map();
      onFault(`${ROOT_SHADOW}: ${file.why}: every account counts as locked`);
    } else {
      const parsed = parseShadow(file.content, ROOT_SHADOW);
      for (const fault of parsed.faults) onFault(`${fault.path}:${fault.line}: ${fault.text}`);
      shadow = parsed.entries;
    }
  }

  /** The day of sp_expire; asked again when /etc/shadow changes, and after a while for what is not in it. */
  function expiresDay(name: string): number | undefined {
    const nowMs = performance.now();
    if (nowMs - expiryReadMs > NSS_TTL_MS || expiries.size >= MAX_EXPIRIES) {
      expiries.clear();
      expiryReadMs = nowMs;
    }
    if (expiries.has(name)) return expiries.get(name);
    const day = accountExpiry(name)?.expiresDay;
    expiries.set(name, day);
    return day;
  }

  function admit(account: Account): Answer {
    if (own === undefined) {
      const needsGroups = rules.allowGroups.length > 0 || rules.denyGroups.length > 0;
      const groups = needsGroups ? nss.groupNamesOf(account) : [];
      const refusal = refusalOf(account, groups, rules);
      if (refusal !== undefined) return { type: 'refused', why: refusal };
      const expires = expiresDay(account.name);
      if (expires !== undefined && expires * DAY_MS <= Date.now())
        return { type: 'refused', why: `account expired: chage -E -1 ${account.name}` };
    }
    return { type: 'admitted', uid: account.uid, gecos: account.gecos, home: account.home };
  }

  function isLockedByRoot(name: string): boolean {
    if (own !== undefined) return false;
    if (shadowUnreadable) return true;
    const entry = shadow.get(name);
    return entry !== undefined && isLocked(entry, new Date().toISOString().slice(0, 10));
  }

  function learn(name: string, atMs: number): Known | undefined {
    const account = own === undefined ? nss.findAccount(name) : name === own.name ? own : undefined;
    if (account === undefined) return undefined;
    const identity = { uid: account.uid, gid: account.gid, groups: nss.groupIdsOf(account) };
    const learnt = { account, identity, admission: admit(account), atMs };
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    known.set(name, learnt);
    return learnt;
  }

  function look(name: string): Looked | undefined {
    const nowMs = performance.now();
    let found = known.get(name);
    if (found === undefined || nowMs - found.atMs > NSS_TTL_MS) {
      known.delete(name);
      found = learn(name, nowMs);
    }
    if (found === undefined) return undefined;
    const { account, identity, admission } = found;
    return { account, identity, admission, isLocked: isLockedByRoot(name) };
  }

  return {
    notice,
    look,
    groupNamesOf: (account) => nss.groupNamesOf(account),
    close() {
      nss.close();
      watch.close();
    },
  };
}
