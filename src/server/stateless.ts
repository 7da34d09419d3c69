// Answers without a transaction, to whoever a request says it is from: over UDP that may be anybody, so none is a better
// weapon than the request was. Wiring only.

import { formatMessage } from '../message/format.ts';
import type { Request, Response } from '../message/message.ts';
import type { Via } from '../message/via.ts';
import type { Flow } from '../transport/flow.ts';
import { responseTarget } from '../transport/respond.ts';
import type { Service } from './service.ts';

/** A response over UDP is at most so many times its request, as with QUIC (RFC 9000 §8.1). */
const MOST_TIMES = 3;

/** What is answered. */
export interface Answered {
  readonly request: Request;
  /** The request's topmost Via as the client wrote it. */
  readonly via: Via;
  readonly flow: Flow;
  /** How long the request was as it came, in octets. */
  readonly size: number;
}

/**
 * Sends a response to a request other than ACK. Where it would be too long for a request that may bear another's address,
 * it goes with the last of its challenges only, which every phone knows; where that is too long, not at all.
 */
export function sendStateless(service: Service, answered: Answered, response: Response): void {
  const { request, via, flow, size } = answered;
  if (request.method === 'ACK') return;
  const target = responseTarget(via, flow);
  const most = flow.reliable || service.isLimitless(flow.remoteAddress) ? undefined : size * MOST_TIMES;
  let octets = formatMessage(response);
  if (most !== undefined && octets.length > most) octets = formatMessage(withLastChallenge(response));
  if (most === undefined || octets.length <= most) target.send(octets);
  else service.counters.tooShort++;
}

function withLastChallenge(response: Response): Response {
  const isChallenge = ({ id }: Response['fields'][number]) =>
    id === 'www-authenticate' || id === 'proxy-authenticate';
  const last = response.fields.findLast(isChallenge);
  return { ...response, fields: response.fields.filter((field) => !isChallenge(field) || field === last) };
}
