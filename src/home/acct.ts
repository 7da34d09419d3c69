// acct: one call a line, a JSON object (RFC 8259) in printable ASCII of at most 4 KiB (DESIGN §2). Pure.

import { fromOctets } from '../message/octets.ts';
import { scanCallRecord } from './acct-scan.ts';
import { formatInstant, parseInstant } from './instant.ts';

/** The longest line, in octets, without its `\n`. */
export const MAX_RECORD_OCTETS = 4096;

/** How calls end. */
export const CALL_STATUSES = ['answered', 'missed', 'busy', 'cancelled', 'failed'] as const;
/** From where a call is seen: `internal` only in root's copy, where both parties are accounts of this host. */
export const CALL_DIRECTIONS = ['in', 'out', 'internal'] as const;
/** Who or what ended a call that was answered; `restart`: it was open when the server stopped. */
export const CALL_ENDERS = ['caller', 'callee', 'timer', 'max-duration', 'restart'] as const;

export type CallStatus = (typeof CALL_STATUSES)[number];
export type CallDirection = (typeof CALL_DIRECTIONS)[number];
export type CallEnder = (typeof CALL_ENDERS)[number];

/**
 * A call. Texts are Unicode, not octet strings (`fromOctets`); what is undefined has no key in the line. Points in time
 * are milliseconds since 1970.
 *
 * A call that another of the called answered is `cancelled` with code 200 in the copy of those who did not: it is not
 * missed.
 */
export interface CallRecord {
  /** One a call, the same in every copy: 1 to 64 printable ASCII characters. */
  readonly id: string;
  /** When the INVITE came. */
  readonly start: number;
  /** When the 2xx came. */
  readonly answer?: number | undefined;
  /** When the BYE or the final response came, or what stands for it. */
  readonly end: number;
  /** From answer to end; 0 of a call that was not answered. */
  readonly durationMs: number;
  readonly direction: CallDirection;
  /** The URI of From. */
  readonly from: string;
  /** The URI that was called. */
  readonly to: string;
  readonly callId: string;
  readonly status: CallStatus;
  /** The status code of the final response. */
  readonly code?: number | undefined;
  /** Its reason phrase. */
  readonly reason?: string | undefined;
  readonly endedBy?: CallEnder | undefined;
  /** The account of this host that called; undefined: somebody else. */
  readonly caller?: string | undefined;
  /** The account of this host that answered, or else was called; undefined: somebody else. */
  readonly callee?: string | undefined;
  /** The account whose settings sent the call on. */
  readonly forwardedBy?: string | undefined;
  /** Further accounts that have a copy of the call; only in root's. */
  readonly others?: readonly string[] | undefined;
  /** The address the INVITE came from. */
  readonly peerIp?: string | undefined;
  /** The caller's User-Agent; in the copy of the called the same. */
  readonly userAgent?: string | undefined;
}

/** The most octets a text takes in the line, its quotes aside; what is longer is cut. They fit in 4 KiB together. */
const ROOM = { uri: 512, callId: 256, text: 256, account: 128, address: 64, others: 640 } as const;

/** Formats a call as a line without its `\n`. Texts that are too long are cut; an id that is none is thrown at. */
export function formatCallRecord(record: CallRecord): string {
  if (!isId(record.id)) throw new Error('the id of a call is 1 to 64 printable ASCII characters');
  const { answer, code, others } = record;
  let line = `{"id":${quoted(record.id, ROOM.address * 2)},"start":${time(record.start)}`;
  if (answer !== undefined) line += `,"answer":${time(answer)}`;
  line += `,"end":${time(record.end)},"duration":${Math.max(0, Math.round(record.durationMs)) / 1000}`;
  line += `,"dir":"${record.direction}","from":${quoted(record.from, ROOM.uri)}`;
  line += `,"to":${quoted(record.to, ROOM.uri)},"callid":${quoted(record.callId, ROOM.callId)}`;
  line += `,"status":"${record.status}"`;
  if (code !== undefined) line += `,"code":${code}`;
  line += member('reason', record.reason, ROOM.text);
  if (record.endedBy !== undefined) line += `,"ended_by":"${record.endedBy}"`;
  line += member('caller', record.caller, ROOM.account);
  line += member('callee', record.callee, ROOM.account);
  line += member('forwarded_by', record.forwardedBy, ROOM.account);
  if (others !== undefined && others.length > 0) line += `,"others":[${fitting(others, ROOM.others)}]`;
  line += member('peer_ip', record.peerIp, ROOM.address);
  line += member('ua', record.userAgent, ROOM.text);
  return `${line}}`;
}

/**
 * Reads a line, an octet string without its `\n`, or says what is wrong with it. Keys it does not know are passed over.
 * Texts may be slices of the line and hold all of it in memory.
 */
export function parseCallRecord(line: string): CallRecord | string {
  if (line.length > MAX_RECORD_OCTETS) return `expected a line of at most ${MAX_RECORD_OCTETS} octets`;
  return scanCallRecord(line) ?? readCallRecord(line);
}

function readCallRecord(line: string): CallRecord | string {
  const value = parseObject(line);
  if (value === undefined) return 'expected a call as a JSON object';
  const record = {
    id: value.id,
    start: readTime(value.start),
    answer: readTime(value.answer),
    end: readTime(value.end),
    durationMs: readDuration(value.duration),
    direction: value.dir,
    from: value.from,
    to: value.to,
    callId: value.callid,
    status: value.status,
    code: value.code,
    reason: value.reason,
    endedBy: value.ended_by,
    caller: value.caller,
    callee: value.callee,
    forwardedBy: value.forwarded_by,
    others: value.others,
    peerIp: value.peer_ip,
    userAgent: value.ua,
  };
  const wrong = faultOf(value, record);
  return wrong ?? (record as CallRecord);
}

type Raw = Readonly<Record<string, unknown>>;

function faultOf(value: Raw, record: { readonly [Key in keyof CallRecord]-?: unknown }): string | undefined {
  if (typeof record.id !== 'string' || !isId(record.id))
    return 'id: expected 1 to 64 printable ASCII characters';
  for (const name of ['start', 'end'] as const) if (record[name] === undefined) return `${name}: ${TIME}`;
  if (value.answer !== undefined && record.answer === undefined) return `answer: ${TIME}`;
  if (record.durationMs === undefined) return 'duration: expected seconds, not negative';
  if (!CALL_DIRECTIONS.includes(record.direction as CallDirection)) return oneOf('dir', CALL_DIRECTIONS);
  if (!CALL_STATUSES.includes(record.status as CallStatus)) return oneOf('status', CALL_STATUSES);
  if (record.status === 'answered' && record.answer === undefined) return `answer: ${TIME}`;
  if (record.endedBy !== undefined && !CALL_ENDERS.includes(record.endedBy as CallEnder))
    return oneOf('ended_by', CALL_ENDERS);
  if (record.code !== undefined && !isCode(record.code)) return 'code: expected 100 to 699';
  for (const name of ['from', 'to', 'callid'])
    if (typeof value[name] !== 'string') return `${name}: expected a text`;
  for (const name of ['reason', 'caller', 'callee', 'forwarded_by', 'peer_ip', 'ua'])
    if (value[name] !== undefined && typeof value[name] !== 'string') return `${name}: expected a text`;
  const { others } = record;
  if (others !== undefined && !(Array.isArray(others) && others.every((one) => typeof one === 'string')))
    return 'others: expected a list of accounts';
  return undefined;
}

const TIME = 'expected a time like 2026-11-22T10:15:00.000Z';

function oneOf(name: string, words: readonly string[]): string {
  return `${name}: expected one of ${words.join(', ')}`;
}

function parseObject(line: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(fromOctets(line));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
  } catch {
    return undefined;
  }
}

function readTime(value: unknown): number | undefined {
  return typeof value === 'string' ? parseInstant(value) : undefined;
}

function readDuration(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value < 1e12 ? Math.round(value * 1000) : undefined;
}

function isId(text: string): boolean {
  return /^[\x20-\x7e]{1,64}$/.test(text);
}

function isCode(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 699;
}

/** A point in time with milliseconds, always: all lines have them at the same places. */
function time(ms: number): string {
  const text = formatInstant(ms);
  return text.length === 20 ? `"${text.slice(0, -1)}.000Z"` : `"${text}"`;
}

function member(name: string, text: string | undefined, room: number): string {
  return text === undefined ? '' : `,"${name}":${quoted(text, room)}`;
}

/** A JSON string in printable ASCII whose inside takes at most `room` octets; cut between characters. */
function quoted(text: string, room: number): string {
  if (text.length <= room && /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  let inside = '';
  for (const character of text) {
    const escaped = JSON.stringify(character)
      .slice(1, -1)
      .replace(/[^\x20-\x7e]/g, escapeUnit);
    if (inside.length + escaped.length > room) break;
    inside += escaped;
  }
  return `"${inside}"`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The first names that fit in `room` octets. */
function fitting(names: readonly string[], room: number): string {
  let list = '';
  for (const name of names) {
    const next = `${list === '' ? '' : ','}${quoted(name, ROOM.account)}`;
    if (list.length + next.length > room) break;
    list += next;
  }
  return list;
}
