// One request on its way to others (RFC 3261 §16.5 to §16.10): runs what the response context says, over branches and
// searches. Wiring only.

import type { Rejection } from '../auth/rejection.ts';
import type { Settings } from '../home/config.ts';
import type { Gateway } from '../home/gateway.ts';
import { parseAddress } from '../message/address.ts';
import { fieldValue, splitList, unfold } from '../message/fields.ts';
import type { Request, Response } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { forwardAfter } from '../proxy/callee-policy.ts';
import type { VerifiedRoute } from '../proxy/dialog-route.ts';
import {
  type ContextEffect,
  createResponseContext,
  type ResponseContext,
} from '../proxy/response-context.ts';
import type { Retargeting } from '../proxy/retargeting.ts';
import { sharesOf } from '../proxy/target-set.ts';
import type { ServerTransaction } from '../transaction/layer.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Timer } from '../transaction/timers.ts';
import { type Branch, cancelBranch, startBranch, type Target } from './branch.ts';
import { accountAnswer, accountFailure } from './call-outcome.ts';
import type { Caller } from './caller.ts';
import { answerOf, type Exchange, logRejection } from './exchange.ts';
import { endMedia } from './media-relay.ts';
import type { OpenCall } from './open-call.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** A request that is to be forwarded, its routing preprocessed. */
export interface Inbound {
  readonly exchange: Exchange;
  readonly transaction: ServerTransaction;
  /** As it is after §16.4. */
  readonly request: Request;
  readonly caller: Caller;
  /** RFC 5393 §5.3. */
  readonly breadth: number;
  /** See `loopHashOf`. */
  readonly loopHash: string;
  /** Within a dialog that we record-routed. */
  readonly isInDialog: boolean;
  /** Called once with the final response of whom it was for; undefined: none came. */
  onSettled?: ((final: Response | undefined) => void) | undefined;
  /** The call that it begins, where it is one. */
  readonly call?: OpenCall | undefined;
  /** That dialog. */
  readonly dialog?: VerifiedRoute | undefined;
}

/** The search for one callee, or for one URI elsewhere. */
export interface Search {
  readonly id: number;
  /** Whose account is charged with what it starts and asked for the right to it; undefined: the caller's. */
  readonly chargedTo: string | undefined;
  /** The gateway whose call it is, until somebody of ours is found for it: it never leaves by a gateway on its own. */
  gateway: Gateway | undefined;
  /** The forwards that led here. */
  readonly retargetings: readonly Retargeting[];
  /** How many branches it may have at once, here and behind (RFC 5393 §5.3.3). */
  breadth: number;
  /** The callee and what his config says; undefined of a URI elsewhere. */
  callee: { readonly user: User; readonly settings: Settings; readonly uri: string } | undefined;
  /** Groups of targets not tried yet. */
  groups: Target[][];
  /** Its phones ring. */
  hasRung: boolean;
  hasRungOut: boolean;
  timer: Timer | undefined;
}

/** The state of one forwarded request. */
export interface Forwarding {
  readonly service: Service;
  readonly inbound: Inbound;
  readonly context: ResponseContext;
  readonly searches: Search[];
  readonly branches: (Branch | undefined)[];
  /** Why the caller gave up: a value of Reason (RFC 3326). */
  cancelReason: string | undefined;
  /** The accounts that were searched for: nobody is asked twice. */
  readonly visited: Set<string>;
  /** Finds targets of a search that is sent elsewhere (destination.ts). */
  readonly redirect: Redirect;
  /** Takes what a branch brought: a response, or silence. */
  readonly report: (forwarding: Forwarding, branch: Branch, response: Response | undefined) => void;
}

/** Goes on with a call somewhere else, on behalf of the callee whose search ended. */
export type Redirect = (forwarding: Forwarding, search: Search, target: string, by: Retargeting) => void;

/** Begins to forward. */
export function createForwarding(service: Service, inbound: Inbound, redirect: Redirect): Forwarding {
  const forwarding: Forwarding = {
    service,
    inbound,
    context: createResponseContext(),
    searches: [],
    branches: [],
    cancelReason: undefined,
    visited: new Set(),
    redirect,
    report,
  };
  if (inbound.request.method === 'INVITE') {
    inbound.transaction.onCancel = (cancel) => {
      const reason = fieldValue(cancel, 'reason');
      forwarding.cancelReason = reason === undefined ? undefined : unfold(reason);
      for (const search of forwarding.searches) stopTimer(forwarding, search);
      perform(forwarding, forwarding.context.cancel(forwarding.cancelReason));
    };
  }
  return forwarding;
}

/** Opens a search, to be filled by `ring` or ended by `fail`. */
export function openSearch(
  forwarding: Forwarding,
  options: {
    readonly chargedTo?: string | undefined;
    readonly gateway?: Gateway | undefined;
    readonly retargetings?: readonly Retargeting[];
    readonly breadth?: number;
  } = {},
): Search {
  const search: Search = {
    id: forwarding.context.openSearch(),
    chargedTo: options.chargedTo,
    gateway: options.gateway,
    retargetings: options.retargetings ?? [],
    breadth: options.breadth ?? forwarding.inbound.breadth,
    callee: undefined,
    groups: [],
    hasRung: false,
    hasRungOut: false,
    timer: undefined,
  };
  forwarding.searches.push(search);
  return search;
}

/** Starts the next group of a search; without one its rules are asked where the call goes instead. */
export function ring(forwarding: Forwarding, search: Search): void {
  const group = search.groups.shift();
  if (group === undefined) {
    goElsewhere(forwarding, search);
    return;
  }
  armNoAnswer(forwarding, search);
  // All are under way before the first can end, or it would end the search.
  const started: Branch[] = [];
  const shares = sharesOf(search.breadth, group.length);
  for (const [index, target] of group.entries()) {
    const id = forwarding.context.startBranch(search.id);
    if (id === undefined) break;
    const branch: Branch = {
      id,
      target,
      search,
      breadth: shares[index] as number,
      state: 'locating',
      hops: [],
      isCancelled: false,
      attempts: 0,
    };
    forwarding.branches[id] = branch;
    started.push(branch);
  }
  for (const branch of started) startBranch(forwarding, branch);
  if (started.length === 0) perform(forwarding, forwarding.context.endSearch(search.id));
}

/** Ends a search with a refusal of ours. */
export function fail(forwarding: Forwarding, search: Search, rejection: Rejection): void {
  const { service, inbound } = forwarding;
  logRejection(service, inbound.exchange, rejection);
  perform(forwarding, forwarding.context.endSearch(search.id, answerOf(inbound.exchange, rejection)));
}

/** What a branch brought; undefined: silence (RFC 4320 §4.2). */
function report(forwarding: Forwarding, branch: Branch, response: Response | undefined): void {
  const { context } = forwarding;
  if (response === undefined || response.status >= 300) endMedia(forwarding, branch);
  else if (response.status >= 200) accountAnswer(forwarding, branch, response);
  perform(
    forwarding,
    response === undefined ? context.fallSilent(branch.id) : context.receive(branch.id, response),
  );
}

/** Carries out what the context says. */
export function perform(forwarding: Forwarding, effects: readonly ContextEffect[]): void {
  for (const effect of effects) {
    switch (effect.type) {
      case 'respond':
        respond(forwarding, effect.response);
        break;
      case 'cancel':
        cancelBranch(forwarding, forwarding.branches[effect.branch] as Branch, effect.reason);
        break;
      case 'exhausted':
        ring(forwarding, forwarding.searches[effect.search] as Search);
        break;
      case 'ended':
        conclude(forwarding, effect.best);
    }
  }
}

/** §16.7 step 5 and 9: 1xx and 2xx at once. */
function respond(forwarding: Forwarding, response: Response): void {
  if (response.status >= 200) {
    for (const search of forwarding.searches) stopTimer(forwarding, search);
    settle(forwarding, response);
  }
  forwarding.inbound.transaction.respond(response);
}

/** The call is no longer being set up. */
function settle({ inbound }: Forwarding, final: Response | undefined): void {
  inbound.onSettled?.(final);
  inbound.onSettled = undefined;
}

/** No branch has brought a success. */
function conclude(forwarding: Forwarding, best: Response | undefined): void {
  const { inbound } = forwarding;
  for (const search of forwarding.searches) stopTimer(forwarding, search);
  const final = finalOf(forwarding, best);
  if (final !== undefined) accountFailure(forwarding, final);
  settle(forwarding, best);
  if (final !== undefined) inbound.transaction.respond(final);
}

/** §16.7 step 6: the best response, or what silence means: 408 for INVITE, nothing for others (RFC 4320 §4.2). */
function finalOf({ inbound, context }: Forwarding, best: Response | undefined): Response | undefined {
  const { request } = inbound.exchange;
  if (context.isCancelled() && (best === undefined || best.status < 600))
    return createResponse(request, 487, { toTag: newTag() });
  // 503 would keep the caller away from us, not from whom it was about (§16.7 step 6).
  if (best?.status === 503) return { ...best, status: 500, reason: 'Next Hop Unavailable' };
  if (best === undefined && inbound.request.method === 'INVITE')
    return createResponse(request, 408, { toTag: newTag() });
  return best;
}

/** NoAnswerTimeout acts only where ForwardNoAnswer says what then. */
function armNoAnswer(forwarding: Forwarding, search: Search): void {
  const { service, inbound } = forwarding;
  if (search.timer !== undefined || search.callee === undefined || inbound.request.method !== 'INVITE')
    return;
  const { ForwardNoAnswer, NoAnswerTimeout } = search.callee.settings;
  if (ForwardNoAnswer === undefined) return;
  search.timer = service.timers.start(NoAnswerTimeout * 1000, runOut, { forwarding, search });
}

function runOut({ forwarding, search }: { forwarding: Forwarding; search: Search }): void {
  search.hasRungOut = true;
  search.groups = [];
  perform(forwarding, forwarding.context.cancelSearch(search.id, 'SIP;cause=408;text="No answer"'));
}

function stopTimer({ service }: Forwarding, search: Search): void {
  if (search.timer !== undefined) service.timers.stop(search.timer);
}

/** The callee's phones said no, or nothing: his config may know another place. */
function goElsewhere(forwarding: Forwarding, search: Search): void {
  const { context, inbound } = forwarding;
  stopTimer(forwarding, search);
  const best = context.bestOf(search.id);
  const { callee } = search;
  const redirected = redirection(forwarding, search, best);
  if (callee !== undefined && redirected !== undefined && !context.isClosed()) {
    forwarding.redirect(forwarding, search, redirected.target, {
      from: callee.uri,
      reason: redirected.reason,
    });
    return;
  }
  // Nobody there to ask, and 487 to a caller who did not give up, are ours to put into words.
  const isUnsaid = callee !== undefined && best === undefined && inbound.request.method === 'INVITE';
  const isOurs487 = search.hasRungOut && best?.status === 487;
  const status = isOurs487 ? 408 : isUnsaid ? 480 : undefined;
  const instead =
    status === undefined || context.isClosed() ? undefined : answerOf(inbound.exchange, { status });
  perform(forwarding, context.endSearch(search.id, instead));
}

/** Where a phone redirects to (RFC 3261 §21.3.2): the first SIP URI of its Contact. */
function redirectOf(response: Response): string | undefined {
  if (response.status !== 301 && response.status !== 302) return undefined;
  const contact = parseAddress(splitList(fieldValue(response, 'contact') ?? '')[0] ?? '');
  return contact !== undefined && parseUri(contact.uri)?.type === 'sip' ? contact.uri : undefined;
}

function redirection(
  { inbound, service }: Forwarding,
  { callee, hasRungOut }: Search,
  best: Response | undefined,
): ReturnType<typeof forwardAfter> {
  if (callee === undefined || inbound.request.method !== 'INVITE') return undefined;
  const elsewhere = service.keywords.FollowRedirects && best !== undefined ? redirectOf(best) : undefined;
  if (elsewhere !== undefined)
    return { type: 'forward', reason: 'unconditional', target: elsewhere.replaceAll('%', '%%') };
  return forwardAfter(callee.settings, { status: best?.status, hasRungOut });
}
