// What is neither a REGISTER nor for ourselves (RFC 3261 §16; DESIGN §4.7), top to bottom: routing preprocessed, dialogs of
// ours let through, the sender identified, then sent on.

import { accountOf, authorize, unavailable } from '../auth/authorize.ts';
import { reject } from '../auth/rejection.ts';
import type { Gateway } from '../home/gateway.ts';
import { createField } from '../message/response.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { preprocessRoute, type RoutedRequest } from '../proxy/routing.ts';
import {
  breadthOf,
  detectLoop,
  loopHashOf,
  validateMaxForwards,
  validateProxyRequire,
  validateScheme,
} from '../proxy/validation.ts';
import type { Answer } from '../store/store.ts';
import type { ServerTransaction } from '../transaction/layer.ts';
import { forwardAck } from './ack.ts';
import { type Caller, callerOfPeer, callerOfStranger, callerOfUser } from './caller.ts';
import { redirect, seek, seekElsewhere } from './destination.ts';
import { type Exchange, refuse, refuseIn } from './exchange.ts';
import { createForwarding, fail, type Inbound, openSearch } from './forwarding.ts';
import { identify } from './identify.ts';
import { dialogOf, followDialog } from './in-dialog.ts';
import { flowOf, followFlow } from './peer-flow.ts';
import type { Service } from './service.ts';

/** Serves one request; undefined when it was answered, or sent on, without asking the store. */
export function serveProxied(service: Service, exchange: Exchange): Promise<void> | undefined {
  const { request, head } = exchange;
  const routed = preprocessRoute(request, (uri) => isOwnRoute(service, uri));
  const dialog = dialogOf(service, exchange, routed.tokens);
  if (request.method === 'ACK') {
    // An ACK is never answered; one without a way of ours belongs to nothing here.
    if (dialog !== undefined && head.maxForwards !== 0) forwardAck(service, exchange, routed, dialog);
    return undefined;
  }
  const target = routed.request === request ? exchange.target : parseUri(routed.request.requestUri);
  const breadth = breadthOf(request);
  // Within a dialog the route set says where it goes, and Max-Forwards ends what goes round.
  const loopHash = dialog === undefined ? loopHashOf(service.loopSecret, request, head) : '';
  const rejection =
    validateScheme(routed.request, target) ??
    validateMaxForwards(head) ??
    (loopHash === '' ? undefined : detectLoop(request, loopHash)) ??
    validateProxyRequire(request) ??
    (typeof breadth === 'number' ? undefined : breadth) ??
    (routed.isUnreadable ? reject(400, 'Route', { reason: 'Bad Route' }) : undefined);
  if (rejection !== undefined) return refuse(service, exchange, rejection);
  const proxied = { exchange, routed, target: target as SipUri, breadth: breadth as number, loopHash };
  if (dialog !== undefined) return followDialog(service, proxied, dialog);
  const flow = flowOf(service, routed.flowToken, exchange.nowMs);
  if (flow !== undefined) return followFlow(service, proxied, flow);
  return identifyCaller(service, proxied);
}

/** A request that may be sent on, its routing preprocessed. */
export interface Proxied {
  readonly exchange: Exchange;
  readonly routed: RoutedRequest;
  readonly target: SipUri;
  readonly breadth: number;
  readonly loopHash: string;
}

/** Whether a Route value names us: `<sip:us;lr>`, however the phone came by it. */
function isOwnRoute(service: Service, { user, host, port }: SipUri): boolean {
  if (user !== undefined) return false;
  if (service.transport.isOwn(host, port)) return true;
  return (
    service.domains.isLocal(host) &&
    (port === undefined ? !service.domains.isOwnAddress(host) : service.transport.isOwnPort(port))
  );
}

function identifyCaller(service: Service, proxied: Proxied): Promise<void> | undefined {
  const { exchange } = proxied;
  const { request, head, flow } = exchange;
  const from = parseUri(head.from.uri);
  if (service.isTrustedPeer(flow.remoteAddress))
    return admit(service, proxied, callerOfPeer(request, head.from.uri));
  const isLocal = (from?.type === 'sip' || from?.type === 'sips') && service.domains.isLocal(from.host);
  if (isLocal)
    return identify(
      service,
      exchange,
      'proxy',
      (user) => [{ type: 'loadConfig', known: user.configVersion }],
      ({ identity, transaction, user, account, answers }) => {
        const [config] = answers as [Answer];
        const refusal = authorize(identity.user, accountOf(from), account) ?? unavailable(config);
        if (refusal !== undefined) return refuseIn(service, exchange, transaction, refusal);
        service.users.admitted(user, account);
        service.users.configLoaded(user, config);
        const caller = callerOfUser(service, request, user);
        sendOn(service, proxied, transaction, caller);
      },
    );
  // Who calls us as we registered at a gateway was told so by it, whatever its address.
  const { target } = proxied;
  if (!service.keywords.AllowUnauthenticated && service.gateways.registeredAs(target) === undefined)
    return refuse(service, exchange, reject(403, `foreign From ${head.from.uri}`));
  return admit(service, proxied, callerOfStranger(request, head.from.uri));
}

function admit(service: Service, proxied: Proxied, caller: Caller): undefined {
  const { request, head, flow } = proxied.exchange;
  sendOn(service, proxied, service.transactions.createServerTransaction(request, head, flow), caller);
}

const noLimit = () => {};

/** §16.5: a Route that is left says where, of those who may say so; else the Request-URI. */
function sendOn(service: Service, proxied: Proxied, transaction: ServerTransaction, caller: Caller): void {
  const { exchange, routed, target, breadth, loopHash } = proxied;
  const { request } = routed;
  const isInvite = request.method === 'INVITE';
  const onSettled = caller.type === 'user' && isInvite ? service.callAttempts.begin(caller.name) : noLimit;
  // Also with a To tag: no dialog of ours has it, and a phone may take it for a call.
  const call = isInvite && onSettled !== undefined ? service.calls.open(caller, exchange) : undefined;
  if (onSettled === undefined || (isInvite && call === undefined)) {
    onSettled?.();
    service.counters.callsAtOnce++;
    const fields = [createField('Retry-After', '5')];
    const options = { reason: 'Too Many Calls At Once', fields };
    refuseIn(service, exchange, transaction, reject(503, `too many calls of ${caller.name}`, options));
    return;
  }
  if (isInvite) service.counters.calls++;
  const inbound: Inbound = {
    ...{ exchange, transaction, request, caller, breadth, loopHash },
    isInDialog: false,
    call,
    onSettled,
  };
  const forwarding = createForwarding(service, inbound, redirect);
  const search = openSearch(forwarding, { gateway: gatewayOf(service, proxied, caller) });
  const { nextRoute } = routed;
  if (nextRoute === undefined) seek(forwarding, search, target);
  else if (caller.type === 'stranger') fail(forwarding, search, reject(403, 'Route of a stranger'));
  else seekElsewhere(forwarding, search, target, nextRoute);
}

/** The gateway that a request comes from: it says so by what it calls us, or is trusted by its address. */
function gatewayOf(service: Service, { exchange, target }: Proxied, { type }: Caller): Gateway | undefined {
  if (type === 'user') return undefined;
  const called = service.gateways.registeredAs(target);
  return called ?? (type === 'peer' ? service.gateways.from(exchange.flow.remoteAddress) : undefined);
}
