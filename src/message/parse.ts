// From octets to a message (RFC 3261 §7, §18.3): start line, header fields, body. Values stay unparsed. Pure.

import { CR, LF, parseDecimal, SLASH, SPACE, skipClass, skipUri, TOKEN } from './characters.ts';
import { readFields } from './header.ts';
import { type Malformed, type Message, malformed, type Request } from './message.ts';

/** The longest message taken, in octets. */
export const MAX_MESSAGE_BYTES = 65536;
const MAX_VIAS = 128;
const VERSION = 'SIP/2.0';
const VERSION_NOT_SUPPORTED = 505;
const MESSAGE_TOO_LARGE = 513;

interface Fault {
  readonly field: string;
  readonly why: string;
  readonly status?: number;
}

/**
 * Parses one datagram, or one message of a stream's framer. CRLFs before it are skipped; a body shorter than
 * Content-Length is malformed, what stands behind it is dropped (RFC 3261 §18.3).
 */
export function parseMessage(octets: string): Message | Malformed {
  let start = 0;
  while (octets.charCodeAt(start) === CR && octets.charCodeAt(start + 1) === LF) start += 2;
  const lineEnd = octets.indexOf('\n', start) - 1;
  if (lineEnd < start || octets.indexOf('\r', start) !== lineEnd) {
    return malformed('start line', 'it does not end with CRLF');
  }
  const line = isStatusLine(octets, start)
    ? readStatusLine(octets, start, lineEnd)
    : readRequestLine(octets, start, lineEnd);
  if (line.message === undefined) return malformed('start line', line.fault?.why ?? '');
  const { message } = line;
  const header = readFields(octets, lineEnd + 2, message.fields);
  const fault: Fault | undefined = sizeFault(octets) ?? line.fault ?? header.fault ?? viaFault(header.vias);
  if (fault !== undefined) return malformed(fault.field, fault.why, message, fault.status);
  const available = octets.length - header.end;
  const length = header.contentLength ?? available;
  if (length > available) return malformed('Content-Length', 'the body is shorter', message);
  message.body = length === 0 ? '' : octets.slice(header.end, header.end + length);
  return message;
}

/** A method has no slash. */
function isStatusLine(octets: string, start: number): boolean {
  return octets.charCodeAt(start + 3) === SLASH && octets.slice(start, start + 3).toUpperCase() === 'SIP';
}

interface StartLine {
  readonly message?: Message;
  readonly fault?: Fault | undefined;
}

function readRequestLine(octets: string, start: number, end: number): StartLine {
  const methodEnd = skipClass(TOKEN, octets, start, end);
  if (methodEnd === start || octets.charCodeAt(methodEnd) !== SPACE) {
    return { fault: { field: 'start line', why: 'there is no method' } };
  }
  const method = octets.slice(start, methodEnd);
  const uriEnd = skipUri(octets, methodEnd + 1);
  const requestUri = octets.slice(methodEnd + 1, uriEnd);
  const message: Request = { type: 'request', method, requestUri, fields: [], body: '' };
  if (requestUri === '' || octets.charCodeAt(uriEnd) !== SPACE) {
    return {
      message,
      fault: { field: 'start line', why: 'the Request-URI is not one URI between single spaces' },
    };
  }
  const version = octets.slice(uriEnd + 1, end);
  return { message, fault: version === VERSION ? undefined : versionFault(version) };
}

function versionFault(version: string): Fault | undefined {
  if (version.toUpperCase() === VERSION) return undefined;
  return /^sip\/[0-9]+\.[0-9]+$/i.test(version)
    ? { field: 'start line', why: 'the version is not SIP/2.0', status: VERSION_NOT_SUPPORTED }
    : { field: 'start line', why: 'it does not end with a SIP version' };
}

function readStatusLine(octets: string, start: number, end: number): StartLine {
  const line = octets.slice(start, end);
  if (line.slice(0, 8).toUpperCase() !== `${VERSION} `) {
    return { fault: { field: 'start line', why: 'the version is not SIP/2.0' } };
  }
  const status = parseDecimal(line, 8, 11, 699);
  if (status < 100 || (line.length > 11 && line.charCodeAt(11) !== SPACE)) {
    return { fault: { field: 'start line', why: 'the status is not three digits from 100 to 699' } };
  }
  return { message: { type: 'response', status, reason: line.slice(12), fields: [], body: '' } };
}

function sizeFault(octets: string): Fault | undefined {
  if (octets.length <= MAX_MESSAGE_BYTES) return undefined;
  return {
    field: 'message',
    why: `it is longer than ${MAX_MESSAGE_BYTES} octets`,
    status: MESSAGE_TOO_LARGE,
  };
}

function viaFault(vias: number): Fault | undefined {
  return vias <= MAX_VIAS ? undefined : { field: 'Via', why: `there are more than ${MAX_VIAS} values` };
}
