// The next hops of a branch (RFC 3261 §16.6 step 7, RFC 3263): flows of contacts, or what DNS says of a URI.

import { parameterValue } from '../message/parameters.ts';
import type { SipUri } from '../message/uri.ts';
import type { ContactRoute } from '../registrar/contact-flow.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { NextHop } from '../transport/locate.ts';
import type { Service } from './service.ts';

const SIP_PORT = 5060;

/** One address to try. */
export interface Hop {
  readonly address: string;
  readonly port: number;
  /** Too long a datagram goes over TCP first: of hops found by RFC 3263 alone, a contact keeps the flow it registered on. */
  readonly mayBeTcp: boolean;
  /** The path there; undefined: none. Rejects where a connection can't be had. */
  open(): Flow | Promise<Flow> | undefined;
}

/** Why an address may not be sent to, or undefined. */
export type RefuseHop = (uri: SipUri) => string | undefined;

/** The hops of a route in the order to try them; none: there is no way. */
export function nextHops(
  service: Service,
  route: Exclude<ContactRoute, { type: 'unusable' }>,
  refuse: RefuseHop,
): Hop[] | Promise<Hop[]> {
  if (route.type === 'flow') return flowHops(service, route);
  const { uri } = route;
  const transport = parameterValue(uri.parameters, 'transport')?.toLowerCase();
  const address = canonicalAddress(uri.host);
  if (address !== undefined && (transport === undefined || transport === 'udp' || transport === 'tcp')) {
    const port = uri.port ?? SIP_PORT;
    return locatedHops(service, [{ transport: transport ?? 'udp', address, port }], transport, refuse);
  }
  const target = { host: uri.host, transport, port: uri.port };
  const found = service.locator.locate(target);
  const usable = (hops: readonly NextHop[]) => locatedHops(service, hops, target.transport, refuse);
  return found instanceof Promise ? found.then(usable) : usable(found);
}

/** A closed connection leaves a contact without a flow: it is connected to again where nothing is between. */
function flowHops(service: Service, route: ContactRoute & { type: 'flow' }): Hop[] {
  const { ends, fallback } = route;
  const { remoteAddress: address, remotePort: port } = ends;
  const hops: Hop[] = [];
  const flow = service.transport.findFlow(ends);
  if (flow !== undefined) hops.push({ address, port, mayBeTcp: false, open: () => flow });
  if (fallback !== undefined)
    hops.push({
      address: fallback.address,
      port: fallback.port,
      mayBeTcp: false,
      open: () => service.transport.flowTo('tcp', fallback.address, fallback.port),
    });
  return hops;
}

function locatedHops(
  service: Service,
  found: readonly NextHop[],
  wanted: string | undefined,
  refuse: RefuseHop,
): Hop[] {
  const hops: Hop[] = [];
  for (const { transport, address, port } of found) {
    const why = refuse(uriOf(address, port));
    if (why !== undefined) {
      service.log('info', 'hop-refused', { address, port, why });
      continue;
    }
    hops.push({
      address,
      port,
      mayBeTcp: transport === 'udp' && wanted === undefined,
      open: () => service.transport.flowTo(transport, address, port),
    });
  }
  return hops;
}

function uriOf(address: string, port: number): SipUri {
  const host = address.includes(':') ? `[${address}]` : address;
  return { type: 'sip', host, port, parameters: [] };
}
