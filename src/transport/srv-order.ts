// The order in which the servers of an SRV record set are tried (RFC 2782, usage rules). Pure: chance comes in.

import type { SrvRecord } from './dns-records.ts';

/** Orders by priority, and by chance according to weight within one. `random` is at least 0 and below 1. */
export function orderSrv(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const same = byPriority.get(record.priority);
    if (same === undefined) byPriority.set(record.priority, [record]);
    else same.push(record);
  }
  const priorities = [...byPriority.keys()].sort((a, b) => a - b);
  return priorities.flatMap((priority) => drawAll(byPriority.get(priority) ?? [], random));
}

/** Draws one after another. Records of weight 0 stand first, so that they are drawn once in a while. */
function drawAll(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const drawn: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const mark = Math.floor(random() * (total + 1));
    let sum = 0;
    const at = left.findIndex(({ weight }) => {
      sum += weight;
      return sum >= mark;
    });
    drawn.push(...left.splice(at, 1));
  }
  return drawn;
}
