// Making responses and header fields (RFC 3261 §8.2.6). Pure.

import { parseAddress } from './address.ts';
import type { HeaderField, Request, Response } from './message.ts';
import { fieldId } from './names.ts';
import { hasParameter } from './parameters.ts';
import { reasonPhrase } from './reason.ts';

export { reasonPhrase } from './reason.ts';

/** What `createResponse` may be told besides the status. */
export interface ResponseOptions {
  readonly reason?: string | undefined;
  /** The tag To gets where it has none (RFC 3261 §8.2.6.2). */
  readonly toTag?: string | undefined;
  /** Header fields behind those copied. */
  readonly fields?: readonly HeaderField[] | undefined;
}

/**
 * Makes the response to a request: all Via, From, To, Call-ID and CSeq fields as they stand there, and Timestamp
 * in a 100 (RFC 3261 §8.2.6). What is missing or broken in the request is so in the response.
 */
export function createResponse(request: Request, status: number, options: ResponseOptions = {}): Response {
  const fields: HeaderField[] = [];
  for (const field of request.fields) {
    switch (field.id) {
      case 'via':
      case 'from':
      case 'call-id':
      case 'cseq':
        fields.push(field);
        break;
      case 'to':
        fields.push(options.toTag === undefined ? field : withTag(field, options.toTag));
        break;
      case 'timestamp':
        if (status === 100) fields.push(field);
        break;
    }
  }
  if (options.fields !== undefined) fields.push(...options.fields);
  const reason = options.reason ?? reasonPhrase(status);
  refuseLineEnds(reason);
  return { type: 'response', status, reason, fields, body: '' };
}

/** A To that cannot be parsed stays without a tag. */
function withTag(field: HeaderField, tag: string): HeaderField {
  const address = parseAddress(field.value);
  if (address === undefined || hasParameter(address.parameters, 'tag')) return field;
  const { id, name, value, between, after } = field;
  return { id, name, value: `${value};tag=${tag}`, between, after };
}

/** Makes a header field. Throws where the value has CR or LF, which could smuggle in another field. */
export function createField(name: string, value: string): HeaderField {
  refuseLineEnds(value);
  return { id: fieldId(name), name, value, between: undefined, after: undefined };
}

function refuseLineEnds(text: string): void {
  if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0)
    throw new Error('a header field cannot hold CR or LF');
}
