// ACK for a 2xx (RFC 3261 §16.6, §17.1.1.3): sent on along the dialog's route, without a transaction. What becomes of it
// nobody asks: the callee repeats his 2xx.

import { hash } from '../digest/hash.ts';
import { formatMessage } from '../message/format.ts';
import type { Request } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import type { VerifiedRoute } from '../proxy/dialog-route.ts';
import { addressStrictRouter, createForwardedRequest, nextMaxForwards } from '../proxy/forwarding.ts';
import type { RoutedRequest } from '../proxy/routing.ts';
import type { Flow } from '../transport/flow.ts';
import { refusalOfHops } from './branch.ts';
import { viaOf } from './branch-request.ts';
import type { Exchange } from './exchange.ts';
import { dialogTarget } from './in-dialog.ts';
import { relayAck } from './media-relay.ts';
import { type Hop, nextHops } from './next-hop.ts';
import type { Service } from './service.ts';

/** Sends an ACK on. */
export function forwardAck(
  service: Service,
  exchange: Exchange,
  routed: RoutedRequest,
  dialog: VerifiedRoute,
): void {
  const target = parseUri(routed.request.requestUri);
  if (target?.type !== 'sip' || routed.isUnreadable) return;
  const dialogs = dialogTarget(routed, target, dialog);
  const { route, requestUri } = dialogs;
  const send = (flow: Flow) => {
    const relayed = relayAck(service, exchange, routed.request, dialog, flow);
    if (relayed === undefined) sendCopy(routed.request, flow);
    else void relayed.then((request) => sendCopy(request, flow));
  };
  const sendCopy = (request: Request, flow: Flow) => {
    const ack = createForwardedRequest(request, {
      requestUri,
      maxForwards: nextMaxForwards(exchange.head.maxForwards),
      maxBreadth: undefined,
      recordRoutes: [],
      routes: [],
      via: viaOf(service, flow, statelessBranch(service, exchange)),
      realm: service.authenticator.realm,
      assertedIdentity: undefined,
      added: [],
    });
    flow.send(formatMessage(addressStrictRouter(ack)), flow.reliable ? () => {} : undefined);
  };
  const fault = (error: Error) =>
    service.log('error', 'internal-error', { why: error.stack ?? error.message });
  const go = (hops: readonly Hop[]) => {
    const flow = hops[0]?.open();
    if (flow instanceof Promise) flow.then(send, () => {}).catch(fault);
    else if (flow !== undefined) send(flow);
  };
  const source = exchange.flow.remoteAddress;
  const hops = nextHops(service, route, refusalOfHops(service, dialogs, source));
  if (Array.isArray(hops)) go(hops);
  else hops.then(go).catch(fault);
}

/** The same for an ACK that comes again (RFC 3261 §16.11). */
function statelessBranch({ loopSecret }: Service, { head }: Exchange): string {
  const { via, callId, cseq } = head;
  return `z9hG4bK${hash('MD5', `${loopSecret}\n${via.branch ?? ''}\n${callId}\n${cseq.number}`)}`;
}
