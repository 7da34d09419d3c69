// The way of a request (DESIGN §4), top to bottom: parse, answer what can't be served, absorb what was seen before,
// then to the registrar, to ourselves, or on to others. Wiring only.

import { fieldValue, optionTags } from '../message/fields.ts';
import { readHead } from '../message/head.ts';
import type { Malformed } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { createField, createResponse } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { parseVia } from '../message/via.ts';
import { badExtension, validateProxyRequire, validateScheme } from '../proxy/validation.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Flow } from '../transport/flow.ts';
import { stampVia } from '../transport/respond.ts';
import { countRequest } from './counters.ts';
import { isLocalTarget } from './destination.ts';
import { type Exchange, refuse, respondStateless } from './exchange.ts';
import { isAckOfRefusal, refuseOverload } from './overload.ts';
import { serveProxied } from './proxy-request.ts';
import { serveRegister } from './register-request.ts';
import { type Service, sourceOf } from './service.ts';
import { sendStateless } from './stateless.ts';

/** What is not refused for its method; others pass through to where they go. */
const ALLOW = createField(
  'Allow',
  'REGISTER, INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, REFER, INFO, UPDATE, PRACK',
);

/** Takes one message off a flow. Never throws: a fault of ours is logged with its stack and answered 500. */
export function receive(service: Service, octets: string, flow: Flow): void {
  if (isBeyondRate(service, octets, flow) || isAckOfRefusal(octets)) return;
  const message = parseMessage(octets);
  if (message.type === 'malformed') {
    refuseMalformed(service, message, flow, octets.length);
    return;
  }
  const head = readHead(message);
  if (message.type === 'response') {
    service.counters.responsesReceived++;
    if (head.type !== 'malformed') service.transactions.receiveResponse(message, head);
    return;
  }
  if (head.type === 'malformed') {
    refuseMalformed(service, { ...head, partial: head.partial ?? message }, flow, octets.length);
    return;
  }
  stampVia(message, head.via, flow);
  if (service.transactions.absorb(message, head, flow)) {
    service.counters.absorbed++;
    return;
  }
  countRequest(service.counters, message.method);
  if (message.method === 'CANCEL') {
    service.transactions.receiveCancel(message, head, flow);
    return;
  }
  const size = octets.length;
  if (refuseOverload(service, { request: message, via: head.via, flow, size }, head)) return;
  const target = parseUri(message.requestUri);
  const times = { arrivedMs: performance.now(), nowMs: Date.now() };
  const exchange = { request: message, head, target, flow, size, ...times };
  try {
    const serving = serve(service, exchange);
    if (serving !== undefined) serving.catch((error: Error) => failExchange(service, exchange, error));
  } catch (error) {
    failExchange(service, exchange, error as Error);
  }
}

/** Bans and RateLimit, before anything is parsed. Responses are to requests of ours. */
function isBeyondRate(service: Service, octets: string, flow: Flow): boolean {
  if (octets.startsWith('SIP/2.0')) return false;
  const { remoteAddress } = flow;
  if (isBanned(service, remoteAddress)) return true;
  const verdict = service.limitsOfSource(remoteAddress)?.admit(remoteAddress, performance.now());
  if (verdict === undefined || verdict === 'admitted') return false;
  service.counters.rateLimited++;
  if (verdict === 'refused-first') service.log('warning', 'rate-limit', { src: sourceOf(flow) });
  return true;
}

function isBanned(service: Service, address: string): boolean {
  if (!service.bans.isBanned(address, performance.now()) || service.isLimitless(address)) return false;
  service.counters.banned++;
  return true;
}

/** Sends the request where it belongs; undefined when it is answered already. */
function serve(service: Service, exchange: Exchange): Promise<void> | undefined {
  const { request } = exchange;
  if (request.method === 'REGISTER' || (request.method === 'OPTIONS' && isForServer(service, exchange))) {
    const rejection = validateScheme(request, exchange.target) ?? validateProxyRequire(request);
    if (rejection !== undefined) return refuse(service, exchange, rejection);
    return request.method === 'REGISTER'
      ? serveRegister(service, exchange)
      : answerOptions(service, exchange);
  }
  return serveProxied(service, exchange);
}

/** RFC 3261 §11: a stateless 200 for OPTIONS to ourselves. */
function answerOptions(service: Service, exchange: Exchange): undefined {
  const required = optionTags(exchange.request, 'require');
  if (required.length > 0) return refuse(service, exchange, badExtension('Require', required));
  respondStateless(service, exchange, 200, [ALLOW, createField('Accept', 'application/sdp')]);
}

/** Also what we registered as at a gateway, which asks whether we are there. */
function isForServer(service: Service, { target }: Exchange): boolean {
  if (target?.type !== 'sip' || !isLocalTarget(service, target)) return false;
  return target.user === undefined || service.gateways.registeredAs(target) !== undefined;
}

/**
 * 400 naming the header field where it can be answered, silence where not (RFC 4475; DESIGN §4.1). `size` is what came,
 * in octets; of no account over TCP.
 */
export function refuseMalformed(service: Service, malformed: Malformed, flow: Flow, size: number): void {
  const status = malformed.status ?? 400;
  service.counters.malformed++;
  if (service.log.isOn('info'))
    service.log('info', 'malformed', {
      src: sourceOf(flow),
      field: malformed.field,
      why: malformed.why,
    });
  const request = malformed.partial;
  const via = request === undefined ? undefined : parseVia(fieldValue(request, 'via') ?? '');
  if (request === undefined || via === undefined) return;
  stampVia(request, via, flow);
  const options = { toTag: newTag(), ...(status === 400 ? { reason: `Bad ${malformed.field}` } : {}) };
  sendStateless(service, { request, via, flow, size }, createResponse(request, status, options));
}

function failExchange(service: Service, exchange: Exchange, error: Error): void {
  service.log('error', 'internal-error', { src: sourceOf(exchange.flow), why: error.stack ?? error.message });
  respondStateless(service, exchange, 500);
}
