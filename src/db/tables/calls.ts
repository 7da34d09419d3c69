// ~/.sr/acct as Kamailio's `acc` and `missed_calls`. What Kamailio writes there becomes records of the accounts that its extra
// columns name (db_extra of its stock configuration): an INVITE that is answered and its BYE are one record.

import { createHash } from 'node:crypto';
import { type CallRecord, type CallStatus, formatCallRecord, parseCallRecord } from '../../home/acct.ts';
import { parseUsrloc } from '../../home/usrloc.ts';
import { fromOctets } from '../../message/octets.ts';
import type { Homes } from '../homes.ts';
import type { Column, Row, Table } from '../table.ts';
import { localText, localTime } from '../time.ts';
import { rowsOfUsers } from './owned.ts';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'int4' },
  { name: 'method', type: 'text', default: '' },
  { name: 'from_tag', type: 'text', default: '' },
  { name: 'to_tag', type: 'text', default: '' },
  { name: 'callid', type: 'text', default: '' },
  { name: 'sip_code', type: 'text', default: '' },
  { name: 'sip_reason', type: 'text', default: '' },
  { name: 'time', type: 'timestamp' },
  { name: 'src_user', type: 'text', default: '' },
  { name: 'src_domain', type: 'text', default: '' },
  { name: 'src_ip', type: 'text', default: '' },
  { name: 'dst_ouser', type: 'text', default: '' },
  { name: 'dst_user', type: 'text', default: '' },
  { name: 'dst_domain', type: 'text', default: '' },
  { name: 'cdr_id', type: 'int4', default: 0 },
  // What acct has besides, to read.
  { name: 'username', type: 'text' },
  { name: 'direction', type: 'text' },
  { name: 'status', type: 'text' },
  { name: 'duration', type: 'float8' },
  { name: 'end_time', type: 'timestamp' },
];
/** Calls that were answered and have not ended. */
const MOST_OPEN = 100_000;
const MISSED: ReadonlySet<string> = new Set(['missed', 'busy', 'cancelled']);

/** Both tables, and what is open at the end. */
export interface CallTables {
  readonly tables: readonly Table[];
  /** Writes what was answered and did not end. */
  close(): Promise<void>;
}

/** Makes them; `isLocal`: whether a domain is served here. */
export function callTables(homes: Homes, realm: string, isLocal: (domain: string) => boolean): CallTables {
  const open = new Map<string, Row>();
  /** Copies that were written: a call that is missed is in both tables. */
  const written = new Set<string>();

  function tableOf(name: string, isMeant: (record: CallRecord) => boolean): Table {
    return {
      name,
      columns: COLUMNS,
      owner: 'username',
      key: [],
      rows: (users) =>
        rowsOfUsers(homes, users, 'acct', (user, { content = '' }) =>
          content
            .split('\n')
            .slice(0, -1)
            .flatMap((line) => {
              const record = parseCallRecord(line);
              return typeof record === 'string' || !isMeant(record) ? [] : [rowOf(user, record)];
            }),
        ),
      insert: take,
    };
  }

  async function take(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const key = `${row.callid}\n${row.from_tag}`;
      const method = String(row.method);
      const isAnswered = String(row.sip_code).startsWith('2');
      if (method === 'INVITE' && isAnswered) {
        // A re-INVITE is the same call.
        if (!open.has(key)) open.set(key, row);
        if (open.size > MOST_OPEN) await end(open.keys().next().value as string, undefined);
      } else if (method === 'BYE' && (open.has(key) || open.has(`${row.callid}\n${row.to_tag}`)))
        await end(open.has(key) ? key : `${row.callid}\n${row.to_tag}`, row);
      else if (method === 'INVITE') await write(row, undefined, statusOf(Number(row.sip_code)));
    }
  }

  async function end(key: string, bye: Row | undefined): Promise<void> {
    const invite = open.get(key) as Row;
    open.delete(key);
    await write(invite, bye, 'answered');
  }

  /** What Kamailio calls the destination is where a phone is, once it has found that. */
  async function isPhone(account: string, user: string, host: string): Promise<boolean> {
    const text = await homes.read(account, 'usrloc');
    return parseUsrloc(text?.content ?? '', '').bindings.some(({ uri }) => {
      const [ofUser, ofHost] = partsOf(fromOctets(uri));
      return ofUser === user && ofHost.replace(/:\d+$/, '') === host;
    });
  }

  async function write(invite: Row, bye: Row | undefined, status: CallStatus): Promise<void> {
    const at = localTime(String(invite.time)) ?? Date.now();
    const ended = bye === undefined ? at : (localTime(String(bye.time)) ?? at);
    const text = (name: string) => String(invite[name] ?? '');
    const id = `k-${createHash('sha1')
      .update(`${text('callid')}\n${text('from_tag')}`)
      .digest('hex')
      .slice(0, 24)}`;
    const called = text('dst_ouser') || text('dst_user');
    const isHere =
      isLocal(text('dst_domain')) || (await isPhone(called, text('dst_user'), text('dst_domain')));
    const from = addressOf(text('src_user'), text('src_domain'));
    const to = addressOf(called, isHere ? realm : text('dst_domain'));
    const caller = isLocal(text('src_domain')) ? text('src_user') : '';
    const callee = isHere ? called : '';
    const record: Omit<CallRecord, 'direction'> = {
      id,
      start: at,
      answer: status === 'answered' ? at : undefined,
      end: ended,
      durationMs: status === 'answered' ? ended - at : 0,
      from,
      to,
      callId: text('callid'),
      status,
      code: Number(text('sip_code')) || undefined,
      reason: text('sip_reason') || undefined,
      endedBy:
        status !== 'answered'
          ? undefined
          : bye === undefined
            ? 'restart'
            : bye.from_tag === invite.from_tag
              ? 'caller'
              : 'callee',
      caller: caller || undefined,
      callee: callee || undefined,
      peerIp: text('src_ip') || undefined,
    };
    for (const [user, direction] of [
      [caller, 'out'],
      [callee, 'in'],
    ] as const) {
      const copy = `${id} ${user}`;
      if (user === '' || written.has(copy) || (await homes.read(user, 'passwd')) === undefined) continue;
      await homes.append(user, 'acct', [formatCallRecord({ ...record, direction })]);
      written.add(copy);
      if (written.size > MOST_OPEN) written.delete(written.keys().next().value as string);
    }
  }

  return {
    tables: [
      tableOf('acc', () => true),
      tableOf('missed_calls', ({ direction, status }) => direction === 'in' && MISSED.has(status)),
    ],
    async close() {
      for (const key of [...open.keys()]) await end(key, undefined);
    },
  };
}

function statusOf(code: number): CallStatus {
  if (code === 486 || code === 600) return 'busy';
  if (code === 487) return 'cancelled';
  return code === 408 || code === 480 ? 'missed' : 'failed';
}

function addressOf(user: string, domain: string): string {
  return `sip:${user === '' ? '' : `${user}@`}${domain === '' ? 'invalid' : domain}`;
}

function rowOf(user: string, record: CallRecord): Row {
  const [srcUser, srcDomain] = partsOf(record.from);
  const [dstUser, dstDomain] = partsOf(record.to);
  return {
    id: createHash('sha1').update(record.id).digest().readUInt32BE(0) >>> 1,
    method: 'INVITE',
    from_tag: '',
    to_tag: '',
    callid: record.callId,
    sip_code: String(record.code ?? ''),
    sip_reason: record.reason ?? '',
    time: localText(record.answer ?? record.end),
    src_user: srcUser,
    src_domain: srcDomain,
    src_ip: record.peerIp ?? '',
    dst_ouser: dstUser,
    dst_user: dstUser,
    dst_domain: dstDomain,
    cdr_id: 0,
    username: user,
    direction: record.direction,
    status: record.status,
    duration: record.durationMs / 1000,
    end_time: localText(record.end),
  };
}

function partsOf(uri: string): [string, string] {
  const match = /^sips?:(?:([^@;?]*)@)?([^;?>]*)/i.exec(uri);
  return [match?.[1] ?? '', match?.[2] ?? fromOctets('')];
}
