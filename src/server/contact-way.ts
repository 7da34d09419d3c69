// The way to a contact from this server. Of servers of one database (DESIGN §7) one has the flow that a phone behind NAT, or on
// TCP, is reached by: the others send what is for it there, with a Route that says over which flow.

import { UNIX_URL } from '../home/database-url.ts';
import type { Binding } from '../home/usrloc.ts';
import { parseAddress } from '../message/address.ts';
import { bracketHost } from '../message/host.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { flowRoute } from '../proxy/flow-route.ts';
import { type ContactRoute, contactRoute } from '../registrar/contact-flow.ts';
import type { Service } from './service.ts';

/** How long another server may act on a Route: longer than a way is remembered. */
const ROUTE_MS = 60_000;

/** Says how a contact is reached. `uri` is the binding's, parsed; `isSigned`: its `sr-mac` fits. */
export function contactWay(
  { keywords, transport, dialogKey }: Pick<Service, 'keywords' | 'transport' | 'dialogKey'>,
  binding: Binding,
  uri: SipUri,
  isSigned: boolean,
): ContactRoute {
  const route = contactRoute(binding, uri, isSigned);
  if (route.type !== 'flow' || keywords.DbUrl === UNIX_URL) return route;
  const { ends, natted, path } = route;
  if (transport.isOwn(bracketHost(ends.localAddress), ends.localPort)) return route;
  // Nothing lies between: it can be reached from anywhere.
  if (ends.transport === 'udp' && !natted) return { type: 'uri', uri, path };
  const value = flowRoute(dialogKey, ends, Date.now() + ROUTE_MS);
  const server = parseUri(parseAddress(value)?.uri ?? '') as SipUri;
  return { type: 'uri', uri: server, path: [value, ...path] };
}
