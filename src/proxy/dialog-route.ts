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
}

/** A request within a dialog that we record-routed. */
export interface VerifiedRoute {
  /** Whether the one who made the dialog sent the request. */
  readonly isFromCaller: boolean;
  /** The flow of whom the request is for. */
  readonly flow: FlowEnds | undefined;
  readonly isWithGateway: boolean;
}

const MAC_LENGTH = 22;

/** Makes the token of a dialog: over Call-ID, the caller's From tag, the expiry and the flows. */
export function signDialogRoute(key: HmacKey, callId: string, callerTag: string, route: DialogRoute): string {
  const expiry = Math.ceil(route.expiresAtMs / 1000).toString(36);
  const flows = formatFlows(route);
  return `${expiry}.${macOf(key, callId, callerTag, expiry, flows)}${flows}`;
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
  const flowsStart = dot + 1 + MAC_LENGTH;
  const mac = token.slice(dot + 1, flowsStart);
  const flows = token.slice(flowsStart);
  const { callId, from, to } = head;
  const isFromCaller = from.tag !== undefined && mac === macOf(key, callId, from.tag, expiry, flows);
  const isFromCallee =
    !isFromCaller && to.tag !== undefined && mac === macOf(key, callId, to.tag, expiry, flows);
  if (!isFromCaller && !isFromCallee) return undefined;
  const { callerFlow, calleeFlow, isWithGateway = false } = parseFlows(flows);
  return { isFromCaller, flow: isFromCaller ? calleeFlow : callerFlow, isWithGateway };
}

/** What is compared is no secret of the peer's: it was sent to him. */
function macOf(key: HmacKey, callId: string, callerTag: string, expiry: string, flows: string): string {
  return hmac(key, `${callId}\n${callerTag}\n${expiry}\n${flows}`, 'base64url').slice(0, MAC_LENGTH);
}

/** `.` and the flows as base64url, the caller's first, `g` behind them; nothing where there is nothing to say. */
function formatFlows({ callerFlow, calleeFlow, isWithGateway = false }: DialogRoute): string {
  if (callerFlow === undefined && calleeFlow === undefined && !isWithGateway) return '';
  const text = `${formatFlow(callerFlow)} ${formatFlow(calleeFlow)}${isWithGateway ? ' g' : ''}`;
  return `.${Buffer.from(text, 'latin1').toString('base64url')}`;
}

function formatFlow(flow: FlowEnds | undefined): string {
  if (flow === undefined) return '';
  const { transport, localAddress, localPort, remoteAddress, remotePort } = flow;
  return `${transport},${localAddress},${localPort},${remoteAddress},${remotePort}`;
}

/** The text is ours: the MAC said so, or will. */
function parseFlows(flows: string): Omit<DialogRoute, 'expiresAtMs'> {
  if (flows === '') return {};
  const [caller = '', callee = '', mark] = Buffer.from(flows.slice(1), 'base64url')
    .toString('latin1')
    .split(' ');
  return { callerFlow: parseFlow(caller), calleeFlow: parseFlow(callee), isWithGateway: mark === 'g' };
}

function parseFlow(text: string): FlowEnds | undefined {
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
