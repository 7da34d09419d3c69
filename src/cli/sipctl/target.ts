// Whose files a command is about: anyone's for root, one's own for everyone else (DESIGN §6).

import { type Account, findAccount, invokingAccount, NssError } from '../../unix/nss.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';

/** Whether the program is run by root. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Finds the account that is meant; a name that is not given means the invoking one. Throws NssError. */
export function targetOf(name: string | undefined): Account | Refusal {
  if (name === undefined) return invokingAccount();
  const account = findAccount(name);
  if (!isRoot() && account?.uid !== process.geteuid?.())
    return refusal(sysExit.EX_NOPERM, `only root may see and change what is ${name}'s`);
  return account ?? refusal(sysExit.EX_NOUSER, `user ${name} does not exist`);
}

/** Runs a command; a refusal, or NSS out of reach, is reported and becomes its exit code. */
export async function perform(
  context: Context,
  act: (context: Context) => Promise<number | Refusal> | number | Refusal,
): Promise<number> {
  const done = await attempt(() => act(context));
  if (!isRefusal(done)) return done;
  context.report.error(done.text);
  return done.exit;
}

async function attempt(act: () => Promise<number | Refusal> | number | Refusal): Promise<number | Refusal> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof NssError) return refusal(sysExit.EX_TEMPFAIL, error.message);
    throw error;
  }
}
