// What a call that is sent elsewhere says of where it was sent before: History-Info (RFC 7044, RFC 4244) with the causes
// of RFC 4458, and Diversion (RFC 5806) for gateways that know nothing newer. Pure.

import { fieldValues, splitList } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import type { ForwardReason } from './callee-policy.ts';

/** RFC 4458 §2 gives the causes of redirection as SIP status codes. */
const CAUSES: Readonly<Record<ForwardReason, number>> = {
  unconditional: 302,
  'user-busy': 486,
  'no-answer': 408,
  unavailable: 480,
};

/** One forward on the way of a call. */
export interface Retargeting {
  /** Whose rule it is: his address-of-record as a URI. */
  readonly from: string;
  readonly reason: ForwardReason;
}

/** How many entries are written: each forward adds one, and forwards are few. */
const MAX_ENTRIES = 20;

/** The fields of a request that was forwarded, the first forward first; `to` is where it goes now. None without one. */
export function retargetingFields(
  request: Request,
  retargetings: readonly Retargeting[],
  to: string,
): HeaderField[] {
  if (retargetings.length === 0) return [];
  const before = fieldValues(request, 'history-info').flatMap(splitList).slice(0, MAX_ENTRIES);
  let index = before.length === 0 ? '1' : `${lastIndexOf(before)}.1`;
  const fields: HeaderField[] = [];
  for (const { from, reason } of retargetings.slice(0, MAX_ENTRIES)) {
    const cause = CAUSES[reason];
    fields.push(createField('History-Info', `<${withReason(from, cause)}>;index=${index}`));
    index += '.1';
  }
  fields.push(createField('History-Info', `<${to}>;index=${index};mp=${index.slice(0, -2)}`));
  for (const { from, reason } of retargetings.slice(0, MAX_ENTRIES).reverse())
    fields.push(createField('Diversion', `<${from}>;reason=${reason};counter=1`));
  return fields;
}

/** The reason is a header of the URI that was retargeted from (RFC 7044 §5.2). */
function withReason(uri: string, cause: number): string {
  return `${uri}?Reason=SIP%3Bcause%3D${cause}`;
}

function lastIndexOf(entries: readonly string[]): string {
  const found = /;\s*index=([0-9.]+)/i.exec(entries[entries.length - 1] as string);
  return found?.[1] ?? String(entries.length);
}
