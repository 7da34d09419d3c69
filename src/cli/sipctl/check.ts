// sipctl check: walks the way of a registration as the server would, and stops at the first step that fails (DESIGN §4).
// With --call two phones then do it.

import { findAccount, invokingAccount } from '../../unix/nss.ts';
import { type Context, isSet } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal } from '../refusal.ts';
import { banSteps } from './check-bans.ts';
import { callSteps } from './check-call.ts';
import { accountSteps, type Step } from './check-steps.ts';
import { loadSettings } from './settings.ts';
import { isRoot, perform, targetOf } from './target.ts';

/** Runs `sipctl check`. */
export function run(context: Context): Promise<number> {
  return perform(context, check);
}

async function check(context: Context): Promise<number | Refusal> {
  const { report } = context;
  const account = isRoot() ? find(context.arguments.user) : targetOf(context.arguments.user);
  if (isRefusal(account)) return account;
  const user = account?.name ?? context.arguments.user ?? '';
  const steps: Step[] = [];
  const take = (step: Step): boolean => {
    steps.push(step);
    if (!report.json) print(context, step);
    return step.status !== 'fail';
  };
  let ok = true;
  for (const step of accountSteps(user, account, report)) {
    ok = take(step);
    if (!ok) break;
  }
  const isConfigured = ok;
  if (ok) for (const step of await banSteps(context, user)) take(step);
  if (ok && account !== undefined && isSet(context, 'call')) {
    const interruption = new AbortController();
    const interrupt = () => interruption.abort();

    for (const signal of SIGNALS) process.once(signal, interrupt);
    for await (const step of callSteps(account, loadSettings(account), interruption.signal)) ok = take(step);
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
  if (report.json) report.value({ user, ok, steps });
  if (!isConfigured) return sysExit.EX_CONFIG.code;
  return ok ? sysExit.EX_OK.code : sysExit.EX_UNAVAILABLE.code;
}

/** What they interrupt takes its contacts away first. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** An account that does not exist is the first thing that can be wrong, not an error. */
function find(name: string | undefined) {
  return name === undefined ? invokingAccount() : findAccount(name);
}

function print({ report }: Context, { step, status, detail, mend }: Step): void {
  const word = { ok: 'ok', fail: 'FAIL', unknown: '?' }[status];
  report.print(`${word.padEnd(5)} ${step.padEnd(9)} ${detail}`);
  if (mend !== undefined) report.print(`      mend it:  ${mend}`);
}
