// What a server may ask of its keeper, and in what form: whoever writes to the channel is taken for an attacker. A request
// that is none is answered with why; it never reaches a worker.

import { isIP } from 'node:net';
import type { Algorithm } from '../digest/hash.ts';
import { parseJson } from '../store/channel.ts';
import type { KeptName, Question } from '../store/keeper-messages.ts';
import type { Operation } from '../store/store.ts';

const MOST_OPERATIONS = 8;
const MOST_LINES = 1000;
/** The longest text of a message: what a datagram or the head of a request can hold. */
const MOST_CHARACTERS = 65_536;
/** The largest text that is appended or put into a file of the server's own, in octets. */
const MOST_CONTENT = 64 << 20;
const MOST_CONTACTS = 1 << 20;
const MOST_TAIL = 4 << 20;
const MOST_WAIT_MS = 1000;
const MOST_RECORDS = 20_000;
/** Octets: a character beyond them would lose its upper half when it is written, and might be a line end then. */
const LINE = /^[\x20-\x7e\x80-\xff]{1,4096}$/;
const OCTETS = /^[\x00-\xff]*$/;
const SESSION_LINE = /^sip\/[\w-]{8}$/;
const USER = /^[^\x00-\x20\x7f:/]{1,256}$/;
const ALGORITHMS: ReadonlySet<unknown> = new Set<Algorithm>(['MD5', 'SHA-256', 'SHA-512-256']);
const KEPT: ReadonlySet<unknown> = new Set<KeptName>(['truth', 'calls', 'sessions']);

type Fields = Readonly<Record<string, unknown>>;

/** The operations of a request; undefined: they are none. */
export function operationsOf(json: string): readonly Operation[] | undefined {
  const list = parseJson(json);
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_OPERATIONS) return undefined;
  return list.every(isOperation) ? list : undefined;
}

function isOperation(value: unknown): value is Operation {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Fields;
  switch (fields.type) {
    case 'verify':
      return isDigest(fields.credentials);
    case 'account':
      return isText(fields.peerAddress, 64);
    case 'groups':
      return true;
    case 'loadConfig':
    case 'loadContacts':
      return isTextOrNone(fields.known);
    case 'appendContacts':
      return areLines(fields.lines) && isText(fields.after, 256) && typeof fields.isTorn === 'boolean';
    case 'compactContacts':
      return isText(fields.content, MOST_CONTACTS) && isContent(fields.content) && isText(fields.after, 256);
    case 'appendCall':
      return areLines(fields.lines) && typeof fields.isRepeated === 'boolean';
    default:
      return false;
  }
}

function isDigest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { algorithm, qop, nc, cnonce, ...texts } = value as Fields;
  const { username, realm, nonce, uri, response, method, did } = texts;
  return (
    ALGORITHMS.has(algorithm) &&
    (qop === undefined || qop === 'auth') &&
    [nc, cnonce].every(isTextOrNone) &&
    [username, realm, nonce, uri, response, method, did].every((text) => isText(text, MOST_CHARACTERS))
  );
}

/** A question of the server's; undefined: it is none. */
export function questionOf(json: string): Question | undefined {
  const value = parseJson(json);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Fields;
  return isQuestion(fields) ? (fields as unknown as Question) : undefined;
}

function isQuestion(fields: Fields): boolean {
  const { file, text } = fields;
  switch (fields.type) {
    case 'read':
      return KEPT.has(file);
    case 'tail':
      return KEPT.has(file) && isNumber(fields.bytes, MOST_TAIL);
    case 'append':
      return KEPT.has(file) && isContent(text) && isNumber(fields.waitMs, MOST_WAIT_MS);
    case 'replace':
      // Root's copy of calls is appended to only.
      return KEPT.has(file) && file !== 'truth' && isContent(text);
    case 'logins':
      return isList(fields.records, MOST_RECORDS) && fields.records.every(isLogin);
    case 'credentials':
      return isText(fields.gateway, 256);
    case 'reload':
      return true;
    default:
      return false;
  }
}

function isLogin(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { type, line, user, host, pid, at } = value as Fields;
  return (
    (type === 'login' || type === 'logout') &&
    typeof line === 'string' &&
    SESSION_LINE.test(line) &&
    typeof user === 'string' &&
    (type === 'logout' ? user === '' : USER.test(user)) &&
    typeof host === 'string' &&
    (host === '' || isIP(host.replace(/%.*/, '')) !== 0) &&
    isNumber(pid, 1 << 22) &&
    isNumber(at, Number.MAX_SAFE_INTEGER)
  );
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || isText(value, MOST_CHARACTERS);
}

/** Octets that end a line. */
function isContent(value: unknown): boolean {
  return isText(value, MOST_CONTENT) && OCTETS.test(value) && areWhole(value);
}

function areWhole(text: unknown): boolean {
  return text === '' || (text as string).endsWith('\n');
}

function areLines(value: unknown): boolean {
  return isList(value, MOST_LINES) && value.every((line) => typeof line === 'string' && LINE.test(line));
}

function isList(value: unknown, most: number): value is unknown[] {
  return Array.isArray(value) && value.length <= most;
}

function isNumber(value: unknown, most: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= most;
}
