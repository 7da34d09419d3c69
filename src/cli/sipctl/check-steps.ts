// The steps of `sipctl check`, in the order in which a registration meets them. Each names the command that mends it.

import type { Fault } from '../../home/fault.ts';
import { formatFault } from '../../home/fault.ts';
import { parsePasswd } from '../../home/passwd.ts';
import { isLocked } from '../../home/shadow.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { ROOT_SHADOW } from '../../store/accounts.ts';
import { configPath, readUserConfig } from '../../store/config-file.ts';
import { contactsPath, readContacts, troubleWithContacts } from '../../store/contacts-file.ts';
import { credentialsPath, readCredentials } from '../../store/credentials-file.ts';
import { readRootShadow } from '../../store/root-shadow.ts';
import { troubleWithDirectory } from '../../store/user-directory.ts';
import { type Account, groupExists } from '../../unix/nss.ts';
import { accountExpiry } from '../../unix/shadow-expiry.ts';
import { shellWord, type Trouble } from '../../unix/trouble.ts';
import { isTrouble } from '../refusal.ts';
import type { Report } from '../report.ts';
import { isExpired } from './contact-view.ts';
import { type PasswordState, passwordState } from './password-state.ts';
import { loadSettings, type ToolSettings, userConfig, userSettings } from './settings.ts';
import { isRoot } from './target.ts';

/** One step. `unknown`: only root can tell. */
export interface Step {
  readonly step: string;
  readonly status: 'ok' | 'fail' | 'unknown';
  readonly detail: string;
  /** The command that mends it. */
  readonly mend?: string | undefined;
}

interface Subject {
  readonly account: Account;
  readonly settings: ToolSettings;
  /** Reports a fault that is not the reason of a failure by itself. */
  readonly fault: (fault: Fault) => void;
}

const dayMs = 86_400_000;

/** Walks the steps; whoever asks stops at the first that fails. Throws NssError. */
export function* accountSteps(user: string, account: Account | undefined, report: Report): Generator<Step> {
  const settings = loadSettings(account);
  yield settingsStep(settings, report);
  if (account === undefined) {
    yield fail('account', `there is no account ${user}`, `adduser ${shellWord(user)}`);
    return;
  }
  const { name, uid, home } = account;
  yield ok('account', `${name}, uid ${uid}, home ${home}`);
  const subject = { account, settings, fault: (fault: Fault) => report.fault(fault) };
  if (!settings.own) {
    yield rulesStep(subject);
    yield lockStep(subject);
    yield expiryStep(subject);
  }
  yield directoryStep(subject);
  yield* passwordSteps(subject);
  yield* configSteps(subject);
  yield contactsStep(subject);
}

/** A server does not start on a faulty configuration. */
function settingsStep({ faults, path, server, own }: ToolSettings, report: Report): Step {
  const [first] = faults;
  if (first !== undefined) {
    for (const fault of faults.slice(1)) report.fault(fault);
    return fail('settings', formatFault(first), first.line > 0 ? editorAt(first) : undefined);
  }
  const from = server.path === undefined ? `defaults, there is no ${path}` : path;
  const algorithms = server.algorithms.join(' ');
  return ok(
    'settings',
    `${from}: realm ${fromOctets(server.realm)}, ${algorithms}${own ? ', own server' : ''}`,
  );
}

function rulesStep({ account, settings }: Subject): Step {
  const why = settings.refusalOf(account);
  if (why === undefined) return ok('rules', `in ${settings.groupsOf(account).join(' ')}`);
  const { allowGroups } = settings.server.access;
  const [group = ''] = allowGroups;
  const end = why.indexOf(': gpasswd ');
  if (end < 0) return fail('rules', why, `vi ${settings.path}`);
  const join = why.slice(end + 2);
  const exists = allowGroups.some((name) => groupExists(name));
  return exists
    ? fail('rules', why.slice(0, end), join)
    : fail('rules', `there is no group ${group}`, `groupadd --system ${shellWord(group)} && ${join}`);
}

/** Root's say, which the server takes for a lock of everyone when it can't read it. */
function lockStep({ account, fault }: Subject): Step {
  if (!isRoot()) return unknown('lock', `only root can read ${ROOT_SHADOW}`);
  const shadow = readRootShadow();
  if (isTrouble(shadow)) return failOf('lock', shadow);
  for (const one of shadow.faults) fault(one);
  const entry = shadow.entries.get(toOctets(account.name));
  const name = shellWord(account.name);
  if (entry?.locked) return fail('lock', `locked in ${ROOT_SHADOW}`, `sippasswd -u ${name}`);
  if (isLocked(entry, new Date().toISOString().slice(0, 10)))
    return fail('lock', `expired on ${entry?.expires} in ${ROOT_SHADOW}`, `sippasswd -e never ${name}`);
  return ok('lock', entry?.expires === undefined ? 'not locked' : `not locked, expires on ${entry.expires}`);
}

function expiryStep({ account }: Subject): Step {
  if (!isRoot()) return unknown('expiry', 'only root can read /etc/shadow');
  const day = accountExpiry(account.name).expiresDay;
  if (day === undefined) return ok('expiry', 'never');
  const date = new Date(day * dayMs).toISOString().slice(0, 10);
  return day * dayMs <= Date.now()
    ? fail('expiry', `the account expired on ${date}`, `chage -E -1 ${shellWord(account.name)}`)
    : ok('expiry', date);
}

function directoryStep({ account, settings }: Subject): Step {
  const trouble = troubleWithDirectory(account, settings.strictModes);
  if (trouble === undefined) return ok('directory', `${account.home}/.sr`);
  const homeless = trouble.kind === 'missing' && trouble.path === account.home;
  return homeless
    ? fail('directory', `${trouble.path}: ${trouble.why}`, `mkhomedir_helper ${shellWord(account.name)}`)
    : failOf('directory', trouble);
}

function* passwordSteps({ account, settings, fault }: Subject): Generator<Step> {
  const path = credentialsPath(account);
  const mend = `sippasswd ${shellWord(account.name)}`;
  const content = readCredentials(account, settings.strictModes);
  if (isTrouble(content)) {
    yield failOf('passwd', content);
    return;
  }
  if (content === undefined) {
    yield fail('passwd', `${account.name} has no SIP password`, mend);
    return;
  }
  const { credentials, faults } = parsePasswd(content, { path, owner: toOctets(account.name) });
  for (const one of faults) fault(one);
  yield ok('passwd', path);
  const state = passwordState(credentials, settings.server);
  const why = passwordFault(state, account, fromOctets(settings.server.realm));
  yield why === undefined
    ? ok(
        'password',
        `for realm ${fromOctets(settings.server.realm)}, ${settings.server.algorithms.join(' ')}`,
      )
    : fail('password', why, mend);
}

function passwordFault(state: PasswordState, { name }: Account, realm: string): string | undefined {
  switch (state.type) {
    case 'set':
      return undefined;
    case 'none':
      return `${name} has no SIP password`;
    case 'other-realm':
      return `${name}'s hashes are for the realm ${state.realms.map(fromOctets).join(', ')}, the server's is ${realm}`;
    case 'other-did':
      return `UseDid: ${name}'s hashes are for the domain id ${state.dids.map(fromOctets).join(', ')} only`;
    case 'disabled':
      return state.flags.includes('d')
        ? `${name} has disabled the password: flags ${fromOctets(state.flags)}`
        : `flags ${fromOctets(state.flags)}: without s the password does not count`;
    case 'incomplete':
      return `DigestAlgorithms: ${name} has no hash for ${state.missing.join(', ')}`;
  }
}

/** Faulty lines do not count, the rest does; a file that can't be used keeps every registration out. */
function* configSteps({ account, settings, fault }: Subject): Generator<Step> {
  const path = configPath(account);
  const content = readUserConfig(account, settings.strictModes);
  if (isTrouble(content)) {
    yield failOf('config', content);
    return;
  }
  if (content === undefined) {
    yield ok('config', `none, the server's defaults`);
    return;
  }
  const { faults } = userConfig(content, path);
  for (const one of faults.slice(1)) fault(one);
  const [first] = faults;
  yield first === undefined ? ok('config', path) : fail('config', formatFault(first), editorAt(first));
}

function contactsStep({ account, settings, fault }: Subject): Step {
  const file = readContacts(account, settings.strictModes);
  if (isTrouble(file)) return failOf('contacts', file);
  const { bindings, faults } = file.fold;
  for (const one of faults.slice(1)) fault(one);
  const [first] = faults;
  if (first !== undefined) return fail('contacts', formatFault(first), editorAt(first));
  const now = Date.now();
  const live = bindings.filter((binding) => !isExpired(binding, now));
  const permanent = live.filter(({ expiresAt }) => expiresAt === undefined);
  const config = readUserConfig(account, settings.strictModes);
  const { MaxContacts } = userSettings(
    settings,
    typeof config === 'string' ? config : '',
    configPath(account),
  );
  if (permanent.length >= MaxContacts) {
    const why = `MaxContacts ${MaxContacts}: permanent contacts leave no room for a phone`;
    return fail('contacts', why, `sipctl ul rm ${shellWord(account.name)} CONTACT`);
  }
  const unwritable = troubleWithContacts(account, settings.strictModes);
  if (unwritable !== undefined)
    return fail('contacts', `${unwritable.path}: ${unwritable.why}`, mendOf(unwritable, account));
  const counts = [
    `${live.length} live`,
    permanent.length > 0 ? `${permanent.length} of them permanent` : '',
    bindings.length > live.length ? `${bindings.length - live.length} expired` : '',
  ];
  return ok('contacts', `${contactsPath(account)}: ${counts.filter((count) => count !== '').join(', ')}`);
}

/** What can be read and not be written is somebody else's, or read-only. */
function mendOf({ kind, path, mend }: Trouble, { name }: Account): string | undefined {
  if (mend !== undefined || kind === 'busy') return mend;
  const file = shellWord(path);
  return `chown ${shellWord(name)}: ${file} && chmod 600 ${file}`;
}

function editorAt({ path, line }: Fault): string {
  return `vi +${line} ${shellWord(path)}`;
}

function ok(step: string, detail: string): Step {
  return { step, status: 'ok', detail };
}

function unknown(step: string, detail: string): Step {
  return { step, status: 'unknown', detail };
}

function fail(step: string, detail: string, mend: string | undefined): Step {
  return { step, status: 'fail', detail, mend };
}

function failOf(step: string, { path, why, mend }: Trouble): Step {
  return fail(step, `${path}: ${why}`, mend);
}
