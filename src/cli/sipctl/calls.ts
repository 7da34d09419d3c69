// sipctl calls: the calls that are going on at the server that runs.

import { formatDuration } from '../../accounting/call-sums.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { ask, withServer } from './server-connection.ts';

/** What the method `calls` answers. */
interface Calls {
  readonly calls: readonly {
    readonly start: string;
    readonly answer: string | null;
    readonly from: string;
    readonly to: string;
    readonly called: readonly string[];
  }[];
  readonly more: number;
}

/** Runs `sipctl calls`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { report, arguments: { user } }) => {
    const answer = await ask<Calls>(client, 'calls', { user });
    if (isRefusal(answer)) return answer;
    const { calls, more } = answer;
    const now = Date.now();
    if (report.json) report.value(calls);
    else if (calls.length > 0)
      await report.table(
        ['From', 'To', 'Rings', 'Since', 'State'],
        calls.map(({ start, answer: answered, from, to, called }) => [
          ...[from.replace(/^sips?:/, ''), to.replace(/^sips?:/, ''), called.join(' ')],
          formatDuration(Math.max(0, now - Date.parse(answered ?? start))),
          answered === null ? 'ringing' : 'answered',
        ]),
      );
    if (more > 0) report.warning(`${more} more calls are not shown`);
    return sysExit.EX_OK.code;
  });
}
