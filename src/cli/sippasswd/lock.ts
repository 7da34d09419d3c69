// Root's say over an account in /etc/sr/shadow: locked, unlocked, until when (DESIGN §2).

import { removeShadow, type ShadowEntry, setShadow } from '../../home/shadow.ts';
import { toOctets } from '../../message/octets.ts';
import { editRootShadow } from '../../store/root-shadow.ts';
import { type Context, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, refusal, refusalOf } from '../refusal.ts';
import { stop } from './subject.ts';
import { needsRoot, targetOf } from './target.ts';

/** What changes of an account's entry. */
interface Change {
  readonly locked?: boolean;
  /** YYYY-MM-DD, or never. */
  readonly expires?: string;
}

/** Locks an account. */
export async function lockAccount(context: Context): Promise<number> {
  return change(context, 'lock an account', { locked: true });
}

/** Unlocks an account; its expiry stays. */
export async function unlockAccount(context: Context): Promise<number> {
  return change(context, 'unlock an account', { locked: false });
}

/** Sets the day from which an account is locked, or takes it away. */
export async function expireAccount(context: Context): Promise<number> {
  const expires = textOption(context, 'expire') ?? '';
  if (expires !== 'never' && !isDay(expires)) {
    return stop(context, refusal(passwdExit.argument, '--expire: expected a day as YYYY-MM-DD, or never'));
  }
  return change(context, 'let an account expire', { expires });
}

async function change(context: Context, what: string, { locked, expires }: Change): Promise<number> {
  const denied = needsRoot(what);
  if (denied !== undefined) return stop(context, denied);
  const account = targetOf(context.arguments.user);
  if (isRefusal(account)) return stop(context, account);
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

/** Says whether a text is a day of the calendar. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
