// sipctl ban: the addresses that tried too many passwords, at the server that runs.

import { formatDuration } from '../../accounting/call-sums.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { ask, withServer } from './server-connection.ts';

/** What the method `bans` answers; `account` null: nothing of that address is heard. */
export interface Ban {
  readonly address: string;
  readonly account: string | null;
  readonly since: string;
  readonly until: string;
  readonly failures: number;
}

/** Runs `sipctl ban list` and `sipctl ban rm`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { command, report, arguments: { address } }) => {
    if (command[1] === 'rm') {
      const done = await ask<{ readonly ended: number }>(client, 'unban', { address });
      if (isRefusal(done)) return done;
      if (report.json) report.value(done);
      return sysExit.EX_OK.code;
    }
    const bans = await ask<readonly Ban[]>(client, 'bans');
    if (isRefusal(bans)) return bans;
    const now = Date.now();
    if (report.json) report.value(bans);
    else if (bans.length > 0)
      await report.table(
        ['Address', 'Account', 'Failures', 'Since', 'Ends in'],
        bans.map(({ address: from, account, since, until, failures }) => [
          ...[from, account ?? 'all', String(failures), since.replace('T', ' ').slice(0, 19)],
          formatDuration(Math.max(0, Date.parse(until) - now)),
        ]),
      );
    return sysExit.EX_OK.code;
  });
}
