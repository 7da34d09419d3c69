// Many passwords at once, from user:password lines or another program's file: all are checked before any is written.

import type { Algorithm } from '../../digest/hash.ts';
import type { Fault } from '../../home/fault.ts';
import { type Credential, setCredentials } from '../../home/passwd.ts';
import { checkNewPassword } from '../../home/password-form.ts';
import type { ServerSettings } from '../../store/server-settings.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { type ImportEntry, type Imported, numberedLines } from '../import/entry.ts';
import { parseImport } from '../import/formats.ts';
import { formatTrouble, isRefusal, isTrouble, refusal, refusalOf } from '../refusal.ts';
import { readNamedFile, readStandardInput } from '../text-input.ts';
import { admissionWarning } from './admission.ts';
import { credentialOfHashes, credentialOfPassword, passwordOctets, type StoredFormat } from './credential.ts';
import { keyOf, type Scope, scopeOf, stop, type Tools, today } from './subject.ts';
import { needsRoot } from './target.ts';

const maxBytes = 64 * 1024 * 1024;

/** What will be written. */
interface Change {
  readonly account: Account;
  readonly credential: Credential;
}

/** Sets the passwords of `user:password` lines on standard input. */
export async function batchPasswords(context: Context, tools: Tools): Promise<number> {
  const denied = needsRoot('set many passwords');
  if (denied !== undefined) return stop(context, denied);
  const input = readStandardInput(maxBytes);
  if (input.type === 'unreadable') return stop(context, refusal(passwdExit.failure, input.why));
  return apply(context, tools, parseBatch(input.text), 'standard input');
}

/** Takes over the passwords of another program's file. */
export async function importPasswords(context: Context, tools: Tools): Promise<number> {
  const denied = needsRoot('import passwords');
  if (denied !== undefined) return stop(context, denied);
  const path = textOption(context, 'import') ?? '';
  const input = readNamedFile(path, maxBytes);
  if (input.type === 'unreadable') return stop(context, refusal(passwdExit.argument, input.why));
  const imported = parseImport(input.text, path);
  if (imported === undefined) {
    const text = `${path}: not a file of htdigest, Kamailio, Flexisip or Asterisk`;
    return stop(context, refusal(passwdExit.argument, text));
  }
  return apply(context, tools, imported, path);
}

function parseBatch(content: string): Imported {
  const imported: Imported = { entries: [], faults: [] };
  for (const { line, text } of numberedLines(content)) {
    if (text === '' || text.startsWith('#')) continue;
    const colon = text.indexOf(':');
    if (colon <= 0) imported.faults.push({ path: 'standard input', line, text: 'expected user:password' });
    else {
      const entry = { line, user: text.slice(0, colon), realm: undefined, ha1: {} };
      imported.entries.push({ ...entry, password: text.slice(colon + 1) });
    }
  }
  return imported;
}

async function apply(context: Context, tools: Tools, imported: Imported, path: string): Promise<number> {
  const { report } = context;
  const scope = scopeOf(context);
  if (isRefusal(scope)) return stop(context, scope);
  const format = (textOption(context, 'format') ?? 'ha1') as StoredFormat;
  const faults = [...imported.faults];
  const changes: Change[] = [];
  const seen = new Map<string, number>();
  for (const entry of imported.entries) {
    const change = await changeOf(entry, scope, format, tools, seen);
    if (typeof change === 'string') faults.push({ path, line: entry.line, text: change } satisfies Fault);
    else changes.push(change);
  }
  if (faults.length > 0) {
    for (const fault of faults.sort((one, other) => one.line - other.line)) report.fault(fault);
    return stop(context, refusal(passwdExit.failure, `${path}: nothing changed`));
  }
  return write(context, changes, tools);
}

/** What an entry changes, or why it can not be taken. */
async function changeOf(
  entry: ImportEntry,
  scope: Scope,
  format: StoredFormat,
  { settings, store }: Tools,
  seen: Map<string, number>,
): Promise<Change | string> {
  const { user, password, line } = entry;
  const account = store.find(user);
  if (account === undefined) return `user ${user} does not exist`;
  const earlier = seen.get(account.name);
  if (earlier !== undefined) return `${user} has a line already: ${earlier}`;
  seen.set(account.name, line);
  const why = password === undefined ? refusedHashes(entry, scope, settings) : checkNewPassword(password);
  if (why !== undefined) return `${user}: ${why}`;
  const current = await store.credentials(account);
  if (isTrouble(current)) return `${user}: ${formatTrouble(current)}`;
  const key = keyOf(account, scope);
  const credential =
    password === undefined
      ? credentialOfHashes(key, entry, today())
      : credentialOfPassword(key, passwordOctets(password), format, today());
  return { account, credential };
}

/** Why hashes are of no use here: made for another realm, or too few of them; undefined if they are. */
function refusedHashes(
  { realm, ha1 }: ImportEntry,
  scope: Scope,
  settings: ServerSettings,
): string | undefined {
  if (realm !== scope.realm) {
    return `the hash is for realm ${realm}, not for ${scope.realm}: only a password in plain text can be taken over`;
  }
  const given = Object.keys(ha1) as Algorithm[];
  const lacking = settings.algorithms.filter((algorithm) => !given.includes(algorithm));
  if (lacking.length === 0) return undefined;
  return `only a hash for ${given.join(', ')}, but DigestAlgorithms of /etc/sr/config names ${lacking.join(', ')}: a new password is needed`;
}

async function write(context: Context, changes: readonly Change[], tools: Tools): Promise<number> {
  const { report } = context;
  const progress = report.progress(changes.length);
  let written = 0;
  let exit: number = passwdExit.ok.code;
  for (const { account, credential } of changes) {
    const change = (content: string) => setCredentials(content, [credential]);
    const done = await tools.store.editCredentials(account, change, true);
    if (isTrouble(done)) exit = stop(context, refusalOf(context.program, done));
    else written += 1;
    progress.step();
  }
  progress.end();
  if (report.json) report.value({ written, failed: changes.length - written });
  else report.print(`${written} of ${changes.length} SIP passwords set`);
  warnOf(context, changes, tools);
  return exit;
}

function warnOf(context: Context, changes: readonly Change[], { settings, store }: Tools): void {
  if (!store.isUnix) return;
  const warnings = changes
    .map(({ account }) => admissionWarning(account, settings))
    .filter((text) => text !== undefined);
  const [first] = warnings;
  if (first === undefined) return;
  context.report.warning(
    warnings.length === 1 ? first : `${first} (and ${warnings.length - 1} more like this)`,
  );
}
