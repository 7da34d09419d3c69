// Records of calls in Kamailio's table `acc`: its own columns as its module writes them for an INVITE, and behind them the record
// of each account that has a copy, once.

import { parseCallRecord } from '../../home/acct.ts';
import type { Database, Row } from './database.ts';

export const ACC = 'acc';
/** The columns that are written. */
export const ACC_COLUMNS = [
  ...['method', 'from_tag', 'to_tag', 'callid', 'sip_code', 'sip_reason', 'time'],
  ...['call_id', 'username', 'domain', 'direction', 'from_uri', 'to_uri', 'answer_time', 'end_time'],
  ...['duration', 'status', 'record'],
] as const;

/** Writes an account's records, one line each of ~/.sr/acct; those that are there stay. */
export async function writeCalls(
  database: Database,
  { username, domain }: { readonly username: string; readonly domain: string },
  lines: readonly string[],
): Promise<void> {
  await database.insertNew(
    ACC,
    lines.flatMap((line) => rowOf(line, username, domain)),
  );
}

/** Of Kamailio's columns, in characters. */
const WIDTH = 255;
const WIDTH_OF_REASON = 128;

function rowOf(line: string, username: string, domain: string): Row[] {
  const record = parseCallRecord(line);
  if (typeof record === 'string' || record === undefined) return [];
  const date = (ms: number | undefined) => (ms === undefined ? null : new Date(ms));
  return [
    {
      method: 'INVITE',
      from_tag: '',
      to_tag: '',
      callid: record.callId.slice(0, WIDTH),
      sip_code: String(record.code ?? ''),
      sip_reason: (record.reason ?? '').slice(0, WIDTH_OF_REASON),
      time: date(record.answer ?? record.end),
      call_id: record.id,
      username,
      domain,
      direction: record.direction,
      from_uri: record.from,
      to_uri: record.to,
      answer_time: date(record.answer),
      end_time: date(record.end),
      duration: record.durationMs / 1000,
      status: record.status,
      record: line,
    },
  ];
}
