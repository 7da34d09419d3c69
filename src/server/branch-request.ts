// The copy of a request for one branch, with what only the server knows: sockets, keys, trust (RFC 3261 §16.6).

import { parseAddress } from '../message/address.ts';
import { fieldValue } from '../message/fields.ts';
import { bracketHost } from '../message/host.ts';
import type { Request } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { viaCount } from '../message/via.ts';
import { signDialogRoute, TOKEN_PARAMETER } from '../proxy/dialog-route.ts';
import {
  addressStrictRouter,
  createForwardedRequest,
  type ForwardPlan,
  nextMaxForwards,
} from '../proxy/forwarding.ts';
import { retargetingFields } from '../proxy/retargeting.ts';
import { addressKind } from '../registrar/contact-address.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { FlowEnds } from '../transport/connections.ts';
import type { Flow } from '../transport/flow.ts';
import type { Branch, Target } from './branch.ts';
import { assertedIdentityOf } from './caller.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarding, Inbound } from './forwarding.ts';
import type { Service } from './service.ts';

/** The methods that make a dialog (RFC 3261 §12, RFC 3515, RFC 6665): we stay on its way. */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);
/** A dialog's route holds this much longer than the longest call. */
const ROUTE_MARGIN_MS = 3_600_000;

/** Makes the copy that leaves by a flow, under the branch parameter `branchId`. */
export function createBranchRequest(
  forwarding: Forwarding,
  branch: Branch,
  flow: Flow,
  branchId: string,
): Request {
  const { service, inbound } = forwarding;
  const { target, search } = branch;
  const { request, exchange } = inbound;
  const makesDialog = !inbound.isInDialog && DIALOG_METHODS.has(request.method);
  const plan: ForwardPlan = {
    requestUri: target.requestUri,
    maxForwards: nextMaxForwards(exchange.head.maxForwards),
    maxBreadth: inbound.isInDialog ? undefined : branch.breadth,
    recordRoutes: makesDialog ? recordRoutes(service, inbound, branch, flow) : [],
    routes: target.route.path,
    via: viaOf(service, flow, branchId),
    realm: service.authenticator.realm,
    assertedIdentity: identityFor(service, inbound, target, flow),
    added: [
      ...retargetingFields(request, search.retargetings, target.requestUri),
      ...(branch.answer?.flow === flow ? [branch.answer.field] : []),
    ],
  };
  const copied = branch.media === undefined ? request : { ...request, body: branch.media.body };
  return addressStrictRouter(createForwardedRequest(copied, plan));
}

/** Our Via over a flow; `rport` brings the answer back where a NAT lies between (RFC 3581). */
export function viaOf({ transport }: Pick<Service, 'transport'>, flow: Flow, branch: string): string {
  const name = flow.transport === 'tcp' ? 'TCP' : 'UDP';
  return `SIP/2.0/${name} ${transport.sentBy(flow)};branch=${branch};rport`;
}

/** Step 4: one, or one for each socket where the request leaves by another than it came by (RFC 5658). */
function recordRoutes(service: Service, inbound: Inbound, { target, media }: Branch, flow: Flow): string[] {
  const { exchange } = inbound;
  const { head } = exchange;
  const token = signDialogRoute(service.dialogKey, head.callId, head.from.tag ?? '', {
    expiresAtMs: exchange.nowMs + service.keywords.MaxCallDuration * 1000 + ROUTE_MARGIN_MS,
    isWithGateway: target.gateway !== undefined || service.gateways.isGateway(exchange.flow.remoteAddress),
    callerFlow: callerFlow(inbound, flow),
    calleeFlow:
      target.route.type === 'flow' && (isOnlyWay(target.route) || isUnreachable(flow, exchange.flow))
        ? endsOf(flow)
        : undefined,
    media: media?.relay === undefined ? undefined : media.dialog,
  });
  const out = recordRoute(service, flow, token);
  const into = recordRoute(service, exchange.flow, token);
  return out === into ? [out] : [out, into];
}

function recordRoute(service: Service, flow: Flow, token: string): string {
  const transport = flow.transport === 'tcp' ? ';transport=tcp' : '';
  return `<sip:${service.transport.sentBy(flow)}${transport};lr;${TOKEN_PARAMETER}=${token}>`;
}

/** Behind NAT, or a connection that the phone made. */
function isOnlyWay({ natted, ends }: { natted: boolean; ends: FlowEnds }): boolean {
  return natted || ends.transport === 'tcp';
}

/** A phone on this host, or on this link, has an address that nobody elsewhere is let to (DESIGN §4.6). */
function isUnreachable({ remoteAddress }: Flow, from: Flow): boolean {
  const kind = addressKind(remoteAddress);
  return (kind === 'loopback' || kind === 'link-local') && addressKind(from.remoteAddress) !== kind;
}

/** The caller's flow, where his Contact leads nobody to him: behind NAT, or over TCP. No proxy may be between. */
function callerFlow({ exchange }: Inbound, onward: Flow): FlowEnds | undefined {
  const { request, flow } = exchange;
  const isOnly = flow.transport === 'tcp' || isContactElsewhere(request, flow) || isUnreachable(flow, onward);
  return isOnly && isAdjacent(request) ? endsOf(flow) : undefined;
}

/** Whether a NAT lies between the sender of a request and us. */
export function isCallerNatted({ request, flow }: Exchange): boolean {
  return isAdjacent(request) && isContactElsewhere(request, flow);
}

/** No proxy is between. */
function isAdjacent(request: Request): boolean {
  return viaCount(request) === 1;
}

function isContactElsewhere(request: Request, { remoteAddress }: Flow): boolean {
  const value = fieldValue(request, 'contact');
  if (value === undefined || value.includes(`@${remoteAddress}:`)) return false;
  const uri = parseUri(parseAddress(value)?.uri ?? '');
  return uri?.type === 'sip' && canonicalAddress(uri.host) !== remoteAddress;
}

function endsOf({ transport, localAddress, localPort, remoteAddress, remotePort }: Flow): FlowEnds {
  return { transport, localAddress, localPort, remoteAddress, remotePort };
}

/**
 * RFC 3325 §5: our users are asserted to peers that root trusts, and what peers assert passes between them. A gateway with
 * From is told that instead: From itself is the dialog's and no proxy's.
 */
function identityFor(
  service: Service,
  { caller }: Inbound,
  { gateway }: Target,
  flow: Flow,
): ForwardPlan['assertedIdentity'] {
  if (gateway?.from !== undefined) {
    const { user, host } = gateway.from;
    const uri = `sip:${user}@${host ?? bracketHost(gateway.address.host)}`;
    return { value: assertedIdentityOf({ ...caller, facts: { ...caller.facts, uri } }) };
  }
  if (!service.isTrustedPeer(flow.remoteAddress)) return undefined;
  if (caller.type === 'peer') return 'keep';
  return caller.type === 'user' ? { value: assertedIdentityOf(caller) } : undefined;
}
