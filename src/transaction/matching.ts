// Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3), as keys for a table. Pure.

import type { Head } from '../message/head.ts';
import type { Request } from '../message/message.ts';
import { formatVia } from '../message/via.ts';
import type { Flow } from '../transport/flow.ts';

const cookie = 'z9hG4bK';

/** The key of a client transaction, of its request or a response to it (RFC 3261 §17.1.3). */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/**
 * The key of the server transaction that a request makes or belongs to; an ACK belongs to its INVITE's.
 * Departs from RFC 3261 §17.2.3: the CSeq number counts too, so that a client with one branch for all its requests
 * gets each of them answered. Blanks can be in no part, so that no two keys run together.
 */
export function serverKey(request: Request, head: Head, flow: Flow): string {
  return keyOf(request, head, flow, request.method === 'ACK' ? 'INVITE' : request.method, head.to.tag ?? '');
}

/** The key of the INVITE that a CANCEL means (RFC 3261 §9.2). */
export function cancelledKey(request: Request, head: Head, flow: Flow): string {
  return keyOf(request, head, flow, 'INVITE', head.to.tag ?? '');
}

/**
 * The other key an ACK of an RFC 2543 client may have: its To has the tag of our response, the INVITE's had none.
 * Undefined where `serverKey` says it all.
 */
export function untaggedAckKey(request: Request, head: Head, flow: Flow): string | undefined {
  if (request.method !== 'ACK' || isUnique(head.via.branch)) return undefined;
  return keyOf(request, head, flow, 'INVITE', '');
}

/** A branch of RFC 3261 is unique; older ones, and the bare cookie, say nothing. */
function isUnique(branch: string | undefined): branch is string {
  return branch !== undefined && branch.length > cookie.length && branch.startsWith(cookie);
}

function keyOf(request: Request, head: Head, flow: Flow, method: string, toTag: string): string {
  const { via, cseq } = head;
  if (isUnique(via.branch)) return `${via.branch} ${via.host}:${via.port ?? ''} ${cseq.number} ${method}`;
  const parts = [request.requestUri, toTag, head.from.tag ?? '', head.callId, cseq.number, method];
  // A quoted parameter may hold blanks: the Via comes last.
  return `2543 ${flow.remoteAddress} ${parts.join(' ')} ${formatVia(via)}`;
}
