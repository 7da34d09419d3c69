// sipacct: an account's calls from ~/.sr/acct, listed or added up (DESIGN §2). A missing file is no calls.

import { readUserFile } from '../store/user-file.ts';
import { type Account, findAccount, invokingAccount } from '../unix/nss.ts';
import { type Context, isSet, textOption } from './command.ts';
import { sysExit } from './exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from './refusal.ts';

/** One call: what is shown of a line of acct. */
interface Call {
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly dir: string;
  readonly from: string;
  readonly to: string;
  readonly status: string;
  readonly duration: number;
}

const rules = { owners: 'user', private: false, maxBytes: 256 * 1024 * 1024 } as const;

/** Runs `report` or `list` and resolves to the exit code. */
export async function run(context: Context): Promise<number> {
  const month = monthOf(context);
  const account = isRefusal(month) ? month : accountOf(textOption(context, 'user'));
  const calls = isRefusal(account) ? account : callsOf(context, account);
  if (isRefusal(calls) || isRefusal(month) || isRefusal(account)) {
    const refused = [month, account, calls].find(isRefusal) as Refusal;
    context.report.error(refused.text);
    return refused.exit;
  }
  const wanted = month === undefined ? calls : calls.filter(({ start }) => start.startsWith(`${month}-`));
  await (context.command[0] === 'list' ? list(context, wanted) : report(context, wanted));
  return sysExit.EX_OK.code;
}

async function list({ report: output }: Context, calls: readonly Call[]): Promise<void> {
  if (output.json) return output.value(calls);
  const rows = calls.map(({ start, dir, from, to, status, duration }) => [
    start,
    dir,
    from,
    to,
    status,
    duration,
  ]);
  await output.table(['START', 'DIR', 'FROM', 'TO', 'STATUS', 'SECONDS'], rows);
}

async function report({ report: output }: Context, calls: readonly Call[]): Promise<void> {
  const sums = new Map<string, { dir: string; status: string; calls: number; seconds: number }>();
  for (const { dir, status, duration } of calls) {
    const key = `${dir} ${status}`;
    const sum = sums.get(key) ?? { dir, status, calls: 0, seconds: 0 };
    sums.set(key, sum);
    sum.calls += 1;
    sum.seconds = Math.round((sum.seconds + duration) * 1000) / 1000;
  }
  const rows = [...sums.keys()].sort().flatMap((key) => sums.get(key) ?? []);
  if (output.json) return output.value(rows);
  const cells = rows.map(({ dir, status, calls: count, seconds }) => [dir, status, count, seconds]);
  await output.table(['DIR', 'STATUS', 'CALLS', 'SECONDS'], cells);
}

/** The month asked for, as YYYY-MM; undefined means all of the time. */
function monthOf(context: Context): string | undefined | Refusal {
  if (!isSet(context, 'month')) return undefined;
  const month = textOption(context, 'month') ?? new Date().toISOString().slice(0, 7);
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return month;
  return refusal(sysExit.EX_USAGE, '--month: expected YYYY-MM');
}

function accountOf(name: string | undefined): Account | Refusal {
  const account = name === undefined ? invokingAccount() : findAccount(name);
  if (account === undefined) return refusal(sysExit.EX_NOUSER, `user ${name} does not exist`);
  if (process.geteuid?.() === 0 || account.uid === process.getuid?.()) return account;
  return refusal(sysExit.EX_NOPERM, `only root may see the calls of ${account.name}`);
}

function callsOf(context: Context, account: Account): Call[] | Refusal {
  const content = readUserFile(account, { name: 'acct', rules, strictModes: true });
  if (isTrouble(content)) return refusalOf(context.program, content);
  const lines = Buffer.from(content ?? '', 'latin1')
    .toString('utf8')
    .split('\n');
  // The last line is empty, or one that is being written.
  lines.pop();
  return lines.flatMap((text, index) => {
    const call = text === '' || text.startsWith('#') ? undefined : parseCall(text);
    if (call !== null) return call ?? [];
    context.report.fault({
      path: `${account.home}/.sr/acct`,
      line: index + 1,
      text: 'expected a call as a JSON object',
    });
    return [];
  });
}

/** Reads a line; null if it is none. */
function parseCall(text: string): Call | null {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || typeof value.start !== 'string') return null;
  const word = (key: string) => (typeof value[key] === 'string' ? (value[key] as string) : '');
  const duration = typeof value.duration === 'number' ? value.duration : 0;
  return {
    start: value.start,
    dir: word('dir'),
    from: word('from'),
    to: word('to'),
    status: word('status'),
    duration,
  };
}
