// sipctl status: what runs, since when, where it listens.

import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { formatPast } from './human-time.ts';
import { ask, withServer } from './server-connection.ts';

/** What the method `status` answers. */
interface Status {
  readonly pid: number;
  /** The only account served; null: all that the rules admit. */
  readonly account: string | null;
  readonly started: string;
  readonly realm: string | null;
  readonly listening: readonly string[];
}

/** Runs `sipctl status`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { report }) => {
    const status = await ask<Status>(client, 'status');
    if (isRefusal(status)) return status;
    if (report.json) report.value(status);
    else {
      const { pid, account, started, realm, listening } = status;
      report.print(
        `running    pid ${pid}, started ${formatPast(Date.parse(started), Date.now())} (${started})`,
      );
      report.print(`serves     ${account ?? 'the accounts of this host'}`);
      report.print(`realm      ${realm ?? ''}`);
      for (const socket of listening) report.print(`listening  ${socket}`);
    }
    return sysExit.EX_OK.code;
  });
}
