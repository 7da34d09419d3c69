// sipctl ul: an account's registered contacts, from ~/.sr/usrloc (DESIGN §6). Changes are lines appended to it.

import { splitLines } from '../../home/lines.ts';
import {
  type Binding,
  bindingKey,
  formatBinding,
  formatRemoval,
  type UsrlocFold,
} from '../../home/usrloc.ts';
import { fromOctets } from '../../message/octets.ts';
import { configPath, readUserConfig } from '../../store/config-file.ts';
import type { ContactsFile } from '../../store/contacts-file.ts';
import { openToolStore } from '../../store/open-tool-store.ts';
import type { ToolStore } from '../../store/tool-store.ts';
import { type Account, invokingAccount } from '../../unix/nss.ts';
import type { Trouble } from '../../unix/trouble.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { formatTrouble, isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { meansContact, readContactArgument, replacedBy } from './contact-argument.ts';
import { refuseHere } from './contact-host.ts';
import { contactTable, isExpired, viewOf } from './contact-view.ts';
import { loadSettings, readSettings, type ToolSettings, userSettings } from './settings.ts';
import { isRoot, perform, targetOf } from './target.ts';

/** The longest line that is read, in octets. */
const longestLine = 4096;

interface Contacts extends ContactsFile {
  readonly account: Account;
}

/** Runs `sipctl ul show|dump|add|rm`. */
export function run(context: Context): Promise<number> {
  return perform(context, act);
}

async function act(context: Context): Promise<number | Refusal> {
  const action = context.command.at(-1);
  const store = await openToolStore(loadSettings(isRoot() ? undefined : invokingAccount()).server);
  if (isTrouble(store)) return refusalOf(context.program, store);
  try {
    return await actOn(context, action, store);
  } finally {
    store.close();
  }
}

async function actOn(
  context: Context,
  action: string | undefined,
  store: ToolStore,
): Promise<number | Refusal> {
  if (action === 'add') return add(context, store);
  if (action === 'rm') return remove(context, store);
  const read = await readAsked(context, store);
  if (isRefusal(read)) return read;
  for (const { fold } of read.contacts) for (const fault of fold.faults) context.report.fault(fault);
  if (action === 'dump') dump(context, store, read.contacts);
  else await show(context, read.contacts);
  return read.exit;
}

/** Reads the contacts of the account that is named; by root, without a name, those of all that have any. */
async function readAsked(
  context: Context,
  store: ToolStore,
): Promise<{ contacts: Contacts[]; exit: number } | Refusal> {
  const { user } = context.arguments;
  if (user === undefined && isRoot()) return readAll(context, store);
  const account = subjectOf(store, user);
  if (isRefusal(account)) return account;
  readSettings(context.report, store.isUnix ? account : undefined);
  const file = await store.contacts(account);
  if (isTrouble(file)) return refusalOf(context.program, file);
  return { contacts: [{ account, ...file }], exit: sysExit.EX_OK.code };
}

/** An account that can't be read is reported if the rules admit it: daemons have homes that nobody would trust. */
async function readAll(context: Context, store: ToolStore): Promise<{ contacts: Contacts[]; exit: number }> {
  const settings = readSettings(context.report);
  const accounts = await store.listRegistered();
  const contacts: Contacts[] = [];
  const troubles: Trouble[] = [];
  const progress = context.report.progress(accounts.length);
  for (const account of accounts) {
    const file = await store.contacts(account);
    if (isTrouble(file)) {
      if (!store.isUnix || settings.refusalOf(account) === undefined) troubles.push(file);
    } else if (file.fold.bindings.length + file.fold.faults.length > 0) contacts.push({ account, ...file });
    progress.step();
  }
  progress.end();
  for (const trouble of troubles) context.report.error(formatTrouble(trouble));
  const first = troubles[0];
  return { contacts, exit: first === undefined ? 0 : refusalOf(context.program, first).exit };
}

async function show(context: Context, contacts: readonly Contacts[]): Promise<void> {
  const now = Date.now();
  const entries = contacts.flatMap(({ account, fold }) =>
    fold.bindings.map((binding) => ({ user: account.name, binding })),
  );
  if (context.report.json)
    return context.report.value(entries.map(({ user, binding }) => viewOf(user, binding, now)));
  if (entries.length === 0) return;
  const { head, rows } = contactTable(entries, now);
  await context.report.table(head, rows);
}

/** Prints the lines that count, as they stand in the file. */
function dump(context: Context, store: ToolStore, contacts: readonly Contacts[]): void {
  const lines = contacts.flatMap(({ account, content, fold }) => {
    const all = splitLines(content).lines;
    return fold.bindings.map(({ line }) => ({
      user: account.name,
      path: store.placeOf(account, 'usrloc'),
      line,
      text: fromOctets(all[line - 1] as string),
    }));
  });
  if (context.report.json) {
    context.report.value(lines);
    return;
  }
  let path = contacts.length > 1 ? '' : lines[0]?.path;
  for (const line of lines) {
    if (line.path !== path) context.report.print(`# ${line.path}`);
    path = line.path;
    context.report.print(line.text);
  }
}

async function add(context: Context, store: ToolStore): Promise<number | Refusal> {
  const { user, contact = '' } = context.arguments;
  const account = subjectOf(store, user);
  if (isRefusal(account)) return account;
  const settings = readSettings(context.report, store.isUnix ? account : undefined);
  const now = Date.now();
  const binding = readContactArgument(contact, refuseHere(settings.server.keywords.Listen ?? []), now);
  if (typeof binding === 'string') return refusal(sysExit.EX_DATAERR, `${contact}: ${binding}`);
  const line = formatBinding(binding);
  if (line.length > longestLine)
    return refusal(sysExit.EX_DATAERR, `${contact}: expected at most ${longestLine} bytes`);
  const most = store.isUnix ? maxContacts(settings, account) : settings.server.keywords.MaxContacts;
  if (isTrouble(most)) return refusalOf(context.program, most);
  let full = false;
  const written = await store.appendContacts(
    account,
    ({ bindings }) => {
      const live = bindings.filter((old) => !isExpired(old, now));
      const old = replacedBy(binding, live);
      full = live.length - old.length >= most;
      if (full) return [];
      const gone = old.filter((one) => bindingKey(one) !== bindingKey(binding));
      return [...gone.map((one) => formatRemoval(one, { at: now })), line];
    },
    true,
  );
  if (isTrouble(written)) return refusalOf(context.program, written);
  if (full)
    return refusal(sysExit.EX_CONFIG, `${account.name} has as many contacts as MaxContacts ${most} lets him`);
  if (context.report.json) context.report.value(viewOf(account.name, binding, now));
  return sysExit.EX_OK.code;
}

/** The most contacts the account may have, by its own settings and the server's. */
function maxContacts(settings: ToolSettings, account: Account): number | Trouble {
  const config = readUserConfig(account, settings.strictModes);
  return isTrouble(config) ? config : userSettings(settings, config ?? '', configPath(account)).MaxContacts;
}

async function remove(context: Context, store: ToolStore): Promise<number | Refusal> {
  const { user, contact } = context.arguments;
  const account = subjectOf(store, user);
  if (isRefusal(account)) return account;
  readSettings(context.report, store.isUnix ? account : undefined);
  const now = Date.now();
  let removed: readonly Binding[] = [];
  const written = await store.appendContacts(
    account,
    (fold) => {
      removed = meant(fold, contact);
      return removed.map((binding) => formatRemoval(binding, { at: now }));
    },
    false,
  );
  // No directory, no contacts.
  if (isTrouble(written) && written.kind !== 'missing') return refusalOf(context.program, written);
  if (removed.length === 0 && contact !== undefined)
    return refusal(sysExit.EX_UNAVAILABLE, `${account.name} has no contact ${contact}`);
  if (context.report.json) context.report.value(removed.map((binding) => viewOf(account.name, binding, now)));
  return sysExit.EX_OK.code;
}

/** Whose contacts: in a database anyone's who is named, of whoever may read the password for it. */
function subjectOf(store: ToolStore, user: string | undefined): Account | Refusal {
  if (store.isUnix) return targetOf(user);
  const account = user === undefined ? undefined : store.find(user);
  return account ?? refusal(sysExit.EX_USAGE, 'accounts are in a database: which user?');
}

function meant({ bindings }: UsrlocFold, contact: string | undefined): readonly Binding[] {
  return contact === undefined ? bindings : bindings.filter((binding) => meansContact(contact, binding));
}
