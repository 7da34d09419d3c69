// sipctl drop: takes contacts away through the server that runs.

import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { ask, withServer } from './server-connection.ts';

/** Runs `sipctl drop`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { report, arguments: { user, contact } }) => {
    const dropped = await ask<readonly string[]>(client, 'drop', { user, contact });
    if (isRefusal(dropped)) return dropped;
    if (report.json) report.value(dropped);
    else for (const uri of dropped) report.print(`dropped ${uri}`);
    return sysExit.EX_OK.code;
  });
}
