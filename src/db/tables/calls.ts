// ~/.sr/acct as Kamailio's `acc` and `missed_calls`. What Kamailio writes there becomes records of the accounts that its extra
// columns name (db_extra of its stock configuration): an INVITE that is answered and its BYE are one record.

import { createHash } from 'node:crypto';
import { type CallRecord, type CallStatus, formatCallRecord, parseCallRecord } from '../../home/acct.ts';
import { parseUsrloc } from '../../home/usrloc.ts';
import { fromOctets } from '../../message/octets.ts';
import type { Homes } from '../homes.ts';
import type { Value } from '../sql.ts';
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
const MOST_OPEN = 90_000;
const MOST_EARLY = 1000;
/** Lines that the file of them may have whatever is open. */
const MOST_LINES = 1000;
/** Of a row in a line of at most 4 KiB. */
const MOST_CHARACTERS = 3900;
const NEEDED = [
  ...['callid', 'from_tag', 'sip_code', 'sip_reason', 'time', 'src_user', 'src_domain', 'src_ip'],
  ...['dst_ouser', 'dst_user', 'dst_domain'],
];
/** One whose end nobody said for so long is over. */
const LONGEST_MS = 86_400_000;
const MISSED: ReadonlySet<string> = new Set(['missed', 'busy', 'cancelled']);

/** A call that was answered. */
interface Open {
  readonly row: Row;
  /** From the file: its record may be written already. */
  readonly isTakenUp: boolean;
}

/** Both tables. */
export interface CallTables {
  readonly tables: readonly Table[];
  /** Takes up the calls that were not over when the server before ended. */
  takeUp(): Promise<void>;
}

/** Makes them; `isLocal`: whether a domain is served here. */
export function callTables(homes: Homes, realm: string, isLocal: (domain: string) => boolean): CallTables {
  const open = new Map<string, Open>();
  /** BYEs whose INVITE is not known, the latest. */
  const early = new Map<string, Row>();
  let turn: Promise<void> = Promise.resolve();
  /** Lines of the file of open calls. */
  let lines = 0;
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
      insert: takeInTurn,
    };
  }

  /** One after the other: Kamailio's processes write by connections of their own. */
  function takeInTurn(rows: readonly Row[]): Promise<void> {
    const done = turn.then(() => take(rows));
    turn = done.catch(() => {});
    return done;
  }

  async function take(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const [key, other] = [keyOf(row.callid, row.from_tag), keyOf(row.callid, row.to_tag)];
      const method = String(row.method);
      if (method === 'INVITE' && String(row.sip_code).startsWith('2')) {
        // A re-INVITE is the same call.
        if (open.has(key)) continue;
        const kept = shortened(row);
        await note({ key, row: kept });
        open.set(key, { row: kept, isTakenUp: false });
        const bye = early.get(key);
        if (bye !== undefined) await end(key, bye);
        early.delete(key);
        if (open.size > MOST_OPEN) await end(open.keys().next().value as string, undefined);
      } else if (method === 'BYE' && open.has(key)) await end(key, row);
      else if (method === 'BYE' && open.has(other)) await end(other, row);
      else if (method === 'BYE') {
        // Of whichever of the two it is: the INVITE may be written by a process that is slower.
        for (const each of [key, other]) early.set(each, row);
        while (early.size > MOST_EARLY) early.delete(early.keys().next().value as string);
      } else if (method === 'INVITE')
        await write({ row, isTakenUp: false }, undefined, statusOf(Number(row.sip_code)));
    }
  }

  /** Written before it is forgotten: what was taken up may have been written already. */
  async function end(key: string, bye: Row | undefined): Promise<void> {
    await write(open.get(key) as Open, bye, 'answered');
    open.delete(key);
    await note({ over: key });
  }

  async function note(
    what: { readonly key: string; readonly row: Row } | { readonly over: string },
  ): Promise<void> {
    // Escapes keep it to printable ASCII.
    const line = asciiOf(what);
    if (lines > MOST_LINES && lines > 4 * open.size) {
      await homes.replaceOpen([...[...open].map(([key, { row }]) => asciiOf({ key, row })), line]);
      lines = open.size + 1;
      return;
    }
    await homes.appendOpen(line);
    lines++;
  }

  async function takeUp(): Promise<void> {
    for (const line of await homes.readOpen()) {
      lines++;
      const { key, row, over } = parseOpen(line);
      if (key !== undefined && row !== undefined) open.set(key, { row, isTakenUp: true });
      else if (over !== undefined) open.delete(over);
    }
    for (const [key, { row }] of [...open])
      if (Date.now() - (localTime(String(row.time)) ?? 0) > LONGEST_MS) await end(key, undefined);
  }

  /** What Kamailio calls the destination is where a phone is, once it has found that. */
  async function isPhone(account: string, user: string, host: string): Promise<boolean> {
    const text = await homes.read(account, 'usrloc');
    return parseUsrloc(text?.content ?? '', '').bindings.some(({ uri }) => {
      const [ofUser, ofHost] = partsOf(fromOctets(uri));
      return ofUser === user && ofHost.replace(/:\d+$/, '') === host;
    });
  }

  async function write(
    { row: invite, isTakenUp }: Open,
    bye: Row | undefined,
    status: CallStatus,
  ): Promise<void> {
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
      if (isTakenUp && (await homes.read(user, 'acct'))?.content?.includes(`"id":"${id}"`)) continue;
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
    takeUp,
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

function keyOf(callId: Value | undefined, tag: Value | undefined): string {
  return createHash('sha1').update(`${callId}\n${tag}`).digest('base64');
}

/** What a record needs of a row, so short that it is a line: texts are whoever called's to choose. */
function shortened(row: Row): Row {
  for (const width of [255, 100, 40]) {
    const cut = Object.fromEntries(
      NEEDED.map((name) => [
        name,
        typeof row[name] === 'string' ? row[name].slice(0, width) : (row[name] ?? null),
      ]),
    );
    if (asciiOf(cut).length < MOST_CHARACTERS) return cut;
  }
  return {};
}

/** JSON in printable ASCII. */
function asciiOf(value: object): string {
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A line that was torn, or is too long to be one, says nothing. */
function parseOpen(line: string): { readonly key?: string; readonly row?: Row; readonly over?: string } {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
