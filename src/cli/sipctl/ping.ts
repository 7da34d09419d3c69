// sipctl ping: the round trip to the server, or to the contacts of a user.

import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { ask, withServer } from './server-connection.ts';

/** What the method `ping` answers for each contact; `rtt` in milliseconds. */
interface Pinged {
  readonly contact: string;
  readonly rtt: number | null;
  readonly why?: string;
}

/** Runs `sipctl ping`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { report, arguments: { user, contact } }) => {
    const sentMs = performance.now();
    const answer = await ask<readonly Pinged[]>(client, 'ping', { user, contact });
    if (isRefusal(answer)) return answer;
    if (user === undefined) {
      const rtt = performance.now() - sentMs;
      if (report.json) report.value({ server: true, rtt });
      else report.print(`the server answered in ${formatMs(rtt)}`);
      return sysExit.EX_OK.code;
    }
    if (report.json) report.value(answer);
    else
      for (const { contact: uri, rtt, why } of answer)
        report.print(`${uri} ${rtt === null ? why : `answered in ${formatMs(rtt)}`}`);
    return answer.some(({ rtt }) => rtt !== null) ? sysExit.EX_OK.code : sysExit.EX_UNAVAILABLE.code;
  });
}

function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}
