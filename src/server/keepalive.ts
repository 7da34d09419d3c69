// Keepalives for contacts behind NAT (RFC 5626 §4.4, DESIGN §2): each is asked for a sign of life often enough to keep its
// NAT's door open, and usrloc is told how it answers. An index of what was seen in usrloc, no more.

import { equalText } from '../digest/response.ts';
import { type Binding, bindingKey, formatBinding } from '../home/usrloc.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import {
  answered,
  isNews,
  type Reachability,
  reachabilityOf,
  unanswered,
} from '../registrar/reachability.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import { createTimers, type Timer } from '../transaction/timers.ts';
import { formatHostPort } from '../transport/address.ts';
import type { FlowEnds } from '../transport/connections.ts';
import type { Flow } from '../transport/flow.ts';
import type { Transport } from '../transport/transport.ts';
import { appending, contactsAppended, loadContacts } from './contact-operations.ts';
import { contactWay } from './contact-way.ts';
import type { Log } from './log.ts';
import { sendPing } from './ping.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** When a contact is asked; in milliseconds. */
export interface KeepaliveTiming {
  /** From one keepalive to the next, and how much later it may be. */
  readonly intervalMs: number;
  readonly jitterMs: number;
  /** An answer comes in so long, or not at all; shorter than the interval. */
  readonly answerMs: number;
  /** usrloc is told of one contact so often at most. */
  readonly writeEveryMs: number;
}

/** NATs forget a UDP mapping after 30 s; a pong may take 10 s (RFC 5626 §4.4). */
const defaultTiming: KeepaliveTiming = {
  intervalMs: 25_000,
  jitterMs: 5_000,
  answerMs: 10_000,
  writeEveryMs: 60_000,
};

/** Contacts that are asked at once, a kilobyte each; more are not. */
const MAX_WATCHED = 50_000;
/** Into so many moments the contacts of one time are spread: each has a queue of timers. */
const MOMENTS = 64;

/** What outlives a reload; `current` is the service as it is now. */
export interface KeepaliveParts {
  readonly transport: Transport;
  readonly transactions: TransactionLayer;
  readonly log: Log;
  readonly current: () => Service | undefined;
  readonly timing?: Partial<KeepaliveTiming> | undefined;
}

/** The keepalives of a server. */
export interface Keepalive {
  /** Takes over what is known of a user's contacts now: those behind NAT are asked, those that are gone no more. */
  observe(user: User): void;
  /** How many contacts are asked. */
  size(): number;
  close(): void;
}

/** One contact that is asked. */
interface Watched {
  readonly user: string;
  readonly home: string;
  readonly key: string;
  readonly uri: SipUri;
  readonly ends: FlowEnds;
  /** As last seen. */
  binding: Binding;
  state: Reachability;
  next: Timer | undefined;
  /** Runs while an answer is waited for. */
  deadline: Timer | undefined;
  /** Some keepalive was answered, now or before a restart. */
  hasAnswered: boolean;
  isWriting: boolean;
  writtenAtMs: number;
}

/** Makes the keepalives of a server; they ask nobody until somebody is observed. */
export function createKeepalive(parts: KeepaliveParts): Keepalive {
  const { transport, transactions, log, current } = parts;
  const timing = { ...defaultTiming, ...parts.timing };
  const timers = createTimers();
  const users = new Map<string, Map<string, Watched>>();
  let size = 0;
  let isFull = false;

  function observe(user: User): void {
    const before = users.get(user.name);
    const natted = user.contacts.bindings.filter(({ received, path }) => received !== undefined && !path);
    if (before === undefined && natted.length === 0) return;
    const after = new Map<string, Watched>();
    for (const binding of natted) {
      const key = bindingKey(binding);
      const watched = before?.get(key);
      if (watched !== undefined && isSameWay(watched.binding, binding)) {
        watched.binding = binding;
        after.set(key, watched);
      } else {
        const fresh = watch(user, key, binding);
        if (fresh !== undefined) after.set(key, fresh);
      }
    }
    for (const [key, watched] of before ?? []) if (after.get(key) !== watched) forget(watched);
    if (after.size > 0) users.set(user.name, after);
    else users.delete(user.name);
  }

  /** Begins to ask a contact, at a moment that spreads those who come together; undefined: it can't or need not be. */
  function watch({ name, home }: User, key: string, binding: Binding): Watched | undefined {
    const service = current();
    const uri = parseUri(binding.uri);
    if (service === undefined || uri === undefined || 'rest' in uri) return undefined;
    if (isOver(binding)) return undefined;
    const isSigned = equalText(binding.mac ?? '', service.signRoute(name, binding));
    const route = contactWay(service, binding, uri, isSigned);
    if (route.type !== 'flow' || !route.natted) return undefined;
    if (size >= MAX_WATCHED) {
      if (!isFull) log('warning', 'keepalive-full', { why: `more than ${MAX_WATCHED} contacts behind NAT` });
      isFull = true;
      return undefined;
    }
    size++;
    const watched: Watched = {
      user: name,
      home,
      key,
      uri,
      ends: route.ends,
      binding,
      state: reachabilityOf(binding),
      next: undefined,
      deadline: undefined,
      hasAnswered: binding.rttMs !== undefined,
      isWriting: false,
      writtenAtMs: Number.NEGATIVE_INFINITY,
    };
    const half = timing.intervalMs / 2;
    watched.next = timers.start(half + spread(half + timing.jitterMs), ask, watched);
    return watched;
  }

  function forget(watched: Watched): void {
    size--;
    isFull = false;
    if (watched.next !== undefined) timers.stop(watched.next);
    if (watched.deadline !== undefined) timers.stop(watched.deadline);
    watched.next = undefined;
    watched.deadline = undefined;
  }

  function ask(watched: Watched): void {
    if (isOver(watched.binding)) {
      const contacts = users.get(watched.user);
      contacts?.delete(watched.key);
      if (contacts?.size === 0) users.delete(watched.user);
      forget(watched);
      return;
    }
    watched.next = timers.start(timing.intervalMs + spread(timing.jitterMs), ask, watched);
    const flow = transport.findFlow(watched.ends);
    if (flow === undefined) learn(watched, unanswered(watched.state, Date.now()));
    else askOver(watched, flow);
  }

  function askOver(watched: Watched, flow: Flow): void {
    const sentMs = performance.now();
    const takeBack = sendPing(transactions, flow, watched.uri, () => {
      if (watched.deadline === undefined) return;
      timers.stop(watched.deadline);
      watched.deadline = undefined;
      watched.hasAnswered = true;
      learn(watched, answered(performance.now() - sentMs));
    });
    watched.deadline = timers.start(
      timing.answerMs,
      () => {
        watched.deadline = undefined;
        takeBack();
        // RFC 5626 §4.4.1 makes the pong a server's duty: a phone that never sent one may have no word for it, and its
        // open connection says all there is to say.
        if (flow.reliable && !watched.hasAnswered) return;
        learn(watched, unanswered(watched.state, Date.now()));
      },
      undefined,
    );
  }

  function learn(watched: Watched, state: Reachability): void {
    const wasReachable = watched.state.unreachableSince === undefined;
    const isReachable = state.unreachableSince === undefined;
    watched.state = state;
    if (wasReachable !== isReachable) {
      const src = formatHostPort(watched.ends.remoteAddress, watched.ends.remotePort);
      const event = isReachable ? 'reachable' : 'unreachable';
      log('info', event, { src, user: watched.user, contact: watched.binding.uri });
    }
    const nowMs = performance.now();
    if (watched.isWriting || nowMs - watched.writtenAtMs < timing.writeEveryMs) return;
    if (!isNews(watched.binding, state)) return;
    watched.isWriting = true;
    watched.writtenAtMs = nowMs;
    record(watched)
      .catch((error: Error) => log('error', 'internal-error', { why: error.stack }))
      .finally(() => {
        watched.isWriting = false;
      });
  }

  /** Tells usrloc; where it changed meanwhile, it is looked at, and told after another keepalive if there is still news. */
  async function record(watched: Watched): Promise<void> {
    const service = current();
    if (service === undefined) return;
    const user = service.users.proved(service.users.claimed(watched.user));
    if (user.home === '') user.home = watched.home;
    const binding = user.contacts.bindings.find((each) => bindingKey(each) === watched.key);
    const { rttMs, unreachableSince } = watched.state;
    const meaning = binding && { ...binding, rttMs, unreachableSince };
    const lines = meaning === undefined ? [] : [formatBinding(meaning)];
    const isKnown = user.contactsVersion !== undefined && meaning !== undefined;
    const operations = isKnown ? [loadContacts(user), appending(user, lines)] : [loadContacts(user)];
    const [loaded, written] = await service.store.run(user.name, operations);
    if (loaded?.type === 'text') {
      service.users.contactsLoaded(user, loaded);
      watched.writtenAtMs = Number.NEGATIVE_INFINITY;
    } else if (loaded?.type !== 'unchanged') return;
    if (written?.type === 'written') {
      contactsAppended(user, lines, [meaning], written.version);
      service.compaction.consider(user);
    }
    observe(user);
  }

  /** One of the moments between now and `ms`. */
  function spread(ms: number): number {
    return (Math.floor(Math.random() * MOMENTS) / MOMENTS) * ms;
  }

  return {
    observe,
    size: () => size,
    close() {
      timers.close();
      users.clear();
      size = 0;
    },
  };
}

function isOver({ expiresAt }: Binding): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** Says whether two lines of a contact are reached alike, so that what was verified and measured still holds. */
function isSameWay(one: Binding, other: Binding): boolean {
  return (
    one === other ||
    (one.uri === other.uri &&
      one.received === other.received &&
      one.socket === other.socket &&
      one.source === other.source)
  );
}
