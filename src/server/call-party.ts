// Where a party of a call is to be found (RFC 3261 §12.1), and whether a request within the dialog reaches him there: only
// then what is answered says something of the call.

import { parseAddress } from '../message/address.ts';
import { fieldValue, fieldValues, splitList, unfold } from '../message/fields.ts';
import type { Message, Response } from '../message/message.ts';
import { parameterValue } from '../message/parameters.ts';
import { parseUri, sameUri } from '../message/uri.ts';
import type { RoutedRequest } from '../proxy/routing.ts';
import type { Flow } from '../transport/flow.ts';
import type { Service } from './service.ts';

/** One side of a dialog, as its INVITE or 2xx said. Texts are octet strings. */
export interface CallParty {
  /** The URI of his Contact, the remote target (§12.1.1); empty: unknown. */
  contact: string;
  /** The Record-Route values of the proxies between us and him, the next to us first. */
  readonly routes: readonly string[];
  /** Where we send what is for him: IP address and port. */
  readonly at: string;
  /** He is a gateway or a peer that root trusts: what he charges for only his own word ends. */
  readonly mayCharge: boolean;
}

/** The way that a request within a dialog takes: just as §12.2.1.1 says, another Request-URI, or by others. */
export type Way = 'exact' | 'other-target' | 'other-route';

/** One of the dialogs of a call: whoever gets two successes has two (§13.2.2.4). */
export interface CallDialog {
  /** The callee's. */
  readonly tag: string;
  readonly callee: CallParty;
}

const LONGEST_TAG = 200;
const LONGEST_URI = 1000;
const MOST_ROUTES = 20;

/** The side that a message with its Contact came from. */
export function partyOf(
  message: Message,
  routes: readonly string[],
  flow: Flow,
  mayCharge: boolean,
): CallParty {
  return {
    contact: contactOf(message),
    routes: routes.slice(0, MOST_ROUTES).map((route) => detached(route, LONGEST_URI)),
    at: placeOf(flow),
    mayCharge,
  };
}

/** The dialog that a success makes (§12.1.2) which came over a flow; `added` Record-Route values were in its INVITE there. */
export function dialogOf(response: Response, added: number, flow: Flow, charges: boolean): CallDialog {
  const to = parseAddress(unfold(fieldValue(response, 'to') ?? ''));
  const tag = to && parameterValue(to.parameters, 'tag');
  const routes = recordRoutesOf(response);
  const beyond = routes.slice(0, Math.max(routes.length - added, 0)).reverse();
  return { tag: shortTag(tag ?? ''), callee: partyOf(response, beyond, flow, charges) };
}

/** A tag as dialogs are told apart by. */
export function shortTag(tag: string): string {
  return detached(tag, LONGEST_TAG);
}

/** The URI of a Contact; empty where there is none. */
export function contactOf(message: Message): string {
  const value = fieldValue(message, 'contact');
  return value === undefined ? '' : detached(parseAddress(value)?.uri ?? '', LONGEST_URI);
}

/** The Record-Route values of a message, topmost first. */
export function recordRoutesOf(message: Message): string[] {
  return fieldValues(message, 'record-route').flatMap(splitList);
}

/** IP address and port of a flow's other end. */
export function placeOf({ remoteAddress, remotePort }: Pick<Flow, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Whether calls through an address may cost: it is a gateway's, or of a peer that root trusts. */
export function mayCharge({ gateways, isTrustedPeer }: Service, address: string): boolean {
  return gateways.isGateway(address) || isTrustedPeer(address);
}

/** Whether a request that came over a flow is the party's own: of whoever charges, nobody else speaks for him. */
export function isFrom(service: Service, party: CallParty, { remoteAddress }: Flow): boolean {
  return !party.mayCharge || party.at.startsWith(`${remoteAddress} `) || mayCharge(service, remoteAddress);
}

/**
 * Whether a request reached its party that took this way to `place`; undefined: it could not be sent. A phone is known by
 * its place, too, as some are careless about the Request-URI; what charges may be a proxy to places of the sender's.
 */
export function hasReached(party: CallParty, way: Way, place: string | undefined): boolean {
  return way === 'exact' || (way === 'other-target' && !party.mayCharge && place === party.at);
}

/** How a request, our own Route values taken off, goes to a party. */
export function wayTo(party: CallParty, { request, isUnreadable }: RoutedRequest): Way {
  const routes = fieldValues(request, 'route').flatMap(splitList);
  const isOurs =
    !isUnreadable &&
    routes.length === party.routes.length &&
    routes.every((route, index) => isSame(addressUri(route), addressUri(party.routes[index] as string)));
  if (!isOurs) return 'other-route';
  return isSame(request.requestUri, party.contact) ? 'exact' : 'other-target';
}

function addressUri(route: string): string {
  return parseAddress(route)?.uri ?? '';
}

function isSame(first: string, second: string): boolean {
  if (first === '' || second === '') return false;
  if (first === second) return true;
  const a = parseUri(first);
  const b = parseUri(second);
  return a !== undefined && b !== undefined && sameUri(a, b);
}

/** A text that does not keep the whole message in memory that it was cut from. */
export function detached(text: string, most: number): string {
  return Buffer.from(text.slice(0, most), 'latin1').toString('latin1');
}
