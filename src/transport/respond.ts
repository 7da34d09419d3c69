// Where a response goes, and what the topmost Via must say for it (RFC 3261 §18.2.1, §18.2.2; RFC 3581 §4). Pure.

import { elementEnd, unfold } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { formatVia, type Via } from '../message/via.ts';
import { canonicalAddress } from './address.ts';
import type { Flow } from './flow.ts';

const defaultPort = 5060;
const rport = ';rport';

/**
 * The flow for the response to a request with that topmost Via. Always to the source address and by the socket the
 * request came to; to the source port with rport or from behind a NAT, else to sent-by's.
 * Departs from RFC 3261 §18.2.2: maddr is ignored, or anyone could aim our answers at a third party.
 */
export function responseTarget(via: Via, flow: Flow): Flow {
  if (flow.reliable || via.rport !== undefined) return flow;
  const port = via.port ?? defaultPort;
  if (port === flow.remotePort || port === 0 || !isSource(via.host, flow.remoteAddress)) return flow;
  return flow.atPort(port);
}

/**
 * Adds `received` to the topmost Via of a request where sent-by is not the source address or rport is there, and
 * fills rport. To be called once, before anything copies the Via; `via` keeps what the client wrote.
 */
export function stampVia(request: Request, via: Via, flow: Flow): void {
  if (via.rport === undefined && via.received === undefined && isSource(via.host, flow.remoteAddress)) return;
  const { fields } = request;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as HeaderField;
    if (field.id !== 'via') continue;
    const { id, name, between, after } = field;
    fields[index] = { id, name, value: stamped(field.value, via, flow), between, after };
    return;
  }
}

function stamped(value: string, via: Via, flow: Flow): string {
  const { remoteAddress, remotePort } = flow;
  // What phones send: one value, one plain `;rport`.
  if (via.rport === true && via.received === undefined && isPlain(value)) {
    const start = value.indexOf(rport);
    const end = start + rport.length;
    if (start !== -1 && (end === value.length || value.charCodeAt(end) === 0x3b)) {
      return `${value.slice(0, start)};received=${remoteAddress};rport=${remotePort}${value.slice(end)}`;
    }
  }
  const text = unfold(value);
  const first = formatVia({
    ...via,
    received: remoteAddress,
    rport: via.rport === undefined ? undefined : remotePort,
  });
  return first + text.slice(elementEnd(text, 0));
}

/** No list, no quoted-string, no fold. */
function isPlain(value: string): boolean {
  return value.indexOf(',') === -1 && value.indexOf('"') === -1 && value.indexOf('\n') === -1;
}

/** Whether sent-by's host, IPv6 in brackets, is that address. */
function isSource(host: string, address: string): boolean {
  if (host === address) return true;
  if (host.charCodeAt(0) !== 0x5b) return false;
  return host.slice(1, -1) === address || canonicalAddress(host) === address;
}
