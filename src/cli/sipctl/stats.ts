// sipctl stats: the server's counters and rates.

import { formatPrometheus, type Statistics } from '../../control/statistics.ts';
import { type Context, isSet } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal } from '../refusal.ts';
import { formatPlainTable } from '../table.ts';
import { ask, withServer } from './server-connection.ts';

/** Runs `sipctl stats`. */
export function run(context: Context): Promise<number> {
  return withServer(context, async (client, { report }) => {
    const statistics = await ask<Statistics>(client, 'stats');
    if (isRefusal(statistics)) return statistics;
    if (isSet(context, 'prometheus')) report.print(formatPrometheus(statistics).trimEnd());
    else if (report.json) report.value(statistics);
    else report.print(formatPlainTable(['Name', 'Value', 'Unit'], rowsOf(statistics)).trimEnd());
    return sysExit.EX_OK.code;
  });
}

/** Counters that were never counted are left out, but for the main ones. */
function rowsOf(of: Statistics): (string | number)[][] {
  const each = (name: string, values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .filter(([, value]) => value > 0)
      .map(([key, value]) => [`${name} ${key}`, value, '']);
  return [
    ['uptime', of.uptime, 's'],
    ['requests', of.perSecond.requests, '/s'],
    ['responses sent', of.perSecond.responsesSent, '/s'],
    ['registrations', of.perSecond.registrations, '/s'],
    ...each('requests', of.requests),
    ['requests absorbed', of.absorbed, ''],
    ['requests sent', of.requestsSent, ''],
    ['responses received', of.responsesReceived, ''],
    ...each('responses sent', of.responsesSent),
    ['registrations confirmed', of.registrations.confirmed, ''],
    ['contacts added', of.registrations.added, ''],
    ['contacts removed', of.registrations.removed, ''],
    ['calls', of.calls, ''],
    ...each('refused', of.refused),
    ['transactions', of.now.transactions, ''],
    ['calls beginning', of.now.callsBeginning, ''],
    ['contacts', of.now.contacts, ''],
    ['users', of.now.users, ''],
    ['contacts kept alive', of.now.keptAlive, ''],
    ['memory', round(of.memory.rss / 2 ** 20), 'MiB'],
    ['heap', round(of.memory.heap / 2 ** 20), 'MiB'],
    ['event loop delay, mean', of.delay.mean, 'ms'],
    ['event loop delay, longest', of.delay.max, 'ms'],
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
