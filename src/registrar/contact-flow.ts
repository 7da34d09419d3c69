// How a contact is reached: by the flow its REGISTER came on, or by its URI (RFC 3261 §16.6, RFC 3327 §5.3, RFC 5626 §5.3,
// DESIGN §2, §4.6). usrloc is the user's to edit, so that what the server says in it counts only under its MAC. Pure.

import type { Binding } from '../home/usrloc.ts';
import { parseAddress } from '../message/address.ts';
import { parameterValue } from '../message/parameters.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { FlowEnds } from '../transport/connections.ts';
import type { TransportName } from '../transport/flow.ts';

/** An address literal, canonical, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The way to a contact; the values of `path` become its Route (RFC 3327 §5.3). */
export type ContactRoute =
  /** Over a flow of ours. */
  | {
      readonly type: 'flow';
      readonly ends: FlowEnds;
      /** The contact is behind NAT: nothing but this flow leads there. */
      readonly natted: boolean;
      /** Where to connect when a TCP connection is gone; never behind NAT. */
      readonly fallback?: Endpoint | undefined;
      readonly path: readonly string[];
    }
  /** To be located by RFC 3263; `uri` is the contact's, or that of the first of `path`. */
  | { readonly type: 'uri'; readonly uri: SipUri; readonly path: readonly string[] }
  | { readonly type: 'unusable'; readonly why: string };

const SIP_PORT = 5060;
const NO_PATH: readonly string[] = [];

/** Says how a contact is reached. `uri` is the binding's, parsed; `isSigned`: its `sr-mac` fits. */
export function contactRoute(binding: Binding, uri: SipUri, isSigned: boolean): ContactRoute {
  const why = unusable(uri);
  if (why !== undefined) return { type: 'unusable', why };
  if (!isSigned) return { type: 'uri', uri, path: NO_PATH };
  return binding.path === undefined ? direct(binding, uri) : alongPath(binding, binding.path);
}

/** A contact that registered here without a proxy between. */
function direct(binding: Binding, uri: SipUri): ContactRoute {
  const local = parseSocket(binding.socket);
  if (binding.received !== undefined) {
    const received = parseReceived(binding.received);
    if (local === undefined || local.transport !== received?.transport)
      return { type: 'unusable', why: 'sr-received and sr-socket name no flow' };
    return { type: 'flow', ends: flowEnds(local, received), natted: true, path: NO_PATH };
  }
  const literal = endpointOf(uri);
  const wanted = transportOf(uri) ?? local?.transport;
  if (local === undefined || literal === undefined || wanted !== local.transport)
    return { type: 'uri', uri, path: NO_PATH };
  const remote = local.transport === 'udp' ? literal : parseEndpoint(binding.source);
  if (remote === undefined) return { type: 'uri', uri, path: NO_PATH };
  const fallback = local.transport === 'tcp' ? literal : undefined;
  return { type: 'flow', ends: flowEnds(local, remote), natted: false, fallback, path: NO_PATH };
}

/** A contact behind proxies: the first of them is the next hop, by the flow the REGISTER came on if that leads to it. */
function alongPath(binding: Binding, path: readonly string[]): ContactRoute {
  const uri = parseUri(parseAddress(path[0] ?? '')?.uri ?? '');
  if (uri === undefined || 'rest' in uri) return { type: 'unusable', why: 'sr-path is no SIP URI' };
  const why = unusable(uri);
  if (why !== undefined) return { type: 'unusable', why: `sr-path: ${why}` };
  const local = parseSocket(binding.socket);
  const proxy = endpointOf(uri);
  const source = parseReceived(binding.received) ?? parseEndpoint(binding.source);
  const wanted = transportOf(uri) ?? local?.transport;
  const cameFromIt =
    source !== undefined &&
    source.address === proxy?.address &&
    (local?.transport === 'tcp' || source.port === proxy.port);
  if (local === undefined || local.transport !== wanted || !cameFromIt) return { type: 'uri', uri, path };
  const fallback = local.transport === 'tcp' ? proxy : undefined;
  return { type: 'flow', ends: flowEnds(local, source), natted: false, fallback, path };
}

/** Why a URI can't be reached at all, or undefined: `sips` is never downgraded. */
function unusable(uri: SipUri): string | undefined {
  if (uri.type === 'sips') return 'sips without TLS';
  const transport = parameterValue(uri.parameters, 'transport');
  return transport === undefined || transportOf(uri) !== undefined
    ? undefined
    : `transport=${transport} is not spoken here`;
}

function transportOf({ parameters }: SipUri): TransportName | undefined {
  return transportNamed(parameterValue(parameters, 'transport')?.toLowerCase());
}

function transportNamed(text: string | undefined): TransportName | undefined {
  return text === 'udp' || text === 'tcp' ? text : undefined;
}

/** Where a URI with a literal address points; undefined for a name. */
function endpointOf({ host, port = SIP_PORT }: SipUri): Endpoint | undefined {
  const address = canonicalAddress(host);
  return address === undefined || port === 0 ? undefined : { address, port };
}

/** Parses `sr-socket`: `udp:192.0.2.1:5060`, `tcp:[::1]:5060`. */
function parseSocket(text: string | undefined): (Endpoint & { transport: TransportName }) | undefined {
  const colon = text?.indexOf(':') ?? -1;
  const transport = transportNamed(text?.slice(0, colon));
  const endpoint = parseEndpoint(text?.slice(colon + 1));
  return transport === undefined || endpoint === undefined ? undefined : { ...endpoint, transport };
}

/** Parses `sr-received`: `sip:203.0.113.9:1024;transport=tcp`; without a transport it is UDP. */
function parseReceived(text: string | undefined): (Endpoint & { transport: TransportName }) | undefined {
  const uri = text === undefined ? undefined : parseUri(text);
  if (uri?.type !== 'sip' || unusable(uri) !== undefined) return undefined;
  const endpoint = endpointOf(uri);
  return endpoint && { ...endpoint, transport: transportOf(uri) ?? 'udp' };
}

/** Parses `sr-source`: `203.0.113.9:1024`, `[2001:db8::9]:1024`. */
function parseEndpoint(text: string | undefined): Endpoint | undefined {
  const uri = text === undefined || /[;?@]/.test(text) ? undefined : parseUri(`sip:${text}`);
  return uri?.type === 'sip' && uri.port !== undefined ? endpointOf(uri) : undefined;
}

function flowEnds(local: Endpoint & { transport: TransportName }, remote: Endpoint): FlowEnds {
  return {
    transport: local.transport,
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
}
