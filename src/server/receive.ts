// The way of a request (DESIGN §4), top to bottom: parse, answer what can't be served, absorb what was seen before,
// then to the registrar or to ourselves. Wiring only.

import { type Rejection, reject } from '../auth/rejection.ts';
import { fieldValue, optionTags } from '../message/fields.ts';
import { formatMessage } from '../message/format.ts';
import { readHead } from '../message/head.ts';
import type { Malformed } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { createField, createResponse } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { parseVia } from '../message/via.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Flow } from '../transport/flow.ts';
import { responseTarget, stampVia } from '../transport/respond.ts';
import { type Exchange, refuse, respondStateless } from './exchange.ts';
import { ALLOW, serveOther } from './other-request.ts';
import { serveRegister } from './register-request.ts';
import { type Service, sourceOf } from './service.ts';

/** Takes one message off a flow. Never throws: a fault of ours is logged with its stack and answered 500. */
export function receive(service: Service, octets: string, flow: Flow): void {
  const message = parseMessage(octets);
  if (message.type === 'malformed') {
    refuseMalformed(service, message, flow);
    return;
  }
  const head = readHead(message);
  if (message.type === 'response') {
    if (head.type !== 'malformed') service.transactions.receiveResponse(message, head);
    return;
  }
  if (head.type === 'malformed') {
    refuseMalformed(service, { ...head, partial: head.partial ?? message }, flow);
    return;
  }
  stampVia(message, head.via, flow);
  if (service.transactions.absorb(message, head, flow)) return;
  if (message.method === 'ACK') return;
  const target = parseUri(message.requestUri);
  const exchange = { request: message, head, target, flow, arrivedMs: performance.now(), nowMs: Date.now() };
  try {
    const serving = serve(service, exchange);
    if (serving !== undefined) serving.catch((error: Error) => failExchange(service, exchange, error));
  } catch (error) {
    failExchange(service, exchange, error as Error);
  }
}

/** Sends the request where it belongs; undefined when it is answered already. */
function serve(service: Service, exchange: Exchange): Promise<void> | undefined {
  const { request, head } = exchange;
  const rejection = validateRequest(exchange);
  if (rejection !== undefined) return refuse(service, exchange, rejection);
  if (request.method === 'REGISTER') return serveRegister(service, exchange);
  if (request.method === 'CANCEL') return refuse(service, exchange, reject(481, 'CANCEL of no transaction'));
  if (request.method === 'OPTIONS' && isForServer(service, exchange)) return answerOptions(service, exchange);
  if (head.maxForwards === 0) return refuse(service, exchange, reject(483, 'Max-Forwards 0'));
  return serveOther(service, exchange);
}

/** RFC 3261 §16.3: a scheme we speak, and no extension that a proxy here would have to know. */
function validateRequest({ request, target }: Exchange): Rejection | undefined {
  if (target === undefined)
    return reject(400, `Request-URI ${request.requestUri}`, { reason: 'Bad Request-URI' });
  if (target.type !== 'sip') return reject(416, `scheme of ${request.requestUri}`);
  const extensions = optionTags(request, 'proxy-require');
  return extensions.length === 0 ? undefined : badExtension('Proxy-Require', extensions);
}

/** RFC 3261 §8.2.2.3: 420 names what is not supported. */
function badExtension(field: string, tags: readonly string[]): Rejection {
  const list = tags.join(', ');
  return reject(420, `${field}: ${list}`, { fields: [createField('Unsupported', list)] });
}

/** RFC 3261 §11: a stateless 200 for OPTIONS to ourselves. */
function answerOptions(service: Service, exchange: Exchange): undefined {
  const required = optionTags(exchange.request, 'require');
  if (required.length > 0) return refuse(service, exchange, badExtension('Require', required));
  respondStateless(service, exchange, 200, [ALLOW, createField('Accept', 'application/sdp')]);
}

function isForServer(service: Service, { target }: Exchange): boolean {
  return target?.type === 'sip' && target.user === undefined && service.domains.isLocal(target.host);
}

/** 400 naming the header field where it can be answered, silence where not (RFC 4475; DESIGN §4.1). */
export function refuseMalformed(service: Service, malformed: Malformed, flow: Flow): void {
  const status = malformed.status ?? 400;
  if (service.log.isOn('info'))
    service.log('info', 'malformed', {
      src: sourceOf(flow),
      field: malformed.field,
      why: malformed.why,
    });
  const request = malformed.partial;
  const via = request === undefined ? undefined : parseVia(fieldValue(request, 'via') ?? '');
  if (request === undefined || via === undefined || request.method === 'ACK') return;
  stampVia(request, via, flow);
  const options = { toTag: newTag(), ...(status === 400 ? { reason: `Bad ${malformed.field}` } : {}) };
  responseTarget(via, flow).send(formatMessage(createResponse(request, status, options)));
}

function failExchange(service: Service, exchange: Exchange, error: Error): void {
  service.log('error', 'internal-error', { why: error.stack ?? error.message, src: sourceOf(exchange.flow) });
  respondStateless(service, exchange, 500);
}
