// The quick way into a line of acct: what formatCallRecord wrote without an escape, by one regular expression. Pure.
// JSON.parse takes four times as long, and a report reads a million lines.

import type { CallDirection, CallEnder, CallRecord, CallStatus } from './acct.ts';
import { parseInstant } from './instant.ts';

const TEXT = '"([\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*)"';
const TIME = '"([^"]{24})"';
const pattern = new RegExp(
  [
    '^\\{"id":"([\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{1,64})"',
    `,"start":${TIME}(?:,"answer":${TIME})?,"end":${TIME}`,
    ',"duration":((?:0|[1-9]\\d{0,8})(?:\\.\\d{1,3})?)',
    `,"dir":"(in|out|internal)","from":${TEXT},"to":${TEXT},"callid":${TEXT}`,
    ',"status":"(answered|missed|busy|cancelled|failed)"',
    `(?:,"code":([1-6]\\d\\d))?(?:,"reason":${TEXT})?`,
    '(?:,"ended_by":"(caller|callee|timer|max-duration|restart)")?',
    `(?:,"caller":${TEXT})?(?:,"callee":${TEXT})?(?:,"forwarded_by":${TEXT})?`,
    `(?:,"peer_ip":${TEXT})?(?:,"ua":${TEXT})?\\}$`,
  ].join(''),
);

/** Reads a line as it is usually written; undefined for all that needs a closer look. */
export function scanCallRecord(line: string): CallRecord | undefined {
  const found = pattern.exec(line);
  if (found === null) return undefined;
  const start = parseInstant(found[2] as string);
  const answer = found[3] === undefined ? undefined : parseInstant(found[3]);
  const end = parseInstant(found[4] as string);
  const status = found[10] as CallStatus;
  if (start === undefined || end === undefined) return undefined;
  if (answer === undefined && (found[3] !== undefined || status === 'answered')) return undefined;
  return {
    id: found[1] as string,
    start,
    answer,
    end,
    durationMs: Math.round(Number(found[5]) * 1000),
    direction: found[6] as CallDirection,
    from: found[7] as string,
    to: found[8] as string,
    callId: found[9] as string,
    status,
    code: found[11] === undefined ? undefined : Number(found[11]),
    reason: found[12],
    endedBy: found[13] as CallEnder | undefined,
    caller: found[14],
    callee: found[15],
    forwardedBy: found[16],
    others: undefined,
    peerIp: found[17],
    userAgent: found[18],
  };
}
