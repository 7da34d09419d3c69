// The header of a message: from its lines to header fields (RFC 3261 §7.3), shared by datagrams and streams. Pure.

import { blanksStart, CR, isAll, LF, parseDecimal, SPACE, skipBlanks, TAB, TOKEN } from './characters.ts';
import type { HeaderField } from './message.ts';
import { fieldId, findName } from './names.ts';
import { countVias } from './via.ts';

const MAX_FIELDS = 256;
const MAX_CONTENT_LENGTH = 2 ** 31 - 1;

/** What reading the header fields found besides them. */
export interface Header {
  /** Where the body starts; where reading stopped, if the empty line is missing. */
  end: number;
  /** Undefined where there is no Content-Length. */
  contentLength: number | undefined;
  /** The number of Via values. */
  vias: number;
  /** The first fault. Fields behind it are read all the same, so that the request can be answered. */
  fault: { readonly field: string; readonly why: string } | undefined;
  /** Whether a fault leaves open where the message ends. */
  unframed: boolean;
}

/** Reads header fields from `start` up to and with the empty line, and appends them to `fields`. Never throws. */
export function readFields(octets: string, start: number, fields: HeaderField[]): Header {
  const header: Header = { end: start, contentLength: undefined, vias: 0, fault: undefined, unframed: false };
  let position = start;
  for (;;) {
    let lineFeed = octets.indexOf('\n', position);
    if (lineFeed < 0) {
      unframe(header, 'message', 'there is no empty line behind the header fields');
      break;
    }
    if (lineFeed === position + 1 && octets.charCodeAt(position) === CR) {
      position = lineFeed + 1;
      break;
    }
    let whole = endsWell(octets, position, lineFeed);
    let folded = false;
    while (isFold(octets, lineFeed + 1)) {
      const next = octets.indexOf('\n', lineFeed + 1);
      if (next < 0) break;
      whole = endsWell(octets, lineFeed + 1, next) && whole;
      folded = true;
      lineFeed = next;
    }
    if (!whole) {
      unframe(header, 'message', 'a line has CR or LF alone');
      // What stands behind it up to CRLF is no field of its own.
      const lineEnd = octets.indexOf('\r\n', lineFeed - 1);
      lineFeed = lineEnd < 0 ? octets.length - 1 : lineEnd + 1;
    } else if (fields.length === MAX_FIELDS) {
      unframe(header, 'message', `there are more than ${MAX_FIELDS} header fields`);
      break;
    } else readField(octets, position, lineFeed - 1, folded, fields, header);
    position = lineFeed + 1;
  }
  header.end = position;
  return header;
}

/** Whether the line ends with CRLF and has no other CR. */
function endsWell(octets: string, start: number, lineFeed: number): boolean {
  return (
    lineFeed > start && octets.charCodeAt(lineFeed - 1) === CR && octets.indexOf('\r', start) === lineFeed - 1
  );
}

function isFold(octets: string, position: number): boolean {
  if (position >= octets.length) return false;
  const code = octets.charCodeAt(position);
  return code === SPACE || code === TAB;
}

function unframe(header: Header, field: string, why: string): void {
  header.fault ??= { field, why };
  header.unframed = true;
}

/** Reads the field in [start, end), which is one line, or several where it is folded. */
function readField(
  octets: string,
  start: number,
  end: number,
  folded: boolean,
  fields: HeaderField[],
  header: Header,
): void {
  const colon = octets.indexOf(':', start);
  const before = colon < 0 || colon >= end ? '' : octets.slice(start, colon);
  const known = findName(before);
  const name = known === undefined ? before.slice(0, blanksStart(before, 0, before.length)) : known.name;
  if (known === undefined && !isAll(TOKEN, name)) {
    header.fault ??= { field: 'message', why: 'a line is not a header field' };
    return;
  }
  const id = known === undefined ? fieldId(name) : known.id;
  let valueStart = skipBlanks(octets, colon + 1, end);
  let valueEnd = end;
  if (folded) {
    while (valueStart < end && isWhite(octets, valueStart)) valueStart++;
    while (valueEnd > valueStart && isWhite(octets, valueEnd - 1)) valueEnd--;
  } else {
    while (valueEnd > valueStart && isFold(octets, valueEnd - 1)) valueEnd--;
  }
  const value = octets.slice(valueStart, valueEnd);
  if (
    valueEnd === end &&
    valueStart === colon + 2 &&
    name.length === before.length &&
    octets.charCodeAt(colon + 1) === SPACE
  ) {
    fields.push({ id, name, value });
  } else {
    const between = octets.slice(start + name.length, valueStart);
    const after = valueEnd === end ? undefined : octets.slice(valueEnd, end);
    fields.push({ id, name, value, between, after });
  }
  if (id === 'via') header.vias += countVias(value);
  else if (id === 'content-length') readContentLength(value, header);
}

function isWhite(octets: string, position: number): boolean {
  const code = octets.charCodeAt(position);
  return code === SPACE || code === TAB || code === CR || code === LF;
}

/** A body's length must be one and certain, or requests hide in it: RFC 4475 §3.1.2.3, §3.3.9. */
function readContentLength(value: string, header: Header): void {
  const length = parseDecimal(value, 0, value.length, MAX_CONTENT_LENGTH);
  if (length < 0) unframe(header, 'Content-Length', 'it is not a number');
  else if (header.contentLength !== undefined) unframe(header, 'Content-Length', 'there are two');
  else header.contentLength = length;
}
