// When two URIs mean the same (RFC 3261 §19.1.4; RFC 3966 §4 for tel). Pure.

import { comparableEscapes } from './escape.ts';
import { sameHost } from './host.ts';
import type { Parameter } from './parameters.ts';
import type { OtherUri, SipUri } from './uri.ts';

/**
 * What must be in both URIs or in neither. The rules' text leaves `transport` out, but their examples have it:
 * `sip:bob@biloxi.com` is not `sip:bob@biloxi.com;transport=udp`.
 */
const IN_BOTH_OR_NEITHER = new Set(['user', 'ttl', 'method', 'maddr', 'transport']);

/** Whether two URIs are equivalent (RFC 3261 §19.1.4). Not transitive: unknown parameters of one side are ignored. */
export function sameUri(a: SipUri | OtherUri, b: SipUri | OtherUri): boolean {
  if ('rest' in a) return 'rest' in b && sameOther(a, b);
  if ('rest' in b) return false;
  return (
    a.type === b.type &&
    a.port === b.port &&
    samePart(a.user, b.user) &&
    samePart(a.password, b.password) &&
    sameHost(a.host, b.host) &&
    sameParameters(a.parameters, b.parameters) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameOther(a: OtherUri, b: OtherUri): boolean {
  if (a.scheme !== b.scheme) return false;
  return a.rest === b.rest || (a.type === 'tel' && comparableTel(a.rest) === comparableTel(b.rest));
}

function samePart(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && comparableEscapes(a) === comparableEscapes(b);
}

function sameParameters(a: readonly Parameter[], b: readonly Parameter[]): boolean {
  if (a.length === 0 && b.length === 0) return true;
  const rest = comparable(b);
  for (const [name, value] of comparable(a)) {
    if (rest.has(name)) {
      if (rest.get(name) !== value) return false;
      rest.delete(name);
    } else if (IN_BOTH_OR_NEITHER.has(name)) return false;
  }
  for (const name of rest.keys()) if (IN_BOTH_OR_NEITHER.has(name)) return false;
  return true;
}

function comparable(parameters: readonly Parameter[]): Map<string, string | undefined> {
  const map = new Map<string, string | undefined>();
  for (const { name, value } of parameters) {
    map.set(
      comparableEscapes(name).toLowerCase(),
      value === undefined ? undefined : comparableEscapes(value).toLowerCase(),
    );
  }
  return map;
}

/** Headers are never ignored. Their order does not count; the case of their values does, as some are plain text. */
function sameHeaders(a: readonly Parameter[] | undefined, b: readonly Parameter[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && sortedHeaders(a) === sortedHeaders(b);
}

function sortedHeaders(headers: readonly Parameter[]): string {
  return headers
    .map(({ name, value }) => `${comparableEscapes(name).toLowerCase()}=${comparableEscapes(value ?? '')}`)
    .sort()
    .join('&');
}

/** A telephone number without visual separators, its parameters sorted, all in lower case. */
function comparableTel(rest: string): string {
  const [number = '', ...parameters] = rest.toLowerCase().split(';');
  const plain = parameters.map((each) =>
    each.startsWith('ext=') || each.startsWith('phone-context=+') ? each.replace(/[-.()]/g, '') : each,
  );
  return [number.replace(/[-.()]/g, ''), ...plain.sort()].join(';');
}
