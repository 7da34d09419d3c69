// sipctl user: the accounts that the rules of the server admit, and how it stands with them (DESIGN §6).

import { parsePasswd } from '../../home/passwd.ts';
import { isLocked, type ShadowEntry } from '../../home/shadow.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { readContacts } from '../../store/contacts-file.ts';
import { credentialsPath, readCredentials } from '../../store/credentials-file.ts';
import { readRootShadow } from '../../store/root-shadow.ts';
import { type Account, findAccount, findGroup, invokingAccount, listAccounts } from '../../unix/nss.ts';
import { accountExpiry } from '../../unix/shadow-expiry.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { formatTrouble, isRefusal, isTrouble, type Refusal, refusalOf } from '../refusal.ts';
import { isExpired } from './contact-view.ts';
import { passwordState } from './password-state.ts';
import { readSettings, type ToolSettings } from './settings.ts';
import { isRoot, perform, targetOf } from './target.ts';

/** An account as `--json` has it; null is what only root can know, or what could not be read. */
interface UserView {
  readonly user: string;
  readonly uid: number;
  readonly name: string;
  readonly home: string;
  /** The names of its groups, the primary one first. */
  readonly groups: readonly string[];
  /** Why the server refuses it; null: it is admitted. */
  readonly refused: string | null;
  readonly realm: string;
  readonly password: 'set' | 'none' | 'other realm' | 'other did' | 'disabled' | 'incomplete' | null;
  /** Live contacts. */
  readonly contacts: number | null;
  readonly locked: boolean | null;
  readonly expired: boolean | null;
}

/** What root says of accounts; undefined for all but root. */
type Shadow = ReadonlyMap<string, ShadowEntry> | undefined;

const dayMs = 86_400_000;

/** Runs `sipctl user list|show`. */
export function run(context: Context): Promise<number> {
  return perform(context, context.command.at(-1) === 'show' ? show : list);
}

async function list(context: Context): Promise<number | Refusal> {
  const shadow = readShadow(context);
  if (isRefusal(shadow)) return shadow;
  const self = isRoot() ? undefined : invokingAccount();
  const settings = readSettings(context.report, self);
  const accounts = self === undefined ? everyone(settings) : [self];
  const views: UserView[] = [];
  const complaints: string[] = [];
  const progress = context.report.progress(accounts.length);
  for (const account of accounts) {
    if (settings.refusalOf(account) === undefined)
      views.push(viewOf(account, settings, shadow, (text) => complaints.push(text)));
    progress.step();
  }
  progress.end();
  for (const text of complaints) context.report.error(text);
  if (context.report.json) context.report.value(views);
  else if (views.length > 0)
    await context.report.table(
      ['User', 'Uid', 'Name', 'Password', 'Contacts', 'State'],
      views.map((view) => [
        view.user,
        view.uid,
        view.name,
        view.password ?? '?',
        view.contacts ?? '?',
        stateOf(view),
      ]),
    );
  return complaints.length > 0 ? sysExit.EX_NOPERM.code : sysExit.EX_OK.code;
}

function show(context: Context): number | Refusal {
  const account = targetOf(context.arguments.user);
  if (isRefusal(account)) return account;
  const shadow = readShadow(context);
  if (isRefusal(shadow)) return shadow;
  const settings = readSettings(context.report, account);
  let unreadable = false;
  const view = viewOf(account, settings, shadow, (text) => {
    unreadable = true;
    context.report.error(text);
  });
  if (context.report.json) context.report.value(view);
  else {
    const lines = {
      User: view.user,
      Uid: view.uid,
      Name: view.name,
      Home: view.home,
      Groups: view.groups.join(' '),
      Admitted: view.refused === null ? 'yes' : `no: ${view.refused}`,
      Realm: view.realm,
      Password: view.password ?? '?',
      Contacts: view.contacts ?? '?',
      State: stateOf(view),
    };
    for (const [name, value] of Object.entries(lines)) context.report.print(`${name}: ${value}`.trimEnd());
  }
  return unreadable ? sysExit.EX_NOPERM.code : sysExit.EX_OK.code;
}

/** All accounts that NSS enumerates, and the members of AllowGroups, which directories name without enumerating them. */
function everyone(settings: ToolSettings): Account[] {
  const accounts = new Map(listAccounts().map((account) => [account.name, account]));
  for (const group of settings.server.access.allowGroups)
    for (const name of findGroup(group)?.members ?? []) {
      const account = accounts.has(name) ? undefined : findAccount(name);
      if (account !== undefined) accounts.set(name, account);
    }
  return [...accounts.values()];
}

function readShadow(context: Context): Shadow | Refusal {
  if (!isRoot()) return undefined;
  const shadow = readRootShadow();
  if (isTrouble(shadow)) return refusalOf(context.program, shadow);
  for (const fault of shadow.faults) context.report.fault(fault);
  return shadow.entries;
}

function viewOf(
  account: Account,
  settings: ToolSettings,
  shadow: Shadow,
  complain: (text: string) => void,
): UserView {
  const { server, strictModes } = settings;
  const owner = toOctets(account.name);
  const now = Date.now();
  const credentials = readCredentials(account, strictModes);
  const contacts = readContacts(account, strictModes);
  for (const read of [credentials, contacts]) if (isTrouble(read)) complain(formatTrouble(read));
  const password = isTrouble(credentials)
    ? null
    : passwordState(
        parsePasswd(credentials ?? '', { path: credentialsPath(account), owner }).credentials,
        server,
      ).type;
  const entry = shadow?.get(owner);
  const today = new Date(now).toISOString().slice(0, 10);
  const expiresDay = shadow === undefined ? undefined : accountExpiry(account.name).expiresDay;
  return {
    user: account.name,
    uid: account.uid,
    name: account.gecos.split(',', 1)[0] ?? '',
    home: account.home,
    groups: settings.groupsOf(account),
    refused: settings.refusalOf(account) ?? null,
    realm: fromOctets(server.realm),
    password: password === null ? null : words[password],
    contacts: isTrouble(contacts)
      ? null
      : contacts.fold.bindings.filter((binding) => !isExpired(binding, now)).length,
    locked: shadow === undefined ? null : entry?.locked === true,
    expired:
      shadow === undefined
        ? null
        : (entry?.locked !== true && isLocked(entry, today)) ||
          (expiresDay !== undefined && expiresDay * dayMs <= now),
  };
}

const words = {
  set: 'set',
  none: 'none',
  'other-realm': 'other realm',
  'other-did': 'other did',
  disabled: 'disabled',
  incomplete: 'incomplete',
} as const;

function stateOf({ locked, expired }: UserView): string {
  if (locked === null) return '?';
  if (locked) return 'locked';
  return expired ? 'expired' : 'ok';
}
