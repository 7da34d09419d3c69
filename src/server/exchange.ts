// One request on its way through the server, and how it is answered: stateless, or by its transaction. Wiring only.

import { randomBytes } from 'node:crypto';
import type { Rejection } from '../auth/rejection.ts';
import { hash } from '../digest/hash.ts';
import type { Head } from '../message/head.ts';
import type { HeaderField, Request, Response } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { OtherUri, SipUri } from '../message/uri.ts';
import type { ServerTransaction } from '../transaction/layer.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Flow } from '../transport/flow.ts';
import { type Service, sourceOf } from './service.ts';
import { sendStateless } from './stateless.ts';

const TAG_SECRET = randomBytes(16).toString('hex');

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  readonly head: Head;
  /** The Request-URI; undefined where it is none. */
  readonly target: SipUri | OtherUri | undefined;
  readonly flow: Flow;
  /** How long the request was as it came, in octets. */
  readonly size: number;
  /** performance.now() when it arrived. */
  readonly arrivedMs: number;
  /** Date.now() when it arrived. */
  readonly nowMs: number;
}

/** Answers a request without a transaction: its retransmission gets the same answer again (RFC 3261 §8.2.7). */
export function refuse(service: Service, exchange: Exchange, rejection: Rejection): undefined {
  logRejection(service, exchange, rejection);
  respondStateless(service, exchange, rejection.status, rejection.fields, rejection.reason);
}

/** Answers a request that has a transaction. */
export function refuseIn(
  service: Service,
  exchange: Exchange,
  transaction: ServerTransaction,
  rejection: Rejection,
): void {
  logRejection(service, exchange, rejection);
  transaction.respond(
    createResponse(exchange.request, rejection.status, {
      reason: rejection.reason,
      toTag: newTag(),
      fields: rejection.fields ?? [],
    }),
  );
}

/** A response of ours to a request that was to be forwarded. */
export function answerOf(
  { request }: Exchange,
  { status, reason, fields }: Omit<Rejection, 'type' | 'why'>,
): Response {
  return createResponse(request, status, { toTag: newTag(), reason, fields });
}

/** Answers without a transaction and without a line of the log. */
export function respondStateless(
  service: Service,
  { request, head, flow, size }: Exchange,
  status: number,
  fields: readonly HeaderField[] = [],
  reason?: string,
): void {
  const options = { toTag: statelessTag(head), fields, reason };
  const answered = { request, via: head.via, flow, size };
  sendStateless(service, answered, createResponse(request, status, options));
}

/** Status 401 and 407 are how every registration begins; only other refusals are worth a line of the log. */
export function logRejection(service: Service, exchange: Exchange, rejection: Rejection): void {
  const level = rejection.status === 401 || rejection.status === 407 ? 'debug' : 'info';
  if (!service.log.isOn(level)) return;
  service.log(level, 'refused', {
    src: sourceOf(exchange.flow),
    method: exchange.request.method,
    status: rejection.status,
    why: rejection.why,
    callid: exchange.head.callId,
  });
}

/** The To tag of a stateless answer: the same for a retransmission of the request (RFC 3261 §8.2.7). */
function statelessTag({ callId, cseq, via, from }: Head): string {
  const request = `${callId}\n${cseq.number}\n${via.branch ?? ''}\n${from.tag ?? ''}`;
  return hash('MD5', TAG_SECRET + request).slice(0, 16);
}
