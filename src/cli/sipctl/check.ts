// sipctl check: walks the way of a registration as the server would, and stops at the first step that fails (DESIGN §4).

import { findAccount, invokingAccount } from '../../unix/nss.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal } from '../refusal.ts';
import { accountSteps, type Step } from './check-steps.ts';
import { isRoot, perform, targetOf } from './target.ts';

/** Runs `sipctl check`. */
export function run(context: Context): Promise<number> {
  return perform(context, check);
}

function check(context: Context): number | Refusal {
  const { report } = context;
  const account = isRoot() ? find(context.arguments.user) : targetOf(context.arguments.user);
  if (isRefusal(account)) return account;
  const user = account?.name ?? context.arguments.user ?? '';
  const steps: Step[] = [];
  for (const step of accountSteps(user, account, report)) {
    steps.push(step);
    if (!report.json) print(context, step);
    if (step.status === 'fail') break;
  }
  const ok = steps.at(-1)?.status !== 'fail';
  if (report.json) report.value({ user, ok, steps });
  return ok ? sysExit.EX_OK.code : sysExit.EX_CONFIG.code;
}

/** An account that does not exist is the first thing that can be wrong, not an error. */
function find(name: string | undefined) {
  return name === undefined ? invokingAccount() : findAccount(name);
}

function print({ report }: Context, { step, status, detail, mend }: Step): void {
  const word = { ok: 'ok', fail: 'FAIL', unknown: '?' }[status];
  report.print(`${word.padEnd(5)} ${step.padEnd(9)} ${detail}`);
  if (mend !== undefined) report.print(`      mend it:  ${mend}`);
}
