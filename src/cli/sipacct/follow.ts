// sipacct follow: calls as they end, like tail -f (DESIGN §6).

import { setTimeout as wait } from 'node:timers/promises';
import { type CallRecord, formatCallRecord } from '../../home/acct.ts';
import { hostAcctPath, openHostAcct, openUserAcct } from '../../store/acct-file.ts';
import { AcctFollower } from '../../store/acct-follower.ts';
import { type Context, textOption } from '../command.ts';
import { isRefusal, isTrouble, type Refusal, refusalOf } from '../refusal.ts';
import { perform } from '../sipctl/target.ts';
import { callHead, callLine } from './call-line.ts';
import { strictModesFor } from './calls.ts';
import { lastOf, readCount } from './list.ts';
import { readAccount } from './selection.ts';

const POLL_MS = 200;
const FIRST_LINES = 10;

/** Runs `sipacct follow`: until it is interrupted, or the file can't be read any more. */
export function run(context: Context): Promise<number> {
  return perform(context, follow);
}

async function follow(context: Context): Promise<Refusal> {
  const { report } = context;
  const most = readCount(textOption(context, 'lines') ?? String(FIRST_LINES));
  if (isRefusal(most)) return most;
  const account = readAccount(context);
  if (isRefusal(account)) return account;
  const strictModes = account === undefined || strictModesFor(account);
  const form = { isHosts: account === undefined, columns: report.columns };
  const show = {
    take(call: CallRecord) {
      if (report.json) report.print(formatCallRecord(call));
      else report.lines([callLine(call, form)]);
    },
    end() {},
  };
  const first = lastOf(show, most ?? FIRST_LINES);
  let isFirst = true;
  const follower = new AcctFollower(
    () => (account === undefined ? openHostAcct(hostAcctPath) : openUserAcct(account, strictModes)),
    {
      call: (call) => (isFirst ? first : show).take(call),
      // What is wrong with lines from before is what `list` is asked for.
      fault: (fault) => isFirst || report.fault(fault),
    },
  );
  if (!report.json) report.lines([callHead(form)]);
  for (;;) {
    const trouble = follower.poll();
    if (isTrouble(trouble)) {
      follower.close();
      return refusalOf(context.program, trouble);
    }
    if (isFirst) first.end();
    isFirst = false;
    await wait(POLL_MS);
  }
}
