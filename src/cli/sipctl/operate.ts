// sipctl reload, stop, log: what is told to the server that runs.

import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { ask, withServer } from './server-connection.ts';

/** Runs `sipctl reload`, `sipctl stop` or `sipctl log`; `stop` returns when the server is gone. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { command, arguments: { level } }) => {
    const [method = ''] = command;
    const done = await ask(client, method, level === undefined ? {} : { level });
    if (isRefusal(done)) return done;
    if (method === 'stop') await client.closed;
    return sysExit.EX_OK.code;
  });
}
