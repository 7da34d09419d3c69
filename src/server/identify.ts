// Who sends a request (DESIGN §4.2): credentials read, the store asked, its answer judged. What else a request needs of
// the store travels with the question, so that one change of identity serves it all. Wiring only.

import {
  type Authenticated,
  judge,
  readCredentials,
  releaseCount,
  reserveCount,
  type Scheme,
} from '../auth/authenticate.ts';
import { parseUri } from '../message/uri.ts';
import type { Answer, Operation } from '../store/store.ts';
import type { ServerTransaction } from '../transaction/layer.ts';
import { type Exchange, refuse, refuseIn } from './exchange.ts';
import { type Service, sourceOf } from './service.ts';
import type { User } from './users.ts';

/** A request whose sender is known, and what the store said to the operations that came along. */
export interface Identified {
  readonly identity: Authenticated;
  readonly transaction: ServerTransaction;
  readonly user: User;
  readonly account: Answer;
  readonly answers: readonly Answer[];
}

/**
 * Identifies the sender and calls `proceed`, or answers the request itself. Undefined: answered without asking the
 * store, because the credentials carry no nonce of ours.
 */
export function identify(
  service: Service,
  exchange: Exchange,
  scheme: Scheme,
  operationsFor: (user: User, isFresh: boolean) => readonly Operation[],
  proceed: (identified: Identified) => Promise<void> | void,
): Promise<void> | undefined {
  const { request, head, flow, nowMs } = exchange;
  const did = didOf(service, exchange, scheme);
  const presented = readCredentials(service.authenticator, request, scheme, flow.remoteAddress, nowMs, did);
  if (presented.type === 'rejection') return refuse(service, exchange, presented);
  const transaction = service.transactions.createServerTransaction(request, head, flow);
  const { remoteAddress } = flow;
  const isCounted = !service.isLimitless(remoteAddress);
  const isFresh = reserveCount(service.authenticator, presented);
  if (isCounted && service.bans.isBannedAs(remoteAddress, presented.user, exchange.arrivedMs)) {
    // As with a wrong password, whatever it is: a right one is not to be told by the answer.
    service.counters.banned++;
    const answer: Answer = { type: 'no', why: 'banned' };
    const refusal = judge(service.authenticator, presented, answer, isFresh, remoteAddress, nowMs);
    if (refusal.type === 'rejection')
      service.failures.defer(exchange.arrivedMs, () => refuseIn(service, exchange, transaction, refusal));
    return undefined;
  }
  const claimed = service.users.claimed(presented.user);
  const operations: Operation[] = [
    { type: 'verify', credentials: presented.digest },
    { type: 'account', peerAddress: flow.remoteAddress },
  ];
  const release = (error: unknown): never => {
    if (isFresh) releaseCount(service.authenticator, presented);
    throw error;
  };
  try {
    operations.push(...operationsFor(claimed, isFresh));
  } catch (error) {
    release(error);
  }
  return service.store.run(presented.user, operations).then(([verified, account, ...answers]) => {
    const identity = judge(
      service.authenticator,
      presented,
      verified as Answer,
      isFresh,
      flow.remoteAddress,
      nowMs,
    );
    if (identity.type === 'authenticated') {
      if (isCounted) service.bans.succeeded(remoteAddress, presented.user);
      const user = service.users.proved(claimed);
      return proceed({ identity, transaction, user, account: account as Answer, answers });
    }
    const fields = { src: sourceOf(flow), user: presented.user, why: identity.why };
    const answer = () => refuseIn(service, exchange, transaction, identity);
    if (verified?.type === 'no') {
      service.counters.authenticationFailures++;
      service.log('info', 'auth-failed', fields);
      const delayMs = isCounted ? countFailure(service, exchange, presented.user) : 0;
      service.failures.defer(exchange.arrivedMs, answer, delayMs);
      return undefined;
    }
    // No failures of his: what is banned by the log must not be banned for a home that is down or a nonce used twice.
    if (identity.status === 500) service.log('warning', 'auth-error', fields);
    else service.log('info', 'auth-stale', fields);
    answer();
    return undefined;
  }, release);
}

/** Counts a failure; by how much later it is answered. */
function countFailure({ bans, log }: Service, { flow, arrivedMs }: Exchange, account: string): number {
  const { delayMs, ban } = bans.failed(flow.remoteAddress, account, arrivedMs);
  if (ban !== undefined) {
    const seconds = Math.round((ban.untilMs - ban.sinceMs) / 1000);
    const user = ban.account === undefined ? {} : { user: ban.account };
    log('warning', 'banned', { src: sourceOf(flow), ...user, failures: ban.failures, seconds });
  }
  return delayMs;
}

/** auth_db's did: of the To domain for REGISTER, of the From domain otherwise. */
function didOf(service: Service, { head }: Exchange, scheme: Scheme): string {
  const uri = parseUri(scheme === 'www' ? head.to.uri : head.from.uri);
  return uri !== undefined && 'host' in uri ? service.domains.didOf(uri.host) : '_default';
}
