// A request that another server of our database sends over a flow of ours (contact-way.ts): its signature lets it through,
// without credentials, since who it is was asked there; and there its call is kept account of.

import { verifyFlowRoute } from '../proxy/flow-route.ts';
import type { FlowEnds } from '../transport/connections.ts';
import { VOUCHED } from './caller.ts';
import { redirect } from './destination.ts';
import { createForwarding, openSearch, ring } from './forwarding.ts';
import type { Proxied } from './proxy-request.ts';
import type { Service } from './service.ts';

/** The flow that a Route value of ours names, where a server that has our key wrote it. */
export function flowOf(service: Service, token: string | undefined, nowMs: number): FlowEnds | undefined {
  return token === undefined ? undefined : verifyFlowRoute(service.dialogKey, token, nowMs);
}

/** Sends a request over the flow; where that is gone, so is the phone. */
export function followFlow(service: Service, proxied: Proxied, ends: FlowEnds): undefined {
  const { exchange, routed, breadth, loopHash } = proxied;
  const { head, flow } = exchange;
  const { request } = routed;
  const transaction = service.transactions.createServerTransaction(exchange.request, head, flow);
  const onSettled = () => {};
  const way = { caller: VOUCHED, breadth, loopHash, isInDialog: false, onSettled };
  const forwarding = createForwarding(service, { exchange, transaction, request, ...way }, redirect);
  const search = openSearch(forwarding);
  const { requestUri } = request;
  const route = { type: 'flow', ends, natted: true, path: [] } as const;
  search.groups = [[{ requestUri, route, isPhone: true, mayBeGateway: false }]];
  ring(forwarding, search);
}
