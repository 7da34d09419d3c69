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
import { appendContacts, type ContactsFile, contactsPath, readContacts } from '../../store/contacts-file.ts';
import { type Account, listAccounts } from '../../unix/nss.ts';
import type { Trouble } from '../../unix/trouble.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { formatTrouble, isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { meansContact, readContactArgument, replacedBy } from './contact-argument.ts';
import { refuseHere } from './contact-host.ts';
import { contactTable, isExpired, viewOf } from './contact-view.ts';
import { readSettings, type ToolSettings, userSettings } from './settings.ts';
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
  if (action === 'add') return add(context);
  if (action === 'rm') return remove(context);
  const read = readAsked(context);
  if (isRefusal(read)) return read;
  for (const { fold } of read.contacts) for (const fault of fold.faults) context.report.fault(fault);
  if (action === 'dump') dump(context, read.contacts);
  else await show(context, read.contacts);
  return read.exit;
}

/** Reads the contacts of the account that is named; by root, without a name, those of all that have any. */
function readAsked(context: Context): { contacts: Contacts[]; exit: number } | Refusal {
  const { user } = context.arguments;
  if (user === undefined && isRoot()) return readAll(context);
  const account = targetOf(user);
  if (isRefusal(account)) return account;
  const { strictModes } = readSettings(context.report, account);
  const file = readContacts(account, strictModes);
  if (isTrouble(file)) return refusalOf(context.program, file);
  return { contacts: [{ account, ...file }], exit: sysExit.EX_OK.code };
}

/** An account that can't be read is reported if the rules admit it: daemons have homes that nobody would trust. */
function readAll(context: Context): { contacts: Contacts[]; exit: number } {
  const settings = readSettings(context.report);
  const accounts = listAccounts();
  const contacts: Contacts[] = [];
  const troubles: Trouble[] = [];
  const progress = context.report.progress(accounts.length);
  for (const account of accounts) {
    const file = readContacts(account, settings.strictModes);
    if (isTrouble(file)) {
      if (settings.refusalOf(account) === undefined) troubles.push(file);
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
function dump(context: Context, contacts: readonly Contacts[]): void {
  const lines = contacts.flatMap(({ account, content, fold }) => {
    const all = splitLines(content).lines;
    return fold.bindings.map(({ line }) => ({
      user: account.name,
      path: contactsPath(account),
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

function add(context: Context): number | Refusal {
  const { user, contact = '' } = context.arguments;
  const account = targetOf(user);
  if (isRefusal(account)) return account;
  const settings = readSettings(context.report, account);
  const now = Date.now();
  const binding = readContactArgument(contact, refuseHere(settings.server.keywords.Listen ?? []), now);
  if (typeof binding === 'string') return refusal(sysExit.EX_DATAERR, `${contact}: ${binding}`);
  const line = formatBinding(binding);
  if (line.length > longestLine)
    return refusal(sysExit.EX_DATAERR, `${contact}: expected at most ${longestLine} bytes`);
  const most = maxContacts(settings, account);
  if (isTrouble(most)) return refusalOf(context.program, most);
  let full = false;
  const written = appendContacts(
    account,
    ({ bindings }) => {
      const live = bindings.filter((old) => !isExpired(old, now));
      const old = replacedBy(binding, live);
      full = live.length - old.length >= most;
      if (full) return [];
      const gone = old.filter((one) => bindingKey(one) !== bindingKey(binding));
      return [...gone.map((one) => formatRemoval(one, { at: now })), line];
    },
    { strictModes: settings.strictModes, create: true },
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

function remove(context: Context): number | Refusal {
  const { user, contact } = context.arguments;
  const account = targetOf(user);
  if (isRefusal(account)) return account;
  const settings = readSettings(context.report, account);
  const now = Date.now();
  let removed: readonly Binding[] = [];
  const written = appendContacts(
    account,
    (fold) => {
      removed = meant(fold, contact);
      return removed.map((binding) => formatRemoval(binding, { at: now }));
    },
    { strictModes: settings.strictModes },
  );
  // No directory, no contacts.
  if (isTrouble(written) && written.kind !== 'missing') return refusalOf(context.program, written);
  if (removed.length === 0 && contact !== undefined)
    return refusal(sysExit.EX_UNAVAILABLE, `${account.name} has no contact ${contact}`);
  if (context.report.json) context.report.value(removed.map((binding) => viewOf(account.name, binding, now)));
  return sysExit.EX_OK.code;
}

function meant({ bindings }: UsrlocFold, contact: string | undefined): readonly Binding[] {
  return contact === undefined ? bindings : bindings.filter((binding) => meansContact(contact, binding));
}
