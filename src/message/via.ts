// Via header fields: parse the topmost value, format, count (RFC 3261 §18.2.1, §20.42; RFC 3581). Pure.

import { COLON, DIGIT, parseDecimal, SLASH, skipBlanks, skipClass, TOKEN } from './characters.ts';
import { elementEnd, splitList, unfold } from './fields.ts';
import { skipHost } from './host.ts';
import type { Message } from './message.ts';
import { isNamed, type Parameter, parseParameters } from './parameters.ts';
import { unquote } from './quoted-string.ts';

/** One Via value. */
export interface Via {
  /** Name and version: `SIP/2.0`. */
  readonly protocol: string;
  /** In upper case: `UDP`, `TCP`, `TLS` … */
  readonly transport: string;
  /** As written; IPv6 in brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly branch?: string | undefined;
  /** True for `rport` without a value (RFC 3581 §3). */
  readonly rport?: number | true | undefined;
  readonly received?: string | undefined;
  readonly maddr?: string | undefined;
  readonly ttl?: number | undefined;
  /** All parameters in their order, those above among them. */
  readonly params: readonly Parameter[];
}

const MAX_PORT = 65535;
/** What most phones send, in one step; a tenth of the time of a REGISTER's head goes into its Via. */
const USUAL =
  /^SIP\/2\.0\/(UDP|TCP) ([0-9A-Za-z][0-9A-Za-z._-]*)(?::([0-9]{1,5}))?;(branch)=([0-9A-Za-z.!%*_+`'~-]+)(?:;(rport))?$/;

/** Parses the topmost value of a Via header field; undefined where that breaks the grammar. */
export function parseVia(value: string): Via | undefined {
  const usual = USUAL.exec(value);
  return usual === null || Number(usual[3]) > MAX_PORT ? parseAnyVia(value) : readUsual(usual);
}

function readUsual([, transport = '', host = '', port, name = '', branch, rport]: RegExpExecArray): Via {
  const params: Parameter[] = [{ name, value: branch }];
  if (rport !== undefined) params.push({ name: rport, value: undefined });
  return {
    protocol: 'SIP/2.0',
    transport,
    host,
    port: port === undefined ? undefined : Number(port),
    branch,
    rport: rport === undefined ? undefined : true,
    received: undefined,
    maddr: undefined,
    ttl: undefined,
    params,
  };
}

function parseAnyVia(value: string): Via | undefined {
  const text = unfold(value);
  const end = elementEnd(text, 0);
  const nameStart = skipBlanks(text, 0, end);
  const nameEnd = skipClass(TOKEN, text, nameStart, end);
  const versionStart = skipSlash(text, nameEnd, end);
  const versionEnd = skipClass(TOKEN, text, versionStart, end);
  const transportStart = skipSlash(text, versionEnd, end);
  const transportEnd = skipClass(TOKEN, text, transportStart, end);
  if (nameEnd === nameStart || versionEnd === versionStart || transportEnd === transportStart)
    return undefined;
  if (versionStart === nameEnd || transportStart === versionEnd) return undefined;
  const protocol = `${text.slice(nameStart, nameEnd).toUpperCase()}/${text.slice(versionStart, versionEnd)}`;
  const transport = text.slice(transportStart, transportEnd).toUpperCase();
  const hostStart = skipBlanks(text, transportEnd, end);
  let position = skipHost(text, hostStart, end);
  if (hostStart === transportEnd || position < 0) return undefined;
  const host = text.slice(hostStart, position);
  let port: number | undefined;
  const colon = skipBlanks(text, position, end);
  if (colon < end && text.charCodeAt(colon) === COLON) {
    const portStart = skipBlanks(text, colon + 1, end);
    position = skipClass(DIGIT, text, portStart, end);
    port = parseDecimal(text, portStart, position, MAX_PORT);
    if (port < 0) return undefined;
  }
  const params = parseParameters(text, position, end);
  return params === undefined ? undefined : readParameters(protocol, transport, host, port, params);
}

/** Behind a slash and the white space around it; the same position where there is no slash. */
function skipSlash(text: string, start: number, end: number): number {
  const slash = skipBlanks(text, start, end);
  return slash < end && text.charCodeAt(slash) === SLASH ? skipBlanks(text, slash + 1, end) : start;
}

/** Takes the parameters that count; undefined for a bad one, or one given twice. */
function readParameters(
  protocol: string,
  transport: string,
  host: string,
  port: number | undefined,
  params: readonly Parameter[],
): Via | undefined {
  let branch: string | undefined;
  let rport: number | true | undefined;
  let received: string | undefined;
  let maddr: string | undefined;
  let ttl: number | undefined;
  for (const parameter of params) {
    const { value } = parameter;
    if (isNamed(parameter, 'branch')) {
      if (value === undefined || branch !== undefined) return undefined;
      branch = value;
    } else if (isNamed(parameter, 'rport')) {
      if (rport !== undefined) return undefined;
      rport = value === undefined ? true : parseDecimal(value, 0, value.length, MAX_PORT);
      if (rport === -1) return undefined;
    } else if (isNamed(parameter, 'received')) {
      if (value === undefined || received !== undefined) return undefined;
      received = unquote(value);
    } else if (isNamed(parameter, 'maddr')) {
      if (value === undefined || maddr !== undefined) return undefined;
      maddr = unquote(value);
    } else if (isNamed(parameter, 'ttl')) {
      ttl = value === undefined || ttl !== undefined ? -1 : parseDecimal(value, 0, value.length, 255);
      if (ttl === -1) return undefined;
    }
  }
  return { protocol, transport, host, port, branch, rport, received, maddr, ttl, params };
}

/** Formats a Via value. What `branch`, `rport`, `received`, `maddr` and `ttl` say goes before `params`. */
export function formatVia(via: Via): string {
  let text = `${via.protocol}/${via.transport} ${via.host}`;
  if (via.port !== undefined) text += `:${via.port}`;
  const named = new Map<string, string | number | true | undefined>([
    ['ttl', via.ttl],
    ['maddr', via.maddr],
    ['received', via.received],
    ['rport', via.rport],
    ['branch', via.branch],
  ]);
  for (const { name, value } of via.params) {
    const id = name.toLowerCase();
    if (named.has(id)) {
      text += formatNamed(name, named.get(id));
      named.delete(id);
    } else text += formatNamed(name, value ?? true);
  }
  for (const [name, value] of named) text += formatNamed(name, value);
  return text;
}

function formatNamed(name: string, value: string | number | true | undefined): string {
  if (value === undefined) return '';
  return value === true ? `;${name}` : `;${name}=${value}`;
}

/** The number of Via values in one header field; an empty element counts. */
export function countVias(value: string): number {
  return value.indexOf(',') < 0 ? 1 : splitList(value).length;
}

/** The number of Via values of a message, in all its Via header fields. */
export function viaCount(message: Message): number {
  let count = 0;
  for (const field of message.fields) if (field.id === 'via') count += countVias(field.value);
  return count;
}
