// Whose password it is, by passwd(1)'s rules: root's word holds for everyone, everyone else's for himself (DESIGN §6).

import type { ToolStore } from '../../store/tool-store.ts';
import { type Account, findAccount, invokingAccount, NssError } from '../../unix/nss.ts';
import { passwdExit } from '../exit-codes.ts';
import { type Refusal, refusal } from '../refusal.ts';

/** Whether the program is run by root. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Finds the account that is meant; a name that is not given means the invoking one, which a database does not have. */
export function targetOf(name: string | undefined, store: ToolStore): Account | Refusal {
  if (!store.isUnix) {
    const account = name === undefined ? undefined : store.find(name);
    return account ?? refusal(passwdExit.usage, 'accounts are in a database: which user?');
  }
  try {
    const self = name === undefined || !isRoot() ? invokingAccount() : undefined;
    const account = name === undefined ? self : findAccount(name);
    if (account === undefined) return refusal(passwdExit.denied, `user ${name} does not exist`);
    if (self !== undefined && account.uid !== self.uid) {
      return refusal(passwdExit.denied, `only root may do that for ${account.name}`);
    }
    return account;
  } catch (error) {
    if (error instanceof NssError) return refusal(passwdExit.failure, error.message);
    throw error;
  }
}

/** Says whether an account is the one that runs the program. */
export function isSelf(account: Account): boolean {
  return account.uid === process.getuid?.();
}

/** Refuses what only root may do. */
export function needsRoot(what: string): Refusal | undefined {
  return isRoot() ? undefined : refusal(passwdExit.denied, `only root may ${what}`);
}
