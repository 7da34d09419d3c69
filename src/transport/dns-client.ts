// Asks DNS servers so that a dead or slow one costs little: the next is asked beside it after half a second, and the
// first that knows is believed. Not by the retries of node:dns, which forget an answer that comes after one.

import { Resolver } from 'node:dns/promises';
import { type DnsAnswer, type DnsRecords, queryDns, type RecordType } from './dns-records.ts';

/** What a client needs. */
export interface DnsClientOptions {
  /** The servers in the form of `setServers`, in order; looked at before each question. None: there is no DNS. */
  readonly servers: () => readonly string[];
  /** How long a question may take. */
  readonly timeoutMs: number;
}

/** Asks questions; nothing is remembered but which servers were silent. */
export interface DnsClient {
  /** Never rejects; no records where no server knew in time. */
  ask<T extends RecordType>(type: T, name: string): Promise<DnsAnswer<DnsRecords[T]>>;
  /** Ends every open question. */
  close(): void;
}

interface Upstream {
  readonly resolver: Resolver;
  /** Asked last until then, since it let us wait. */
  silentUntil: number;
}

/** When a question is put once more, in milliseconds behind the time before: to the next server, or the only one. */
const onceMoreMs: readonly number[] = [500, 1000];
const silentMs = 30_000;
const unansweredTtl = 3;

/** Makes a client. */
export function createDnsClient({ servers, timeoutMs }: DnsClientOptions): DnsClient {
  let names = '';
  let upstreams: readonly Upstream[] = [];
  let closed = false;
  const open = new Set<() => void>();

  /** Those that answered lately first. Where the servers changed, questions to the former end by themselves. */
  function upstreamsInOrder(): readonly Upstream[] {
    const wanted = servers();
    if (wanted.join() !== names) upstreams = wanted.flatMap((server) => openUpstream(server, timeoutMs));
    names = wanted.join();
    const now = performance.now();
    const isSilent = ({ silentUntil }: Upstream): number => Number(silentUntil > now);
    return [...upstreams].sort((a, b) => isSilent(a) - isSilent(b));
  }

  return {
    ask(type, name) {
      const order = closed ? [] : upstreamsInOrder();
      if (order.length === 0) return Promise.resolve({ records: [], ttl: 0 });
      return new Promise((resolve) => {
        const giveUp = askInTurn(
          order,
          (upstream) => queryDns(upstream.resolver, type, name),
          (answer) => {
            clearTimeout(limit);
            open.delete(giveUp);
            resolve(answer ?? { records: [], ttl: unansweredTtl });
          },
        );
        const limit = setTimeout(giveUp, timeoutMs);
        open.add(giveUp);
      });
    },
    close() {
      closed = true;
      for (const giveUp of [...open]) giveUp();
      for (const { resolver } of upstreams) resolver.cancel();
    },
  };
}

/**
 * Calls `onEnd` once, later: with the first answer, or undefined when every server failed or the function that is
 * returned was called.
 */
function askInTurn<A>(
  order: readonly Upstream[],
  query: (upstream: Upstream) => Promise<A | undefined>,
  onEnd: (answer: A | undefined) => void,
): () => void {
  const failed = new Set<Upstream>();
  let put = 0;
  let at = -1;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function end(answer: A | undefined): void {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    onEnd(answer);
  }

  function putToNext(): void {
    do at = (at + 1) % order.length;
    while (failed.has(order[at] as Upstream));
    const upstream = order[at] as Upstream;
    const waitMs = onceMoreMs[put++];
    if (waitMs !== undefined) {
      timer = setTimeout(() => {
        upstream.silentUntil = performance.now() + silentMs;
        putToNext();
      }, waitMs);
    }
    const turn = put;
    void query(upstream).then((answer) => {
      if (ended) return;
      if (answer !== undefined) {
        upstream.silentUntil = 0;
        end(answer);
        return;
      }
      failed.add(upstream);
      if (failed.size === order.length) end(undefined);
      else if (turn === put) {
        clearTimeout(timer);
        putToNext();
      }
    });
  }

  putToNext();
  return () => end(undefined);
}

/** One server; none where node:dns does not take its address. */
function openUpstream(server: string, timeoutMs: number): Upstream[] {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  try {
    resolver.setServers([server]);
  } catch {
    return [];
  }
  return [{ resolver, silentUntil: 0 }];
}
