// sipacct verify: users' copies of calls beside the log of the host, which is the truth (DESIGN §2). Root only.

import { differingKeys, expectedCopies } from '../../accounting/call-copies.ts';
import type { Period } from '../../accounting/period.ts';
import { type CallRecord, formatCallRecord, parseCallRecord } from '../../home/acct.ts';
import { acctPath } from '../../store/acct-file.ts';
import { hasUserDirectory } from '../../store/user-file.ts';
import { type Account, findAccount, listAccounts } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { isRoot, perform } from '../sipctl/target.ts';
import { readCalls } from './calls.ts';
import { readPeriod } from './selection.ts';

/** A copy that is not what the log says. */
interface Difference {
  readonly user: string;
  readonly path: string;
  /** Null where there is no copy. */
  readonly line: number | null;
  readonly id: string;
  readonly text: string;
}

/** How it stands with the copies of one account. */
interface Verdict {
  readonly user: string;
  /** Copies there should be. */
  calls: number;
  missing: number;
  altered: number;
  /** Of calls that the log does not have. */
  foreign: number;
}

/** The calls of the log, as lines: values would hold the whole of its files in memory. */
interface Log {
  readonly lines: Map<string, Buffer>;
  /** By account, what `copyKey` makes of its copies. */
  readonly expected: Map<string, Set<string>>;
  /** When the first call of the log began: of what was before, it knows nothing. */
  readonly since: number;
}

/** A copy may be this late before it is missed: it waits where a home is away for a moment. */
const LATE_MS = 60_000;
const MOST_SHOWN = 100;

/** Runs `sipacct verify`. */
export function run(context: Context): Promise<number> {
  return perform(context, verify);
}

async function verify(context: Context): Promise<number | Refusal> {
  if (!isRoot()) return refusal(sysExit.EX_NOPERM, 'only root may compare copies with the log of the host');
  const now = Date.now();
  const period = readPeriod(context, now);
  if (isRefusal(period)) return period;
  const name = textOption(context, 'user');
  if (name !== undefined && findAccount(name) === undefined)
    return refusal(sysExit.EX_NOUSER, `user ${name} does not exist`);
  const log = await readLog(context, period);
  if (isRefusal(log)) return log;
  const verdicts: Verdict[] = [];
  const differences: Difference[] = [];
  let exit: number = sysExit.EX_OK.code;
  for (const account of accountsOf(log, name)) {
    const verdict = { user: account.name, calls: 0, missing: 0, altered: 0, foreign: 0 };
    const refused = await compare(context, account, { log, period, now }, verdict, differences);
    if (refused !== undefined) {
      context.report.error(refused.text);
      exit = refused.exit;
    }
    if (verdict.calls + verdict.altered + verdict.foreign > 0) verdicts.push(verdict);
  }
  await show(context, verdicts, differences);
  const isSame = verdicts.every(({ missing, altered, foreign }) => missing + altered + foreign === 0);
  return isSame ? exit : sysExit.EX_DATAERR.code;
}

async function readLog({ report }: Context, period: Period): Promise<Log | Refusal> {
  const lines = new Map<string, Buffer>();
  const expected = new Map<string, Set<string>>();
  let since = Number.POSITIVE_INFINITY;
  const refused = await readCalls(report, { period, account: undefined }, (call) => {
    const line = Buffer.from(formatCallRecord(call), 'latin1');
    const id = Buffer.from(call.id, 'latin1').toString('latin1');
    lines.set(id, line);
    since = Math.min(since, call.start);
    for (const { user, direction } of expectedCopies(call)) {
      const copies = expected.get(user);
      if (copies !== undefined) copies.add(copyKey(direction, id));
      else expected.set(Buffer.from(user).toString(), new Set([copyKey(direction, id)]));
    }
  });
  return refused ?? { lines, expected, since };
}

/** The accounts whose copies are looked at: all in the log, and all that may have copies. */
function accountsOf(log: Log, name: string | undefined): Account[] {
  const accounts = new Map<string, Account>();
  const names = name === undefined ? [...log.expected.keys()] : [name];
  for (const one of names) {
    const account = findAccount(one);
    if (account !== undefined) accounts.set(account.name, account);
  }
  if (name === undefined)
    for (const account of listAccounts()) if (hasUserDirectory(account)) accounts.set(account.name, account);
  return [...accounts.values()];
}

async function compare(
  { report }: Context,
  account: Account,
  { log, period, now }: { readonly log: Log; readonly period: Period; readonly now: number },
  verdict: Verdict,
  differences: Difference[],
): Promise<Refusal | undefined> {
  const user = account.name;
  const expected = new Set(log.expected.get(user));
  const seen = new Set<string>();
  verdict.calls = expected.size;
  const differ = (kind: 'missing' | 'altered' | 'foreign', line: number | null, id: string, text: string) => {
    verdict[kind] += 1;
    if (differences.length < MOST_SHOWN) differences.push({ user, path: acctPath(account), line, id, text });
  };
  const refused = await readCalls(report, { period, account }, (copy, line) => {
    const id = Buffer.from(copy.id, 'latin1').toString('latin1');
    const key = copyKey(copy.direction, id);
    const logged = callOf(log, id);
    if (logged === undefined) {
      if (copy.start >= log.since && copy.end < now - LATE_MS)
        differ('foreign', line, id, 'is not in the log');
      return;
    }
    expected.delete(key);
    const keys = differingKeys(logged, copy, user);
    if (seen.has(key)) differ('foreign', line, id, 'stands here a second time');
    else if (keys.length > 0) differ('altered', line, id, `differs from the log in ${keys.join(', ')}`);
    seen.add(key);
  });
  if (refused !== undefined) return refused;
  for (const key of expected) {
    const id = key.slice(key.indexOf(' ') + 1);
    if ((callOf(log, id)?.end ?? 0) < now - LATE_MS) differ('missing', null, id, 'has no copy');
  }
  return undefined;
}

function callOf(log: Log, id: string): CallRecord | undefined {
  const line = log.lines.get(id);
  return line === undefined ? undefined : (parseCallRecord(line.toString('latin1')) as CallRecord);
}

function copyKey(direction: string, id: string): string {
  return `${direction} ${id}`;
}

async function show(
  { report }: Context,
  verdicts: readonly Verdict[],
  differences: readonly Difference[],
): Promise<void> {
  if (report.json) {
    report.value({ users: verdicts, differences });
    return;
  }
  for (const { path, line, id, text } of differences)
    report.print(`${path}${line === null ? '' : `:${line}`}: call ${id} ${text}`);
  const all = verdicts.reduce((sum, { missing, altered, foreign }) => sum + missing + altered + foreign, 0);
  if (all > differences.length) report.print(`${all - differences.length} more are not listed`);
  if (verdicts.length === 0) return;
  await report.table(
    ['User', 'Calls', 'Missing', 'Altered', 'Foreign'],
    verdicts.map(({ user, calls, missing, altered, foreign }) => [user, calls, missing, altered, foreign]),
  );
}
