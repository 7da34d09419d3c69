// A Route that has another server of the same database send a request over a flow it has to a phone, as an edge proxy does by
// its flow token (RFC 5626 §5.3): signed with the key they share, so that nobody else makes a server reach a phone. Pure.

import { type HmacKey, hmac } from '../digest/hash.ts';
import { bracketHost } from '../message/host.ts';
import type { FlowEnds } from '../transport/connections.ts';
import { formatFlow, parseFlow } from './dialog-route.ts';

/** The parameter of such a URI that carries the token. */
export const FLOW_PARAMETER = 'sf';

const MAC_LENGTH = 22;

/** The Route value for the server at the local end of a flow; it holds until `expiresAtMs`, milliseconds since 1970. */
export function flowRoute(key: HmacKey, ends: FlowEnds, expiresAtMs: number): string {
  const { transport, localAddress, localPort } = ends;
  const expiry = Math.ceil(expiresAtMs / 1000).toString(36);
  const flow = Buffer.from(formatFlow(ends), 'latin1').toString('base64url');
  const token = `${expiry}.${macOf(key, expiry, flow)}${flow}`;
  return `<sip:${bracketHost(localAddress)}:${localPort};transport=${transport};lr;${FLOW_PARAMETER}=${token}>`;
}

/** The flow that a token names; undefined where it is none of ours, or has expired. */
export function verifyFlowRoute(key: HmacKey, token: string, nowMs: number): FlowEnds | undefined {
  const dot = token.indexOf('.');
  const expiry = token.slice(0, dot);
  if (dot < 1 || dot > 10 || Number.parseInt(expiry, 36) * 1000 < nowMs) return undefined;
  const flow = token.slice(dot + 1 + MAC_LENGTH);
  if (token.slice(dot + 1, dot + 1 + MAC_LENGTH) !== macOf(key, expiry, flow)) return undefined;
  return parseFlow(Buffer.from(flow, 'base64url').toString('latin1'));
}

function macOf(key: HmacKey, expiry: string, flow: string): string {
  return hmac(key, `flow\n${expiry}\n${flow}`, 'base64url').slice(0, MAC_LENGTH);
}
