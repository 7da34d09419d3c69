// Requests within a dialog that we record-routed (RFC 3261 §12.2, §16.4): our own signature on the Route lets them through,
// without credentials and without a memory of the call.

import type { Response } from '../message/message.ts';
import type { SipUri } from '../message/uri.ts';
import { type VerifiedRoute, verifyDialogRoute } from '../proxy/dialog-route.ts';
import type { RoutedRequest } from '../proxy/routing.ts';
import type { ClientTransaction } from '../transaction/layer.ts';
import type { Target } from './branch.ts';
import { sessionOf } from './call-outcome.ts';
import { type CallParty, hasReached, isFrom, placeOf, wayTo } from './call-party.ts';
import { VOUCHED } from './caller.ts';
import { redirect } from './destination.ts';
import type { Exchange } from './exchange.ts';
import { createForwarding, openSearch, ring } from './forwarding.ts';
import type { Proxied } from './proxy-request.ts';
import { type Service, sourceOf } from './service.ts';

/** The dialog that the tokens of our own Route values speak of, if they are ours and its. */
export function dialogOf(
  service: Service,
  { head, nowMs }: Exchange,
  tokens: readonly string[],
): VerifiedRoute | undefined {
  const [token] = tokens;
  if (token === undefined || head.to.tag === undefined) return undefined;
  return verifyDialogRoute(service.dialogKey, token, head, nowMs);
}

/** Sends a request along the dialog's own route set. */
export function followDialog(service: Service, proxied: Proxied, dialog: VerifiedRoute): undefined {
  const { exchange, routed, target, breadth, loopHash } = proxied;
  const { head, flow } = exchange;
  const account = accountOf(service, proxied, dialog);
  const transaction = service.transactions.createServerTransaction(exchange.request, head, flow);
  const { request } = routed;
  const way = { caller: VOUCHED, breadth, loopHash, isInDialog: true, dialog };
  const onSettled =
    account && ((final: Response | undefined) => account(final, forwarding.branches[0]?.client));
  const inbound = { exchange, transaction, request, ...way, onSettled };
  const forwarding = createForwarding(service, inbound, redirect);
  const search = openSearch(forwarding);
  search.groups = [[dialogTarget(routed, target, dialog)]];
  ring(forwarding, search);
}

/**
 * What a request says of the call that its dialog is: it ends, it is refreshed (RFC 4028), it goes on. Only what the other
 * party heard does: a sender with a Route or a Request-URI of his own could have anybody agree to it.
 */
function accountOf(service: Service, { exchange, routed }: Proxied, { isFromCaller }: VerifiedRoute) {
  const { request, head, flow } = exchange;
  const { calls } = service;
  const [caller, callee] = isFromCaller ? [head.from, head.to] : [head.to, head.from];
  const found = calls.of(head.callId, caller.tag ?? '', callee.tag ?? '');
  if (found.length === 0) return undefined;
  const at = service.now();
  const by = isFromCaller ? 'caller' : 'callee';
  const { method } = request;
  const isRefresh = method === 'INVITE' || method === 'UPDATE';
  return (final: Response | undefined, client: ClientTransaction | undefined) => {
    for (const { call, dialog } of found) {
      const [sender, receiver] = isFromCaller ? [call.party, dialog.callee] : [dialog.callee, call.party];
      const place = client && placeOf(client.flow);
      const isHeard = isFrom(service, sender, flow) && hasReached(receiver, wayTo(receiver, routed), place);
      if (method === 'BYE') {
        if (isHeard && isEnd(final, receiver)) calls.ended(call, dialog, at, by);
        else if (final === undefined || isSuccess(final))
          service.log('notice', 'bye-unheard', {
            src: sourceOf(flow),
            call: call.id,
            why: isHeard ? 'no answer' : 'it went elsewhere',
          });
      } else if (isRefresh && isSuccess(final)) {
        if (!isHeard) continue;
        calls.moved(call, sender, request);
        calls.moved(call, receiver, final);
        calls.heard(call, sessionOf(final));
      } else calls.heard(call, 'unchanged');
    }
  };
}

function isSuccess(final: Response | undefined): final is Response {
  return final !== undefined && final.status < 300;
}

/**
 * Who sends BYE hangs up, whatever becomes of it (RFC 3261 §15.1.1), unless the other one says that he may not. What charges
 * for the call goes on doing so until it knows.
 */
function isEnd(final: Response | undefined, { mayCharge }: CallParty): boolean {
  if (final === undefined) return !mayCharge;
  const { status } = final;
  return status < 300 || UNKNOWN.has(status) || (!mayCharge && UNREACHABLE.has(status));
}

/** The other one knows of no dialog. */
const UNKNOWN = new Set([404, 410, 481]);
/** The other one is not there. */
const UNREACHABLE = new Set([408, 480, 503]);

/** Where it goes: the next Route, the flow its peer is known by, or the Request-URI. */
export function dialogTarget(
  { request, nextRoute }: RoutedRequest,
  target: SipUri,
  { flow, isWithGateway }: VerifiedRoute,
): Target {
  const { requestUri } = request;
  if (nextRoute === undefined && flow !== undefined)
    return {
      requestUri,
      route: { type: 'flow', ends: flow, natted: true, path: [] },
      isPhone: true,
      mayBeGateway: isWithGateway,
    };
  const uri = nextRoute ?? target;
  return {
    requestUri,
    route: { type: 'uri', uri, path: [] },
    isPhone: nextRoute === undefined,
    mayBeGateway: isWithGateway,
  };
}
