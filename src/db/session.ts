// One connection: who it is, then statement after statement, by the simple and the extended protocol. What a client does wrong
// is an error of SQL; what is no protocol ends the connection.

import { createScram, type Scram, type ScramVerifier } from '../digest/scram.ts';
import { catalogueAnswer } from './catalogue.ts';
import { unsupported } from './evaluate.ts';
import { type Answered, type Database, execute, parameterCount } from './execute.ts';
import { type Parsed, parseSql, type Value, withoutLiterals } from './sql.ts';
import {
  createFramer,
  dataRow,
  errorResponse,
  type FrontendMessage,
  int16,
  int32,
  MessageReader,
  message,
  readyForQuery,
  rowDescription,
  SqlError,
  TYPES,
} from './wire.ts';

/** What a connection is served with. */
export interface SessionParts {
  readonly database: Database;
  readonly serverVersion: string;
  /** Whether the peer's own account may come in without a password. */
  readonly isPeerAdmitted: boolean;
  /** The verifier of a user; undefined: there is none. */
  verifierOf(user: string): ScramVerifier | undefined;
  send(octets: Buffer): void;
  /** Whoever it is was let in. */
  onWelcome(): void;
  /** Ends the connection once all is sent. */
  end(): void;
  /** A statement was refused; its text is without values. */
  onRefused(error: SqlError, template: string): void;
  /** Something is wrong with us, and not with what was asked. */
  onFailure(error: Error): void;
}

/** A connection's state. */
export interface Session {
  /** Takes octets that came; resolves when what they asked is answered. */
  take(octets: Buffer): Promise<void>;
}

interface Prepared {
  readonly text: string;
  readonly parsed: Parsed | undefined;
  readonly parameters: number;
}

interface Portal {
  readonly prepared: Prepared;
  readonly values: readonly Value[];
  /** Answered, and how much of it was sent. */
  answered?: Answered;
  sent: number;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const VERSION_3 = 0x0003_0000;
const MECHANISM = 'SCRAM-SHA-256';
/** Statements and portals of one connection. */
const MOST_NAMED = 1000;
/** What says nothing here and is taken all the same. */
const TAKEN: readonly (readonly [RegExp, string])[] = [
  [/^\s*set\b/i, 'SET'],
  [/^\s*reset\b/i, 'RESET'],
  [/^\s*discard\b/i, 'DISCARD ALL'],
  [/^\s*deallocate\b/i, 'DEALLOCATE'],
];

/** Begins a connection. */
export function createSession(parts: SessionParts): Session {
  const { database, send } = parts;
  const framer = createFramer();
  let scram: Scram | undefined;
  let state: 'startup' | 'first' | 'final' | 'open' | 'ended' = 'startup';
  let transaction: 'I' | 'T' | 'E' = 'I';
  /** Something was written since BEGIN, which no ROLLBACK takes back. */
  let hasWritten = false;
  /** After an error all is passed over until Sync. */
  let isSkipping = false;
  const statements = new Map<string, Prepared>();
  const portals = new Map<string, Portal>();

  function fail(error: SqlError): void {
    send(errorResponse(error, true));
    state = 'ended';
    parts.end();
  }

  async function take(octets: Buffer): Promise<void> {
    let rest = octets;
    while (state !== 'ended') {
      const messages = framer.take(rest);
      if (messages === undefined) {
        fail(new SqlError('08P01', 'this is no PostgreSQL protocol'));
        return;
      }
      if (messages.length === 0) return;
      rest = Buffer.alloc(0);
      for (const each of messages) {
        if ((state as string) === 'ended') return;
        await serve(each);
      }
    }
  }

  async function serve(received: FrontendMessage): Promise<void> {
    try {
      if (state === 'startup') startUp(received);
      else if (state === 'first' || state === 'final') authenticate(received);
      else await serveOpen(received);
    } catch (error) {
      if (error instanceof RangeError) fail(new SqlError('08P01', 'a message that is cut off'));
      else {
        parts.onFailure(error as Error);
        fail(new SqlError('XX000', 'internal error'));
      }
    }
  }

  function startUp({ body }: FrontendMessage): void {
    const reader = new MessageReader(body);
    const code = reader.int32();
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      send(Buffer.from('N'));
      return;
    }
    if (code === CANCEL_REQUEST) {
      state = 'ended';
      parts.end();
      return;
    }
    if (code !== VERSION_3) {
      fail(new SqlError('0A000', 'only version 3.0 of the protocol is spoken here'));
      return;
    }
    framer.started();
    let user = '';
    for (let name = reader.text(); name !== ''; name = reader.text()) {
      const value = reader.text();
      if (name === 'user') user = value;
    }
    if (parts.isPeerAdmitted) welcome();
    else {
      scram = createScram(parts.verifierOf(user));
      state = 'first';
      send(message('R', int32(10), MECHANISM, 0));
    }
  }

  function authenticate({ type, body }: FrontendMessage): void {
    const denied = () => fail(new SqlError('28P01', 'password authentication failed'));
    if (type !== 'p') {
      denied();
      return;
    }
    const reader = new MessageReader(body);
    if (state === 'first') {
      if (reader.text() !== MECHANISM) {
        denied();
        return;
      }
      const length = reader.int32();
      const answer = scram?.first(reader.bytes(length).toString('utf8'));
      if (answer === undefined) denied();
      else {
        state = 'final';
        send(message('R', int32(11), Buffer.from(answer)));
      }
      return;
    }
    const answer = scram?.final(reader.rest().toString('utf8'));
    scram = undefined;
    if (answer === undefined) denied();
    else {
      send(message('R', int32(12), Buffer.from(answer)));
      welcome();
    }
  }

  function welcome(): void {
    state = 'open';
    parts.onWelcome();
    const said = {
      server_version: parts.serverVersion,
      server_encoding: 'UTF8',
      client_encoding: 'UTF8',
      DateStyle: 'ISO, MDY',
      TimeZone: process.env.TZ ?? 'localtime',
      integer_datetimes: 'on',
      standard_conforming_strings: 'on',
      is_superuser: 'off',
    };
    send(
      Buffer.concat([
        message('R', int32(0)),
        ...Object.entries(said).map(([name, value]) => message('S', name, value)),
        message('K', int32(process.pid), int32(0)),
        readyForQuery('I'),
      ]),
    );
  }

  async function serveOpen({ type, body }: FrontendMessage): Promise<void> {
    if (type === 'X') {
      state = 'ended';
      parts.end();
      return;
    }
    if (type === 'S') {
      isSkipping = false;
      send(readyForQuery(transaction));
      return;
    }
    if (type === 'H' || isSkipping) return;
    const reader = new MessageReader(body);
    try {
      if (type === 'Q') await simple(reader.text());
      else if (type === 'P') prepare(reader);
      else if (type === 'B') bind(reader);
      else if (type === 'D') await describe(reader);
      else if (type === 'E') await executePortal(reader);
      else if (type === 'C') close(reader);
      else throw unsupported(`message ${JSON.stringify(type)}`);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      if (transaction === 'T') transaction = 'E';
      parts.onRefused(error, type === 'Q' || type === 'P' ? templateOf(reader, type) : '');
      send(errorResponse(error));
      if (type === 'Q') send(readyForQuery(transaction));
      else isSkipping = true;
    }
  }

  /** Of a statement that failed, all but its values, which may be secret. */
  function templateOf(reader: MessageReader, type: string): string {
    try {
      reader.rewind();
      if (type === 'P') reader.text();
      return withoutLiterals(reader.text()).template.replace(/\$1\d{4}\b/g, '…');
    } catch {
      return '';
    }
  }

  async function simple(text: string): Promise<void> {
    const out: Buffer[] = [];
    const answers = await runAll(text);
    if (answers.length === 0) out.push(message('I'));
    for (const { tag, fields, rows } of answers) {
      if (fields !== undefined) out.push(rowDescription(fields));
      for (const row of rows) out.push(dataRow(row.map(shown)));
      out.push(message('C', tag));
    }
    out.push(readyForQuery(transaction));
    send(Buffer.concat(out));
  }

  async function runAll(text: string): Promise<Answered[]> {
    const known = special(text);
    if (known !== undefined) return [known];
    const answers: Answered[] = [];
    for (const parsed of parseSql(text)) answers.push(await runOne(parsed, []));
    return answers;
  }

  /** What the parser need not see: transactions, settings, questions of psql about the catalogue. */
  function special(text: string): Answered | undefined {
    const plain = text.trim().replace(/;$/, '');
    if (plain === '') return undefined;
    const word = /^(begin|start transaction|commit|end|rollback|abort)\b/i.exec(plain)?.[1]?.toLowerCase();
    if (word !== undefined && !plain.includes(';')) return transact(word);
    if (transaction === 'E') throw new SqlError('25P02', 'the transaction has failed: ROLLBACK');
    for (const [pattern, tag] of TAKEN)
      if (pattern.test(plain) && !plain.includes(';')) return { tag, rows: [] };
    return catalogueAnswer(plain, database, parts.serverVersion);
  }

  /** There is no taking back: what was written stays written, and who asks otherwise hears so. */
  function transact(word: string): Answered {
    if (word === 'begin' || word === 'start transaction') {
      transaction = 'T';
      hasWritten = false;
      return { tag: 'BEGIN', rows: [] };
    }
    const wasBroken = transaction === 'E';
    const isUndone = word === 'rollback' || word === 'abort';
    transaction = 'I';
    if (hasWritten && (isUndone || wasBroken)) {
      hasWritten = false;
      throw new SqlError('0A000', 'what was written in this transaction stays: files have no ROLLBACK');
    }
    return { tag: isUndone || wasBroken ? 'ROLLBACK' : 'COMMIT', rows: [] };
  }

  async function runOne(parsed: Parsed, values: readonly Value[]): Promise<Answered> {
    const answered = await execute(database, parsed, values);
    if (transaction === 'T' && parsed.statement.type !== 'select') hasWritten = true;
    return answered;
  }

  function prepare(reader: MessageReader): void {
    const name = reader.text();
    const text = reader.text();
    const isSpecial = special(text) !== undefined || text.trim() === '';
    const all = isSpecial ? [] : parseSql(text);
    if (all.length > 1) throw new SqlError('42601', 'one statement at a time may be prepared');
    if (statements.size >= MOST_NAMED) throw new SqlError('53400', 'too many prepared statements');
    if (name !== '' && statements.has(name))
      throw new SqlError('42P05', `prepared statement "${name}" already exists`);
    statements.set(name, { text, parsed: all[0], parameters: parameterCount(text) });
    send(message('1'));
  }

  function bind(reader: MessageReader): void {
    const portal = reader.text();
    const prepared = statementOf(reader.text());
    const formats = Array.from({ length: reader.int16() }, () => reader.int16());
    const values = Array.from({ length: reader.int16() }, () => {
      const length = reader.int32();
      return length < 0 ? null : reader.bytes(length).toString('utf8');
    });
    const wanted = Array.from({ length: reader.int16() }, () => reader.int16());
    if ([...formats, ...wanted].some((format) => format !== 0)) throw unsupported('the binary format');
    if (values.length !== prepared.parameters)
      throw new SqlError(
        '08P01',
        `the statement has ${prepared.parameters} parameters, and ${values.length} came`,
      );
    if (portals.size >= MOST_NAMED) throw new SqlError('53400', 'too many portals');
    portals.set(portal, { prepared, values, sent: 0 });
    send(message('2'));
  }

  async function describe(reader: MessageReader): Promise<void> {
    const kind = reader.bytes(1).toString();
    const name = reader.text();
    const prepared = kind === 'S' ? statementOf(name) : portalOf(name).prepared;
    const values = kind === 'S' ? Array(prepared.parameters).fill(null) : portalOf(name).values;
    if (kind === 'S') {
      const types = Array.from({ length: prepared.parameters }, () => int32(TYPES.text.oid));
      send(message('t', int16(types.length), ...types));
    }
    const { parsed, text } = prepared;
    const fields =
      parsed === undefined ? special(text)?.fields : (await execute(database, parsed, values, true)).fields;
    send(fields === undefined ? message('n') : rowDescription(fields));
  }

  async function executePortal(reader: MessageReader): Promise<void> {
    const portal = portalOf(reader.text());
    const most = reader.int32();
    const { prepared, values } = portal;
    if (prepared.parsed === undefined && prepared.text.trim() === '') {
      send(message('I'));
      return;
    }
    portal.answered ??=
      prepared.parsed === undefined
        ? (special(prepared.text) as Answered)
        : await runOne(prepared.parsed, values);
    const { rows, tag } = portal.answered;
    const until = most > 0 ? Math.min(rows.length, portal.sent + most) : rows.length;
    const out = rows.slice(portal.sent, until).map((row) => dataRow(row.map(shown)));
    portal.sent = until;
    out.push(until < rows.length ? message('s') : message('C', tag));
    send(Buffer.concat(out));
  }

  function close(reader: MessageReader): void {
    const kind = reader.bytes(1).toString();
    (kind === 'S' ? statements : portals).delete(reader.text());
    send(message('3'));
  }

  function statementOf(name: string): Prepared {
    const found = statements.get(name);
    if (found === undefined) throw new SqlError('26000', `prepared statement "${name}" does not exist`);
    return found;
  }

  function portalOf(name: string): Portal {
    const found = portals.get(name);
    if (found === undefined) throw new SqlError('34000', `portal "${name}" does not exist`);
    return found;
  }

  return { take };
}

function shown(value: Value): string | null {
  if (value === null) return null;
  return typeof value === 'boolean' ? (value ? 't' : 'f') : String(value);
}
