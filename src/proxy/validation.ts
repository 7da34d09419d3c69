// RFC 3261 §16.3: what a proxy asks of a request before it does anything with it; loops by RFC 5393 §4. Pure.

import { type Rejection, reject } from '../auth/rejection.ts';
import { hash } from '../digest/hash.ts';
import { fieldValue, optionTags } from '../message/fields.ts';
import type { Head } from '../message/head.ts';
import type { Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import type { OtherUri, SipUri } from '../message/uri.ts';

/** How many branches one request may have at once in all proxies together, where nobody said less (RFC 5393 §5.3.3). */
const MAX_BREADTH = 60;

/** §16.3 step 2: a scheme we speak; `sips` needs TLS, which there is none of, and is never downgraded. */
export function validateScheme(
  request: Request,
  target: SipUri | OtherUri | undefined,
): Rejection | undefined {
  if (target === undefined)
    return reject(400, `Request-URI ${request.requestUri}`, { reason: 'Bad Request-URI' });
  return target.type === 'sip' ? undefined : reject(416, `scheme of ${request.requestUri}`);
}

/** §16.3 step 3. */
export function validateMaxForwards({ maxForwards }: Head): Rejection | undefined {
  return maxForwards === 0 ? reject(483, 'Max-Forwards 0') : undefined;
}

/** §16.3 step 4: the request came back as it was. Where it comes again with another Request-URI it only spirals. */
export function detectLoop(request: Request, loopHash: string): Rejection | undefined {
  for (const field of request.fields) {
    if (field.id === 'via' && field.value.includes(loopHash)) return reject(482, 'the request came back');
  }
  return undefined;
}

/** §16.3 step 5: no extension that a proxy here would have to know. */
export function validateProxyRequire(request: Request): Rejection | undefined {
  const extensions = optionTags(request, 'proxy-require');
  return extensions.length === 0 ? undefined : badExtension('Proxy-Require', extensions);
}

/** RFC 3261 §8.2.2.3: 420 names what is not supported. */
export function badExtension(field: string, tags: readonly string[]): Rejection {
  const list = tags.join(', ');
  return reject(420, `${field}: ${list}`, { fields: [createField('Unsupported', list)] });
}

/** The Max-Breadth of a request (RFC 5393 §5.3); 440 where it lets us send it nowhere. */
export function breadthOf(request: Request): number | Rejection {
  const text = fieldValue(request, 'max-breadth');
  if (text === undefined) return MAX_BREADTH;
  const breadth = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(breadth)) return reject(400, 'Max-Breadth', { reason: 'Bad Max-Breadth' });
  return breadth === 0 ? reject(440, 'Max-Breadth 0') : Math.min(breadth, MAX_BREADTH);
}

/**
 * What our Via branch carries so that the request is known again (§16.6 step 8): a hash over all that decides where it
 * goes. `secret` keeps others from making one.
 */
export function loopHashOf(secret: string, request: Request, head: Head): string {
  const { callId, from, to, cseq } = head;
  let routes = '';
  for (const field of request.fields) if (field.id === 'route') routes += `${field.value},`;
  const text = [secret, request.requestUri, from.tag, to.tag, callId, cseq.number, request.method, routes];
  return `.${hash('MD5', text.join('\n')).slice(0, 16)}`;
}
