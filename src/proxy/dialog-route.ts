// What our Record-Route says of a dialog (RFC 3261 §16.6 step 4): signed, so that nobody makes us a relay by inventing a
// Route, and so complete that the dialog needs no memory of ours: a BYE passes after a restart. Pure.

import { type HmacKey, hmac } from '../digest/hash.ts';
import type { Head } from '../message/head.ts';
import type { FlowEnds } from '../transport/connections.ts';
import type { TransportName } from '../transport/flow.ts';

/** The parameter of our Record-Route URIs that carries the token. */
export const TOKEN_PARAMETER = 'sr';

/** What a token says. A flow is there for a side that can be reached by no other way: behind NAT, over TCP, or on this host. */
export interface DialogRoute {
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  readonly callerFlow?: FlowEnds | undefined;
  readonly calleeFlow?: FlowEnds | undefined;
  /** A gateway is one of its sides: no other dialog leads to one. */
  readonly isWithGateway?: boolean | undefined;
  readonly media?: DialogMedia | undefined;
}

/** How the media of a dialog is relayed; a dialog without this is not. */
export interface DialogMedia {
  /** Names the call to the relay: hexadecimal digits. */
  readonly key: string;
  readonly isCallerNatted: boolean;
  readonly isCalleeNatted: boolean;
  /** The INVITE had no offer (RFC 3261 §13.2.1). */
  readonly isLateOffer: boolean;
}

/** A request within a dialog that we record-routed. */
export interface VerifiedRoute {
  /** Whether the one who made the dialog sent the request. */
  readonly isFromCaller: boolean;
  /** The flow of whom the request is for. */
  readonly flow: FlowEnds | undefined;
  readonly isWithGateway: boolean;
  readonly media?: DialogMedia | undefined;
}

const MAC_LENGTH = 22;

/** Makes the token of a dialog: over Call-ID, the caller's From tag, the expiry and the rest. */
export function signDialogRoute(key: HmacKey, callId: string, callerTag: string, route: DialogRoute): string {
  const expiry = Math.ceil(route.expiresAtMs / 1000).toString(36);
  const rest = formatRest(route);
  return `${expiry}.${macOf(key, callId, callerTag, expiry, rest)}${rest}`;
}

/** Reads a token off a Route; undefined where it is not ours, of another dialog, or has expired. Both directions. */
export function verifyDialogRoute(
  key: HmacKey,
  token: string,
  head: Head,
  nowMs: number,
): VerifiedRoute | undefined {
  const dot = token.indexOf('.');
  const expiry = token.slice(0, dot);
  if (dot < 1 || dot > 10 || Number.parseInt(expiry, 36) * 1000 < nowMs) return undefined;
  const restStart = dot + 1 + MAC_LENGTH;
  const mac = token.slice(dot + 1, restStart);
  const rest = token.slice(restStart);
  const { callId, from, to } = head;
  const isFromCaller = from.tag !== undefined && mac === macOf(key, callId, from.tag, expiry, rest);
  const isFromCallee =
    !isFromCaller && to.tag !== undefined && mac === macOf(key, callId, to.tag, expiry, rest);
  if (!isFromCaller && !isFromCallee) return undefined;
  const { callerFlow, calleeFlow, isWithGateway = false, media } = parseRest(rest);
  return { isFromCaller, flow: isFromCaller ? calleeFlow : callerFlow, isWithGateway, media };
}

/** What is compared is no secret of the peer's: it was sent to him. */
function macOf(key: HmacKey, callId: string, callerTag: string, expiry: string, rest: string): string {
  return hmac(key, `${callId}\n${callerTag}\n${expiry}\n${rest}`, 'base64url').slice(0, MAC_LENGTH);
}

/** `.` and in base64url the flows, the caller's first, `g` for a gateway, how media is relayed; nothing where all are missing. */
function formatRest(route: Omit<DialogRoute, 'expiresAtMs'>): string {
  const { callerFlow, calleeFlow, isWithGateway = false, media } = route;
  const words = [
    ...[formatFlow(callerFlow), formatFlow(calleeFlow)],
    ...[isWithGateway ? 'g' : '', media === undefined ? '' : formatMedia(media)],
  ];
  const text = words.join(' ').trimEnd();
  if (text === '') return '';
  return `.${Buffer.from(text, 'latin1').toString('base64url')}`;
}

/** Both ends of a flow in printable ASCII without spaces; nothing for none. */
export function formatFlow(flow: FlowEnds | undefined): string {
  if (flow === undefined) return '';
  const { transport, localAddress, localPort, remoteAddress, remotePort } = flow;
  return `${transport},${localAddress},${localPort},${remoteAddress},${remotePort}`;
}

/** The text is ours: the MAC said so. */
function parseRest(rest: string): Omit<DialogRoute, 'expiresAtMs'> {
  if (rest === '') return {};
  const text = Buffer.from(rest.slice(1), 'base64url').toString('latin1');
  const [caller = '', callee = '', mark, media = ''] = text.split(' ');
  return {
    callerFlow: parseFlow(caller),
    calleeFlow: parseFlow(callee),
    isWithGateway: mark === 'g',
    media: media === '' ? undefined : parseMedia(media),
  };
}

/** Reads what `formatFlow` wrote. */
export function parseFlow(text: string): FlowEnds | undefined {
  if (text === '') return undefined;
  const [transport, localAddress = '', localPort, remoteAddress = '', remotePort] = text.split(',');
  return {
    transport: transport as TransportName,
    localAddress,
    localPort: Number(localPort),
    remoteAddress,
    remotePort: Number(remotePort),
  };
}

/** The key and a letter for each thing that is so. */
function formatMedia({ key, isCallerNatted, isCalleeNatted, isLateOffer }: DialogMedia): string {
  return `${key},${isCallerNatted ? 'r' : ''}${isCalleeNatted ? 'e' : ''}${isLateOffer ? 'l' : ''}`;
}

function parseMedia(text: string): DialogMedia {
  const [key = '', letters = ''] = text.split(',');
  return {
    key,
    isCallerNatted: letters.includes('r'),
    isCalleeNatted: letters.includes('e'),
    isLateOffer: letters.includes('l'),
  };
}
