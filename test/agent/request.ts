// Requests as the agent makes them (RFC 3261 §8.1.1), with every header field in the caller's hand.

import { randomBytes } from 'node:crypto';
import { bracketHost } from '../../src/message/host.ts';
import type { HeaderField, Request } from '../../src/message/message.ts';
import { fieldId } from '../../src/message/names.ts';
import type { Address } from './wire.ts';

/** Values of header fields by name, as octet strings: a list makes several fields, undefined takes the field away. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface RequestOptions {
  readonly method: string;
  readonly requestUri: string;
  /** Laid over Via, Max-Forwards, From, To, Call-ID and CSeq, which are made when not given; nothing is checked. */
  readonly fields?: Fields | undefined;
  readonly body?: string | undefined;
  /** For Call-ID, when `fields` has none: the agent's own. */
  readonly callId?: string | undefined;
  /** For CSeq, when `fields` has none: one more than the last. */
  readonly cseq?: number | undefined;
  /** The last hand on the request before it is formatted. */
  readonly mutate?: ((request: Request) => Request) | undefined;
}

/** Makes a branch of RFC 3261 §8.1.1.7. */
function createBranch(): string {
  return `z9hG4bK${randomBytes(9).toString('hex')}`;
}

/** Makes a request. `callId` and `cseq` are what the agent goes by when the options say nothing. */
export function createRequest(
  options: RequestOptions,
  transport: 'udp' | 'tcp',
  local: Address,
  own: { readonly callId: string; readonly cseq: number },
): Request {
  const host = `${bracketHost(local.address)}:${local.port}`;
  const defaults = {
    Via: `SIP/2.0/${transport.toUpperCase()} ${host};branch=${createBranch()};rport`,
    'Max-Forwards': '70',
    From: `<sip:agent@${host}>;tag=${randomBytes(6).toString('hex')}`,
    To: `<${options.requestUri}>`,
    'Call-ID': options.callId ?? own.callId,
    CSeq: `${options.cseq ?? own.cseq} ${options.method}`,
  };
  const { method, requestUri, body = '' } = options;
  const request: Request = {
    type: 'request',
    method,
    requestUri,
    fields: layOver(defaults, options.fields ?? {}),
    body,
  };
  return options.mutate?.(request) ?? request;
}

/** Fields of the one, with values of the other where that has them by any form of the name; new names go behind. */
function layOver(defaults: Fields, fields: Fields): HeaderField[] {
  const byId = new Map<string, [string, Fields[string]]>();
  for (const [name, value] of [...Object.entries(defaults), ...Object.entries(fields)]) {
    byId.set(fieldId(name), [name, value]);
  }
  return [...byId].flatMap(([id, [name, value]]) =>
    value === undefined ? [] : [value].flat().map((each) => ({ id, name, value: each })),
  );
}
