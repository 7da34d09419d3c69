// The session description in the body of a message: all of it, or one part of a multipart/mixed body (RFC 3261 §7.4,
// RFC 5621 §3.1, RFC 2046 §5.1). Pure.

import { skipBlanks, trimBlanks } from '../message/characters.ts';
import { unfold } from '../message/fields.ts';
import { readFields } from '../message/header.ts';
import type { HeaderField, Message } from '../message/message.ts';
import { type Parameter, parameterValue, parseParameters } from '../message/parameters.ts';

/** A body cut in three: `before` and `after` are empty where SDP is all of it. */
export interface SdpBody {
  readonly before: string;
  readonly sdp: string;
  readonly after: string;
}

const MOST_PARTS = 32;
const MOST_BOUNDARY = 70;

/**
 * Finds the SDP of a message. Undefined where there is none, where there are two, and where it is encoded or the body's
 * structure is broken, so that nobody can say what its reader takes for it.
 */
export function findSdp(message: Message): SdpBody | undefined {
  const { body, fields } = message;
  const type = mediaType(fields);
  if (body === '' || type === undefined || isEncoded(fields)) return undefined;
  if (type.name === 'application/sdp') return { before: '', sdp: body, after: '' };
  if (type.name !== 'multipart/mixed') return undefined;
  const boundary = parameterValue(type.parameters, 'boundary') ?? '';
  return boundary === '' || boundary.length > MOST_BOUNDARY ? undefined : findPart(body, boundary);
}

/** The body with other SDP in the place of the one found; every other octet stays. */
export function replaceSdp({ before, after }: SdpBody, sdp: string): string {
  return before + sdp + after;
}

/** The media type in lower case; undefined where there is not exactly one that can be read. */
function mediaType(
  fields: readonly HeaderField[],
): { readonly name: string; readonly parameters: readonly Parameter[] } | undefined {
  const [field, second] = fields.filter(({ id }) => id === 'content-type');
  if (field === undefined || second !== undefined) return undefined;
  const text = unfold(field.value);
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const parameters = parseParameters(text, end, text.length);
  if (parameters === undefined) return undefined;
  // RFC 3261 §25.1 lets blanks stand around the slash.
  const name = text.slice(0, end).split('/').map(trimBlanks).join('/').toLowerCase();
  return { name, parameters };
}

/** Content-Encoding for whole bodies, Content-Transfer-Encoding for parts; these values mean that nothing was done. */
function isEncoded(fields: readonly HeaderField[]): boolean {
  return fields.some(
    ({ id, value }) =>
      (id === 'content-encoding' || id === 'content-transfer-encoding') &&
      !/^(?:identity|7bit|8bit|binary)$/i.test(value),
  );
}

/** Finds the one part of SDP. A delimiter's line belongs to no part, nor does the CRLF before it. */
function findPart(body: string, boundary: string): SdpBody | undefined {
  // The first delimiter may begin the body; with a CRLF before it, it is like the others.
  const text = `\r\n${body}`;
  let found: SdpBody | undefined;
  let delimiter = nextDelimiter(text, boundary, 0);
  for (let parts = 0; delimiter !== undefined && !delimiter.isLast; parts++) {
    const next = nextDelimiter(text, boundary, delimiter.end);
    if (next === undefined || parts === MOST_PARTS) return undefined;
    const part = text.slice(delimiter.end, next.start);
    const fields: HeaderField[] = [];
    const header = readFields(part, 0, fields);
    if (header.fault === undefined && mediaType(fields)?.name === 'application/sdp') {
      if (found !== undefined || isEncoded(fields)) return undefined;
      const start = delimiter.end + header.end;
      found = {
        before: text.slice(2, start),
        sdp: text.slice(start, next.start),
        after: text.slice(next.start),
      };
    }
    delimiter = next;
  }
  return delimiter === undefined || found?.sdp === '' ? undefined : found;
}

interface Delimiter {
  /** Where the part before it ends. */
  readonly start: number;
  /** Behind its line. */
  readonly end: number;
  readonly isLast: boolean;
}

function nextDelimiter(text: string, boundary: string, from: number): Delimiter | undefined {
  const dashes = `\r\n--${boundary}`;
  for (let start = text.indexOf(dashes, from); start >= 0; start = text.indexOf(dashes, start + 2)) {
    const isLast = text.startsWith('--', start + dashes.length);
    const lineEnd = skipBlanks(text, start + dashes.length + (isLast ? 2 : 0), text.length);
    if (text.startsWith('\r\n', lineEnd)) return { start, end: lineEnd + 2, isLast };
    if (isLast && lineEnd === text.length) return { start, end: lineEnd, isLast };
  }
  return undefined;
}
