// The questions of one target, put together as they arise, and how long each round of them is waited for.

import type { DnsRecords, RecordType, SrvRecord } from './dns-records.ts';
import type { KnownNames, NextHop } from './next-hops.ts';
import { orderSrv } from './srv-order.ts';

/** How long other addresses are waited for once there is one; some DNS servers never answer for AAAA. */
const othersMs = 300;

/** What `DnsCache` and `DnsClient` answer together. */
type Ask = <T extends RecordType>(
  type: T,
  name: string,
) => readonly DnsRecords[T][] | Promise<readonly DnsRecords[T][]>;

/** All that is asked for one target, each question once. */
interface Inquiry {
  readonly known: KnownNames;
  /** Waits until `found` has all it needs, or the time is over; what is open by then counts as nothing. */
  conclude(limitMs: number, found: () => readonly NextHop[] | undefined): Promise<readonly NextHop[]>;
}

/** Begins an inquiry; the order that chance gives to servers stays the same throughout. */
export function openInquiry(ask: Ask, ofHost: KnownNames['ofHost'], random: () => number): Inquiry {
  const answers = new Map<string, readonly unknown[]>();
  const open = new Map<string, Promise<readonly unknown[]>>();
  const ordered = new Map<string, readonly SrvRecord[]>();

  function look<T extends RecordType>(type: T, name: string): readonly DnsRecords[T][] | undefined {
    const key = `${type} ${name}`;
    const told = answers.get(key) as readonly DnsRecords[T][] | undefined;
    if (told !== undefined || open.has(key)) return told;
    const answer = ask(type, name);
    if (!(answer instanceof Promise)) {
      answers.set(key, answer);
      return answer;
    }
    open.set(
      key,
      answer.then((records) => {
        if (open.delete(key)) answers.set(key, records);
        return records;
      }),
    );
    return undefined;
  }

  function addresses(name: string): readonly string[] | undefined {
    const [ipv4, ipv6] = [look('A', name), look('AAAA', name)];
    return ipv4 && ipv6 && [...ipv4, ...ipv6];
  }

  function srv(name: string): readonly SrvRecord[] | undefined {
    const before = ordered.get(name);
    const records = before === undefined ? look('SRV', name) : undefined;
    if (records === undefined) return before;
    const inOrder = orderSrv(records, random);
    ordered.set(name, inOrder);
    return inOrder;
  }

  return {
    known: { ofHost, addresses, srv, naptr: (name) => look('NAPTR', name) },
    async conclude(limitMs, found) {
      const until = performance.now() + limitMs;
      for (;;) {
        const hops = found();
        if (hops !== undefined) return hops;
        const leftMs = Math.max(0, until - performance.now());
        const isLast = [...open.keys()].every((key) => key.startsWith('A'));
        // Half the time is kept for what these answers lead to.
        await firstOf([...open.values()], isLast ? leftMs : leftMs / 2, isLast ? othersMs : undefined);
        for (const key of open.keys()) answers.set(key, []);
        open.clear();
      }
    },
  };
}

/** Waits for all answers, for `limitMs`, or for `othersMs` behind the first that has records. */
function firstOf(
  pending: readonly Promise<readonly unknown[]>[],
  limitMs: number,
  graceMs: number | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const until = performance.now() + limitMs;
    let left = pending.length;
    let timer = setTimeout(resolve, limitMs);
    let shortened = graceMs === undefined;
    for (const answer of pending) {
      void answer.then((records) => {
        left -= 1;
        if (left === 0) {
          clearTimeout(timer);
          resolve();
        } else if (!shortened && records.length > 0) {
          shortened = true;
          clearTimeout(timer);
          timer = setTimeout(resolve, Math.min(graceMs ?? 0, until - performance.now()));
        }
      });
    }
  });
}
