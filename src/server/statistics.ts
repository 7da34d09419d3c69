// A server's numbers as they are asked for, and what it takes to say how fast they grow: a look at them every ten seconds.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Statistics } from '../control/statistics.ts';
import type { Traffic } from '../transport/traffic.ts';
import type { Counters } from './counters.ts';
import type { Service } from './service.ts';

const LOOK_MS = 10_000;
/** A minute of looks. */
const LOOKS = 6;
/** How often the event loop is looked at; a delay is what comes on top. */
const RESOLUTION_MS = 20;

/** A server's numbers. */
export interface StatisticsTaker {
  take(): Statistics;
  close(): void;
}

interface Totals {
  readonly atMs: number;
  readonly requests: number;
  readonly responsesSent: number;
  readonly registrations: number;
}

interface Delay {
  readonly mean: number;
  readonly max: number;
}

/** Begins to look; `current` is the service as it is now. */
export function createStatistics(
  counters: Counters,
  traffic: Traffic,
  current: () => Service | undefined,
): StatisticsTaker {
  const startedMs = performance.now();
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const totals: Totals[] = [totalsNow()];
  const delays: Delay[] = [];
  const timer = setInterval(() => {
    totals.push(totalsNow());
    delays.push(delayNow());
    histogram.reset();
    if (totals.length > LOOKS) totals.shift();
    if (delays.length > LOOKS) delays.shift();
  }, LOOK_MS);
  timer.unref();

  function totalsNow(): Totals {
    return {
      atMs: performance.now(),
      requests: sum(Object.values(counters.requests)),
      responsesSent: sum(traffic.responsesSent),
      registrations: counters.confirmed,
    };
  }

  function delayNow(): Delay {
    const { count, mean, max } = histogram;
    if (count === 0) return { mean: 0, max: 0 };
    return { mean: Math.max(0, mean / 1e6 - RESOLUTION_MS), max: Math.max(0, max / 1e6 - RESOLUTION_MS) };
  }

  function take(): Statistics {
    const then = totals[0] as Totals;
    const now = totalsNow();
    const seconds = Math.max(now.atMs - then.atMs, 1) / 1000;
    const all = [...delays, delayNow()];
    const rate = (of: keyof Totals) => round((now[of] - then[of]) / seconds);
    const { heapUsed, rss } = process.memoryUsage();
    const service = current();
    return {
      uptime: Math.floor((now.atMs - startedMs) / 1000),
      requests: { ...counters.requests },
      absorbed: counters.absorbed,
      requestsSent: traffic.requestsSent,
      responsesReceived: counters.responsesReceived,
      responsesSent: byClass(traffic.responsesSent),
      registrations: {
        confirmed: counters.confirmed,
        added: counters.contactsAdded,
        removed: counters.contactsRemoved,
      },
      calls: counters.calls,
      refused: {
        malformed: counters.malformed,
        'rate-limit': counters.rateLimited,
        overload: counters.overload,
        'calls-at-once': counters.callsAtOnce,
        authentication: counters.authenticationFailures,
        banned: counters.banned,
        'too-short': counters.tooShort,
      },
      now: {
        transactions: service?.transactions.size() ?? 0,
        callsBeginning: service?.callAttempts.size() ?? 0,
        contacts: service?.users.countContacts(Date.now()) ?? 0,
        users: service?.users.size() ?? 0,
        keptAlive: service?.keepalive.size() ?? 0,
      },
      memory: { rss, heap: heapUsed },
      delay: {
        mean: round(sum(all.map(({ mean }) => mean)) / all.length),
        max: round(Math.max(...all.map(({ max }) => max))),
      },
      perSecond: {
        requests: rate('requests'),
        responsesSent: rate('responsesSent'),
        registrations: rate('registrations'),
      },
    };
  }

  return {
    take,
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

function byClass(counts: Float64Array): Record<string, number> {
  return Object.fromEntries([1, 2, 3, 4, 5, 6].map((first) => [`${first}xx`, counts[first] as number]));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
