// Which calls a command is about: whose, and of what time (DESIGN §6). Root's word is about all, a user's about his own.

import {
  ALWAYS,
  intersect,
  type Period,
  parseCalendar,
  parsePeriod,
  TIME_FORMS,
} from '../../accounting/period.ts';
import { type Account, findAccount, invokingAccount } from '../../unix/nss.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { isRoot } from '../sipctl/target.ts';

/** The calls that are asked for. */
export interface Selection {
  readonly period: Period;
  /** Whose copies; undefined: the host's. */
  readonly account: Account | undefined;
}

/** Reads the options that select calls. Throws NssError. */
export function readSelection(context: Context, now: number): Selection | Refusal {
  const period = readPeriod(context, now);
  if (isRefusal(period)) return period;
  const account = readAccount(context);
  return isRefusal(account) ? account : { period, account };
}

/** The time that is asked for: what is in all that was said of it. */
export function readPeriod(context: Context, now: number): Period | Refusal {
  let period = ALWAYS;
  for (const unit of ['year', 'month', 'day'] as const) {
    if (!isSet(context, unit)) continue;
    const named = parseCalendar(unit, textOption(context, unit), now);
    if (named === undefined) return refusal(sysExit.EX_USAGE, `--${unit}: expected ${forms[unit]}`);
    period = intersect(period, named);
  }
  for (const end of ['since', 'until'] as const) {
    const text = textOption(context, end);
    const named = text === undefined ? ALWAYS : parsePeriod(text, now);
    if (named === undefined) return refusal(sysExit.EX_USAGE, `--${end}: expected ${TIME_FORMS}`);
    period = intersect(period, { ...ALWAYS, [end]: named[end] });
  }
  return period;
}

/** The account whose calls are asked for; undefined: the host's. Throws NssError. */
export function readAccount(context: Context): Account | undefined | Refusal {
  const name = textOption(context, 'user');
  if (isSet(context, 'all')) {
    return name === undefined ? undefined : refusal(sysExit.EX_USAGE, 'expected --user or --all, not both');
  }
  if (name === undefined) return isRoot() ? undefined : invokingAccount();
  const account = findAccount(name);
  if (account === undefined) return refusal(sysExit.EX_NOUSER, `user ${name} does not exist`);
  if (isRoot() || account.uid === process.geteuid?.()) return account;
  return refusal(sysExit.EX_NOPERM, `only root may see the calls of ${account.name}`);
}

const forms = { year: 'YYYY', month: 'YYYY-MM', day: 'YYYY-MM-DD, today or yesterday' } as const;
