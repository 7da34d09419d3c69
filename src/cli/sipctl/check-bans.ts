// sipctl check: whether the server that runs refuses somebody as this account for wrong passwords (MaxAuthTries).

import { formatDuration } from '../../accounting/call-sums.ts';
import type { Context } from '../command.ts';
import { isRefusal } from '../refusal.ts';
import type { Ban } from './ban.ts';
import type { Step } from './check-steps.ts';
import { ask, connect } from './server-connection.ts';

/** One step an address; `ok` where there is none, and no step where no server runs that one may ask. */
export async function banSteps(context: Context, user: string): Promise<readonly Step[]> {
  const client = await connect(context);
  if (isRefusal(client)) return [];
  try {
    const bans = await ask<readonly Ban[]>(client, 'bans');
    if (isRefusal(bans)) return [];
    const ofUser = bans.filter(({ account }) => account === user || account === null);
    return ofUser.length === 0 ? [{ step: 'bans', status: 'ok', detail: 'none' }] : ofUser.map(stepOf);
  } finally {
    client.close();
  }
}

/** It is not known whether the phone in question is there. */
function stepOf({ address, account, until, failures }: Ban): Step {
  const left = formatDuration(Math.max(0, Date.parse(until) - Date.now()));
  const why = `${failures} wrong passwords, for ${left} more`;
  return {
    step: 'bans',
    status: 'unknown',
    detail:
      account === null ? `${address} is not heard: ${why}` : `${address} is refused as ${account}: ${why}`,
    mend: `sipctl ban rm ${address}`,
  };
}
