// The status of passwords, one line an account, after `passwd -S` (sippasswd(1), STATUS).

import { isEnabled } from '../../home/passwd.ts';
import { isLocked, type ShadowEntry } from '../../home/shadow.ts';
import { toOctets } from '../../message/octets.ts';
import { readRootShadow } from '../../store/root-shadow.ts';
import { hasUserDirectory } from '../../store/user-file.ts';
import { type Account, findGroup } from '../../unix/nss.ts';
import { type Context, isSet } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusalOf } from '../refusal.ts';
import { algorithmsOf } from './credential.ts';
import { credentialsOf, hasKey, keyOf, type Scope, scopeOf, stop, type Tools, today } from './subject.ts';
import { isRoot, needsRoot, targetOf } from './target.ts';

/** One account's status as `--json` prints it; null is unknown or not there. */
interface Status {
  readonly user: string;
  /** Usable, locked by root, expired, disabled by the user, no password. */
  readonly status: 'P' | 'L' | 'E' | 'D' | 'NP';
  readonly changed: string | null;
  /** A day, `never`, or null for all but root. */
  readonly expires: string | null;
  readonly realm: string;
  readonly did: string;
  readonly algorithms: readonly string[];
  /** Whether there is a passwd file at all. */
  readonly present: boolean;
}

/** What root says of accounts; undefined for all but root. */
type Shadow = ReadonlyMap<string, ShadowEntry> | undefined;

/** Prints the status of one account, or of all. */
export async function showStatus(context: Context, tools: Tools): Promise<number> {
  const all = isSet(context, 'all');
  const denied = all ? needsRoot('see the status of all accounts') : undefined;
  if (denied !== undefined) return stop(context, denied);
  const account = all ? undefined : targetOf(context.arguments.user, tools.store);
  if (isRefusal(account)) return stop(context, account);
  const scope = scopeOf(context, account);
  if (isRefusal(scope)) return stop(context, scope);
  const shadow = tools.store.isUnix ? shadowOf(context) : new Map();
  if (isRefusal(shadow)) return stop(context, shadow);

  if (account !== undefined) {
    const status = await statusOf(context, tools, account, scope, shadow);
    if (isRefusal(status)) return stop(context, status);
    print(context, status);
    return passwdExit.ok.code;
  }
  return showAll(context, tools, scope, shadow);
}

/** Prints those whom SIP concerns; an account that can not be looked at is reported and does not hide the others. */
async function showAll(context: Context, tools: Tools, scope: Scope, shadow: Shadow): Promise<number> {
  const { settings, store } = tools;
  const groups = store.isUnix ? settings.access.allowGroups : [];
  const members = new Set(groups.flatMap((name) => findGroup(name)?.members ?? []));
  const statuses: Status[] = [];
  let exit: number = passwdExit.ok.code;
  for (const account of await store.list()) {
    const named = shadow?.has(toOctets(account.name)) || members.has(account.name);
    if (!named && store.isUnix && !hasUserDirectory(account)) continue;
    const status = await statusOf(context, tools, account, scope, shadow);
    if (isRefusal(status)) exit = stop(context, status);
    else if (named || status.present) statuses.push(status);
  }
  if (context.report.json) context.report.value(statuses.map(shown));
  else for (const status of statuses) print(context, status);
  return exit;
}

function shadowOf(context: Context): Shadow | Refusal {
  if (!isRoot()) return undefined;
  const shadow = readRootShadow();
  if (isTrouble(shadow)) return refusalOf(context.program, shadow);
  for (const fault of shadow.faults) context.report.fault(fault);
  return shadow.entries;
}

async function statusOf(
  context: Context,
  tools: Tools,
  account: Account,
  scope: Scope,
  shadow: Shadow,
): Promise<Status | Refusal> {
  const credentials = await credentialsOf(context, tools, account);
  if (isRefusal(credentials)) return credentials;
  const key = keyOf(account, scope);
  const credential = credentials?.find((candidate) => hasKey(candidate, key));
  const entry = shadow?.get(key.user);
  return {
    user: account.name,
    status: entry?.locked
      ? 'L'
      : isLocked(entry, today())
        ? 'E'
        : credential === undefined
          ? 'NP'
          : isEnabled(credential)
            ? 'P'
            : 'D',
    changed: credential?.changed || null,
    expires: shadow === undefined ? null : (entry?.expires ?? 'never'),
    ...scope,
    algorithms: credential === undefined ? [] : algorithmsOf(credential),
    present: credentials !== undefined,
  };
}

function print(context: Context, status: Status): void {
  const { report } = context;
  const { user, changed, expires, realm, algorithms } = status;
  const words = [user, status.status, changed ?? '-', expires ?? '?', realm, algorithms.join(',') || '-'];
  if (report.json) report.value(shown(status));
  else report.print(words.join(' '));
}

function shown({ present: _, ...status }: Status): Omit<Status, 'present'> {
  return status;
}
