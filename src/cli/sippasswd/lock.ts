// Root's say over an account in /etc/sr/shadow: locked, unlocked, until when (DESIGN §2).

import { parsePasswd, setCredentials } from '../../home/passwd.ts';
import { removeShadow, type ShadowEntry, setShadow } from '../../home/shadow.ts';
import { toOctets } from '../../message/octets.ts';
import { editRootShadow } from '../../store/root-shadow.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, refusal, refusalOf } from '../refusal.ts';
import { stop, type Tools } from './subject.ts';
import { needsRoot, targetOf } from './target.ts';

/** What changes of an account's entry. */
interface Change {
  readonly locked?: boolean;
  /** YYYY-MM-DD, or never. */
  readonly expires?: string;
}

/** Locks an account. */
export async function lockAccount(context: Context, tools: Tools): Promise<number> {
  return change(context, tools, 'lock an account', { locked: true });
}

/** Unlocks an account; its expiry stays. */
export async function unlockAccount(context: Context, tools: Tools): Promise<number> {
  return change(context, tools, 'unlock an account', { locked: false });
}

/** Sets the day from which an account is locked, or takes it away. */
export async function expireAccount(context: Context, tools: Tools): Promise<number> {
  const expires = textOption(context, 'expire') ?? '';
  if (expires !== 'never' && !isDay(expires)) {
    return stop(context, refusal(passwdExit.argument, '--expire: expected a day as YYYY-MM-DD, or never'));
  }
  if (!tools.store.isUnix)
    return stop(context, refusal(passwdExit.argument, '--expire: accounts in a database do not expire'));
  return change(context, tools, 'let an account expire', { expires });
}

async function change(
  context: Context,
  tools: Tools,
  what: string,
  { locked, expires }: Change,
): Promise<number> {
  const denied = needsRoot(what);
  if (denied !== undefined) return stop(context, denied);
  const account = targetOf(context.arguments.user, tools.store);
  if (isRefusal(account)) return stop(context, account);
  if (!tools.store.isUnix) return disable(context, tools, account, locked === true);
  const name = toOctets(account.name);
  let entry: ShadowEntry = { name, locked: false };
  const written = editRootShadow((content, entries) => {
    const before = entries.get(name);
    const until = expires === undefined ? before?.expires : expires === 'never' ? undefined : expires;
    entry = {
      name,
      locked: locked ?? before?.locked ?? false,
      ...(until === undefined ? {} : { expires: until }),
    };
    return !entry.locked && until === undefined ? removeShadow(content, name) : setShadow(content, entry);
  });
  if (isTrouble(written)) return stop(context, refusalOf(context.program, written));
  if (context.report.json) {
    context.report.value({ user: account.name, locked: entry.locked, expires: entry.expires ?? null });
  } else {
    const until = entry.expires === undefined ? '' : `, expires ${entry.expires}`;
    context.report.print(`${account.name} ${entry.locked ? 'locked' : 'not locked'}${until}`);
  }
  return passwdExit.ok.code;
}

/** In a database a lock is the flag DISABLED of all that the user has there. */
async function disable(
  context: Context,
  { store }: Tools,
  account: Account,
  locked: boolean,
): Promise<number> {
  const { name } = account;
  let found = 0;
  const written = await store.editCredentials(
    account,
    (content) => {
      const { credentials } = parsePasswd(content, { path: '', owner: toOctets(name) });
      found = credentials.length;
      const changed = credentials.map((each) => ({
        ...each,
        flags: `${each.flags.replaceAll('d', '')}${locked ? 'd' : ''}`,
      }));
      return setCredentials(content, changed);
    },
    false,
  );
  if (isTrouble(written)) return stop(context, refusalOf(context.program, written));
  if (found === 0) return stop(context, refusal(passwdExit.missing, `${name} has no SIP password`));
  if (context.report.json) context.report.value({ user: name, locked, expires: null });
  else context.report.print(`${name} ${locked ? 'locked' : 'not locked'}`);
  return passwdExit.ok.code;
}

/** Says whether a text is a day of the calendar. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
