// One line of usrloc as values: a contact in the grammar of RFC 3261 §20.10 with the server's `sr-…` parameters. Pure.

import { parseAddress } from '../message/address.ts';
import { splitList } from '../message/fields.ts';
import type { Parameter } from '../message/parameters.ts';
import { unquote } from '../message/quoted-string.ts';
import { parseInstant } from './instant.ts';
import { isClientParameter, isCSeq, isServerName, SERVER_NAMES } from './usrloc-text.ts';

/** The longest line that is read, in octets. */
const MAX_LINE_OCTETS = 4096;

/** One registered contact. All texts are octet strings. */
export interface Binding {
  /** As sent. */
  readonly uri: string;
  readonly displayName?: string | undefined;
  /** The client's own, as sent; neither `expires` nor `sr-…`. */
  readonly parameters: readonly Parameter[];
  /** From 0 to 1, of the parameter `q`. */
  readonly q?: number | undefined;
  /** The value of the parameter `+sip.instance`. */
  readonly instance?: string | undefined;
  /** The value of the parameter `reg-id`. */
  readonly regId?: string | undefined;
  /** Milliseconds since 1970; undefined: permanent. */
  readonly expiresAt: number | undefined;
  /** The URI of the packet's source, for a contact behind NAT. */
  readonly received?: string | undefined;
  /** The values of Path (RFC 3327), topmost first; never empty. */
  readonly path?: readonly string[] | undefined;
  readonly callId?: string | undefined;
  readonly cseq?: number | undefined;
  readonly userAgent?: string | undefined;
  readonly socket?: string | undefined;
  /** The address and port a REGISTER over TCP came from, `192.0.2.7:49152`. */
  readonly source?: string | undefined;
  /** Milliseconds since 1970. */
  readonly modified?: number | undefined;
  /** The round-trip time last measured, in milliseconds. */
  readonly rttMs?: number | undefined;
  /** Since when keepalives are not answered; milliseconds since 1970. */
  readonly unreachableSince?: number | undefined;
  readonly mac?: string | undefined;
  /** Unknown `sr-…` parameters, as they stand in the file. */
  readonly extra: readonly Parameter[];
  /** Counts from 1; 0 for a binding that is not in a file yet. */
  readonly line: number;
}

/** A contact that was taken away, and the REGISTER that did it. */
export interface Removal {
  readonly key: string;
  readonly uri: string;
  readonly callId?: string | undefined;
  readonly cseq?: number | undefined;
  /** Milliseconds since 1970; 0 where the line does not say. */
  readonly at: number;
  readonly line: number;
}

/**
 * What tells contacts of one account apart: +sip.instance and reg-id where there is an instance, else the bytes of the
 * URI, and behind NAT the Call-ID.
 */
export function bindingKey(
  binding: Pick<Binding, 'uri' | 'instance' | 'regId' | 'received' | 'callId'>,
): string {
  const { uri, instance, regId, received, callId } = binding;
  if (instance !== undefined) return `i${instance}\n${regId ?? ''}`;
  return received === undefined ? `u${uri}` : `n${uri}\n${callId ?? ''}`;
}

/** What a line says: a binding, which the removal takes away when there is one. */
export interface ContactLine {
  readonly binding: Binding;
  readonly removal?: Removal;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Reads the contact of a line, or says what is wrong with it. */
export function readContactLine(text: string, line: number): ContactLine | string {
  if (text.length > MAX_LINE_OCTETS) return `expected a line of at most ${MAX_LINE_OCTETS} octets`;
  const address = parseAddress(text);
  if (address === undefined) return 'expected one contact: <sip:user@host>;parameter=value';
  const parameters: Parameter[] = [];
  const extra: Parameter[] = [];
  const binding: Mutable<Binding> = {
    uri: address.uri,
    displayName: address.displayName,
    parameters,
    q: undefined,
    instance: undefined,
    regId: undefined,
    expiresAt: undefined,
    received: undefined,
    path: undefined,
    callId: undefined,
    cseq: undefined,
    userAgent: undefined,
    socket: undefined,
    source: undefined,
    modified: undefined,
    rttMs: undefined,
    unreachableSince: undefined,
    mac: undefined,
    extra,
    line,
  };
  let removed = false;
  let removedBy: string | undefined;
  for (const parameter of address.parameters) {
    const { name, value = '' } = parameter;
    if (!isServerName(name)) {
      if (isClientParameter(parameter)) {
        parameters.push(parameter);
        if (value !== '') readClients(binding, name, value);
      } else if (!/^\d{1,10}$/.test(value)) return 'expires: expected a number of seconds';
      else if (Number(value) === 0) removed = true;
      continue;
    }
    const lower = name.toLowerCase();
    if (lower === 'sr-removed-by') removedBy ??= unquote(value);
    else if (!SERVER_NAMES.has(lower)) extra.push(parameter);
    else {
      const why = readServers(binding, lower, unquote(value));
      if (why !== undefined) return why;
    }
  }
  if (!removed) return { binding };
  const removal = {
    key: bindingKey(binding),
    uri: binding.uri,
    callId: removedBy ?? binding.callId,
    cseq: binding.cseq,
    at: binding.modified ?? 0,
    line,
  };
  return { binding, removal };
}

function readClients(binding: Mutable<Binding>, name: string, value: string): void {
  switch (name.length) {
    case 1:
      if ((name === 'q' || name === 'Q') && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value))
        binding.q ??= Number(value);
      break;
    case 6:
      if (name.toLowerCase() === 'reg-id') binding.regId ??= unquote(value);
      break;
    case 13:
      if (name.toLowerCase() === '+sip.instance') binding.instance ??= unquote(value);
      break;
  }
}

/** Reads a server's parameter into its field, the first of a name; returns what is wrong with it. */
function readServers(binding: Mutable<Binding>, name: string, value: string): string | undefined {
  switch (name) {
    case 'sr-expires-at':
      return readInstant(binding, 'expiresAt', name, value);
    case 'sr-modified':
      return readInstant(binding, 'modified', name, value);
    case 'sr-unreachable-since':
      return readInstant(binding, 'unreachableSince', name, value);
    case 'sr-rtt':
      if (!/^\d{1,9}$/.test(value)) return 'sr-rtt: expected a number of milliseconds';
      binding.rttMs ??= Number(value);
      return undefined;
    case 'sr-cseq':
      if (!/^\d{1,10}$/.test(value) || !isCSeq(Number(value))) return 'sr-cseq: expected a number below 2^32';
      binding.cseq ??= Number(value);
      return undefined;
    case 'sr-path':
      binding.path ??= value === '' ? undefined : splitList(value);
      return undefined;
    case 'sr-received':
      binding.received ??= value;
      return undefined;
    case 'sr-call-id':
      binding.callId ??= value;
      return undefined;
    case 'sr-user-agent':
      binding.userAgent ??= value;
      return undefined;
    case 'sr-socket':
      binding.socket ??= value;
      return undefined;
    case 'sr-source':
      binding.source ??= value;
      return undefined;
    case 'sr-mac':
      binding.mac ??= value;
      return undefined;
  }
  return undefined;
}

function readInstant(
  binding: Mutable<Binding>,
  field: 'expiresAt' | 'modified' | 'unreachableSince',
  name: string,
  value: string,
): string | undefined {
  const instant = parseInstant(value);
  if (instant === undefined) return `${name}: expected a time like 2026-11-22T10:15:00Z`;
  binding[field] ??= instant;
  return undefined;
}
