// RFC 3261 §16.4: takes off the Route values that name us and undoes what a strict router did. Pure.

import { parseAddress } from '../message/address.ts';
import { elementEnd, unfold } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { hasParameter, parameterValue } from '../message/parameters.ts';
import { createField } from '../message/response.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { TOKEN_PARAMETER } from './dialog-route.ts';
import { FLOW_PARAMETER } from './flow-route.ts';

/** The most Route values of ours that are taken off: a dialog between two of our sockets has two. */
const MAX_OWN_ROUTES = 4;

/** A request as it is to be routed. */
export interface RoutedRequest {
  /** With the Route values that are left, and the Request-URI that the sender meant. */
  readonly request: Request;
  /** The tokens of our own Route values that had one, topmost first. */
  readonly tokens: readonly string[];
  /** The token of the last of our own Route values, where it names a flow. */
  readonly flowToken: string | undefined;
  /** The socket the last of our own Route values names: where the request leaves by. */
  readonly lastOwn: SipUri | undefined;
  /** The topmost of the Route values left; undefined: the Request-URI says where it goes. */
  readonly nextRoute: SipUri | undefined;
  /** A Route value that is left cannot be read. */
  readonly isUnreadable: boolean;
}

/** Preprocesses the route information of a request. The request itself is left as it is. */
export function preprocessRoute(request: Request, isOwn: (uri: SipUri) => boolean): RoutedRequest {
  if (!request.fields.some(({ id }) => id === 'route'))
    return {
      ...{ request, tokens: [], flowToken: undefined },
      ...{ lastOwn: undefined, nextRoute: undefined, isUnreadable: false },
    };
  const tokens: string[] = [];
  let lastOwn: SipUri | undefined;
  let routed = undoStrictRouter(request, isOwn, tokens);
  for (let taken = 0; taken < MAX_OWN_ROUTES; taken++) {
    const next = topRoute(routed);
    if (next === undefined || next === 'unreadable' || !isOwn(next)) break;
    const token = parameterValue(next.parameters, TOKEN_PARAMETER);
    if (token !== undefined) tokens.push(token);
    lastOwn = next;
    routed = withoutTopRoute(routed);
  }
  const next = topRoute(routed);
  return {
    request: routed,
    tokens,
    flowToken: lastOwn && parameterValue(lastOwn.parameters, FLOW_PARAMETER),
    lastOwn,
    nextRoute: next === 'unreadable' ? undefined : next,
    isUnreadable: next === 'unreadable',
  };
}

/** A strict router put what we record-routed into the Request-URI, and the Request-URI at the end of Route. */
function undoStrictRouter(request: Request, isOwn: (uri: SipUri) => boolean, tokens: string[]): Request {
  const uri = parseUri(request.requestUri);
  if (uri?.type !== 'sip' || !isOwn(uri)) return request;
  const token = parameterValue(uri.parameters, TOKEN_PARAMETER);
  if (token === undefined) return request;
  const [last, rest] = splitLastRoute(request);
  if (last === undefined) return request;
  tokens.push(token);
  return { ...request, requestUri: last, fields: rest };
}

function topRoute(request: Request): SipUri | 'unreadable' | undefined {
  for (const field of request.fields) {
    if (field.id !== 'route') continue;
    const text = unfold(field.value);
    const address = parseAddress(text.slice(0, elementEnd(text, 0)));
    const uri = address === undefined ? undefined : parseUri(address.uri);
    return uri?.type === 'sip' ? uri : 'unreadable';
  }
  return undefined;
}

/** Whether the next hop is a loose router (RFC 3261 §19.1.1 `lr`). */
export function isLoose(uri: SipUri): boolean {
  return hasParameter(uri.parameters, 'lr');
}

/** Takes the topmost Route value off; all others stay as written. */
export function withoutTopRoute(request: Request): Request {
  const fields: HeaderField[] = [];
  let isTaken = false;
  for (const field of request.fields) {
    if (isTaken || field.id !== 'route') {
      fields.push(field);
      continue;
    }
    isTaken = true;
    const text = unfold(field.value);
    const end = elementEnd(text, 0);
    if (end < text.length) fields.push(createField(field.name, text.slice(end + 1).trimStart()));
  }
  const { type, method, requestUri, body } = request;
  return { type, method, requestUri, fields, body };
}

/** The URI of the last Route value, and the fields without it. */
function splitLastRoute(request: Request): [string | undefined, HeaderField[]] {
  const fields = [...request.fields];
  const index = fields.findLastIndex(({ id }) => id === 'route');
  const field = fields[index] as HeaderField;
  const text = unfold(field.value);
  let start = 0;
  for (let end = elementEnd(text, 0); end < text.length; end = elementEnd(text, start)) start = end + 1;
  const uri = parseAddress(text.slice(start))?.uri;
  if (start === 0) fields.splice(index, 1);
  else fields[index] = createField(field.name, text.slice(0, start - 1).trimEnd());
  return [uri, fields];
}
