// What `sipctl monitor` shows: a screen for a terminal, a line for a pipe. Pure.

import type { Statistics } from '../../control/statistics.ts';

/** The server's numbers at two moments, and what lies between in seconds. */
export interface Interval {
  readonly before: Statistics;
  readonly now: Statistics;
  readonly seconds: number;
}

const BARS = '▁▂▃▄▅▆▇█';

/** How many requests came a second. */
export function requestRate(interval: Interval): number {
  return rate(interval, ({ requests }) => sum(requests));
}

/** The screen: at most `rows` lines of at most `columns` characters. `rates` are those of requests so far, oldest first. */
export function monitorScreen(
  interval: Interval,
  title: string,
  rates: readonly number[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const { now } = interval;
  const perSecond = (of: (statistics: Statistics) => number) => rate(interval, of).toFixed(1).padStart(9);
  const refused = Object.entries(now.refused).filter(([, count]) => count > 0);
  const methods = Object.entries(now.requests)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one);
  const lines = [
    title,
    '',
    `contacts ${count(now.now.contacts)}   users ${count(now.now.users)}   kept alive ${count(now.now.keptAlive)}`,
    `calls    ${count(now.calls)}   beginning ${count(now.now.callsBeginning)}   transactions ${count(now.now.transactions)}`,
    `memory   ${count(Math.round(now.memory.rss / 2 ** 20))} MiB   delay ${now.delay.mean.toFixed(1)} ms, at most ${now.delay.max.toFixed(0)} ms in a minute`,
    '',
    `requests a second  ${barsOf(rates, Math.max(columns - 40, 10))} ${perSecond(({ requests }) => sum(requests)).trim()}`,
    '',
    `${''.padEnd(20)}${'total'.padStart(12)}${'a second'.padStart(12)}`,
    ...methods.map(([name]) => row(name, (statistics) => statistics.requests[name] ?? 0)),
    row('responses sent', ({ responsesSent }) => sum(responsesSent)),
    row('responses received', ({ responsesReceived }) => responsesReceived),
    row('registrations', ({ registrations }) => registrations.confirmed),
    ...refused.map(([why]) =>
      row(`refused: ${why}`, (statistics) => statistics.refused[why as keyof Statistics['refused']]),
    ),
  ];
  return lines.slice(0, rows).map((line) => [...line].slice(0, columns).join(''));

  function row(name: string, of: (statistics: Statistics) => number): string {
    return `${name.padEnd(20)}${String(of(now)).padStart(12)}   ${perSecond(of)}`;
  }
}

/** The same as a line of `key=value`: rates a second over the interval, what there is now, MiB and milliseconds. */
export function monitorLine(interval: Interval, at: Date): string {
  const { now } = interval;
  const fields = {
    time: at.toISOString(),
    requests: requestRate(interval).toFixed(1),
    responses: rate(interval, ({ responsesSent }) => sum(responsesSent)).toFixed(1),
    registrations: rate(interval, ({ registrations }) => registrations.confirmed).toFixed(1),
    calls: rate(interval, ({ calls }) => calls).toFixed(1),
    refused: rate(interval, ({ refused }) => sum(refused)).toFixed(1),
    contacts: now.now.contacts,
    users: now.now.users,
    transactions: now.now.transactions,
    rss: Math.round(now.memory.rss / 2 ** 20),
    delay: now.delay.mean,
  };
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

/** The last `most` values as bars, the highest of them full. */
export function barsOf(values: readonly number[], most: number): string {
  const shown = values.slice(-most);
  const highest = Math.max(...shown, 0);
  const level = (value: number) => (highest === 0 ? 0 : Math.round((value / highest) * (BARS.length - 1)));
  return shown.map((value) => BARS[level(value)]).join('');
}

function rate({ before, now, seconds }: Interval, of: (statistics: Statistics) => number): number {
  return seconds <= 0 ? 0 : Math.max(0, of(now) - of(before)) / seconds;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

function count(value: number): string {
  return String(value).padStart(7);
}
