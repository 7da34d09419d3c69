// What a decision says of a request that is not served: the answer on the wire, and the cause for the log. Pure.

import type { HeaderField } from '../message/message.ts';
import { createField } from '../message/response.ts';

/** A request refused. `why` goes to the log only; the peer sees status, reason and fields. */
export interface Rejection {
  readonly type: 'rejection';
  readonly status: number;
  /** Undefined: the standard phrase of the status. */
  readonly reason?: string | undefined;
  readonly fields?: readonly HeaderField[] | undefined;
  readonly why: string;
}

/** When who was refused for a while may ask again, in seconds. */
const RETRY_AFTER = 5;

/** A rejection because of something that will pass: 500 with Retry-After (RFC 3261 §21.5.1). */
export function rejectForNow(why: string): Rejection {
  return reject(500, why, { fields: [createField('Retry-After', String(RETRY_AFTER))] });
}

/** Makes a rejection. */
export function reject(
  status: number,
  why: string,
  options: { reason?: string; fields?: readonly HeaderField[] } = {},
): Rejection {
  return { type: 'rejection', status, reason: options.reason, fields: options.fields, why };
}
