// acct for those who read it: ~/.sr/acct as its user, /var/log/sr/acct and what was rotated away from it with the
// rights of the process. In chunks, never a file as a whole.

import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { createGunzip } from 'node:zlib';
import { type CallRecord, MAX_RECORD_OCTETS, parseCallRecord } from '../home/acct.ts';
import type { Fault } from '../home/fault.ts';
import { isDataLine } from '../home/lines.ts';
import type { Account } from '../unix/nss.ts';
import { isTrouble, type Trouble, trouble, troubleOfErrno } from '../unix/trouble.ts';
import { ACCT } from './home-files.ts';
import { openUserFile } from './user-file.ts';

/** Where every call of the host is recorded. */
export const hostAcctPath = '/var/log/sr/acct';

/** A file of calls that is open; `readAcct` closes it. */
export interface AcctFile {
  readonly path: string;
  readonly fd: number;
  readonly sizeBytes: number;
  readonly isCompressed: boolean;
}

/** What is told of a file while it is read. */
export interface AcctReader {
  /** The texts of a call may hold a chunk of the file in memory: copy what is kept. */
  call(record: CallRecord, line: number): void;
  /** A line that is no call. */
  fault(fault: Fault): void;
  /** So many bytes more of the file were read. */
  progress?(bytes: number): void;
}

/** Where an account's calls are. */
export function acctPath(account: Account): string {
  return `${account.home}/.sr/acct`;
}

/** Opens an account's calls; undefined where there are none yet. */
export function openUserAcct(account: Account, strictModes: boolean): AcctFile | undefined | Trouble {
  const opened = openUserFile(account, { name: 'acct', rules: ACCT, strictModes });
  if (opened === undefined || 'type' in opened) return opened;
  return { path: acctPath(account), fd: opened.fd, sizeBytes: opened.sizeBytes, isCompressed: false };
}

/** Opens the calls of the host; undefined where there are none yet. */
export function openHostAcct(path = hostAcctPath): AcctFile | undefined | Trouble {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (stats.isFile()) return { path, fd, sizeBytes: stats.size, isCompressed: path.endsWith('.gz') };
    closeSync(fd);
    return trouble('untrusted', path, 'is not a regular file');
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    const { code, errno = 0 } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : troubleOfErrno(-errno, path);
  }
}

/** How often files that are renamed meanwhile are opened anew. */
const MOST_ATTEMPTS = 10;

/**
 * Opens the host's files of calls, the oldest first: those that logrotate(8) renamed (`acct.2.gz`, `acct-20261101`) and the
 * current one, but none last written before `since` (milliseconds since 1970). Each call is in one of them, also when they
 * are rotated just then.
 */
export function openHostAccts(since: number, path = hostAcctPath): AcctFile[] | Trouble {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const paths = hostAcctPaths(since, path);
    const opened = paths.map((name) => openHostAcct(name));
    const files = opened.filter((file): file is AcctFile => file !== undefined && !isTrouble(file));
    const wrong = opened.find(isTrouble);
    const isLasting =
      paths.every((name, at) => isStill(name, opened[at])) &&
      hostAcctPaths(since, path).join() === paths.join();
    if (isLasting && wrong === undefined) return files;
    for (const { fd } of files) closeSync(fd);
    if (wrong !== undefined) return wrong;
  }
  return trouble('busy', path, 'is rotated all the time');
}

function isStill(path: string, file: AcctFile | undefined | Trouble): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  if (file === undefined || isTrouble(file)) return named === undefined;
  const { dev, ino } = fstatSync(file.fd);
  return dev === named?.dev && ino === named.ino;
}

function hostAcctPaths(since: number, path: string): string[] {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const rotated: { path: string; age: number }[] = [];
  const entries = namesIn(path.slice(0, slash));
  for (const entry of entries) {
    // While it is packed a file is there twice.
    if (entry.endsWith('.gz') && entries.includes(entry.slice(0, -3))) continue;
    const found = entry.startsWith(name)
      ? /^(?:\.(\d{1,4})|-(\d{8,14}))(?:\.gz)?$/.exec(entry.slice(name.length))
      : null;
    const age = found?.[1] === undefined ? -Number(found?.[2]) : Number(found[1]);
    if (found !== null) rotated.push({ path: `${path.slice(0, slash)}/${entry}`, age });
  }
  // Numbers count into the past, dates do not.
  rotated.sort((one, other) => other.age - one.age);
  return [...rotated.map((file) => file.path).filter((file) => lastWritten(file) >= since), path];
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function lastWritten(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const CHUNK_BYTES = 256 * 1024;
const TORN_WAIT_MS = 10;
const TORN_WAITS = 3;

/**
 * Reads a file of calls to its end and closes it. A last line without `\n` is waited for a moment: it is being written.
 * Answers what kept it from being read to its end.
 */
export async function readAcct(file: AcctFile, reader: AcctReader): Promise<Trouble | undefined> {
  const lines = new LineReader(file.path, reader);
  try {
    if (file.isCompressed) await inflate(file, lines, reader);
    else {
      readToEnd(file.fd, lines, reader);
      for (let wait = 0; wait < TORN_WAITS && lines.isTorn; wait++) {
        await new Promise((done) => setTimeout(done, TORN_WAIT_MS));
        readToEnd(file.fd, lines, reader);
      }
    }
  } catch (error) {
    const { syscall, errno = 0 } = error as NodeJS.ErrnoException;
    if (syscall !== 'read') throw error;
    return troubleOfErrno(-errno, file.path);
  } finally {
    closeSync(file.fd);
  }
  lines.end();
  return undefined;
}

function readToEnd(fd: number, lines: LineReader, reader: AcctReader): void {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const bytes = readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (bytes === 0) return;
    lines.push(chunk.toString('latin1', 0, bytes));
    reader.progress?.(bytes);
  }
}

async function inflate(file: AcctFile, lines: LineReader, reader: AcctReader): Promise<void> {
  const packed = createReadStream('', { fd: file.fd, autoClose: false, highWaterMark: CHUNK_BYTES });
  packed.on('data', (chunk) => reader.progress?.(chunk.length));
  try {
    for await (const chunk of packed.pipe(createGunzip())) lines.push((chunk as Buffer).toString('latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'read') throw error;
    reader.fault({ path: file.path, line: 0, text: `cannot be unpacked: ${(error as Error).message}` });
  }
}

/** Makes lines of chunks, and calls of lines. */
export class LineReader {
  readonly #path: string;
  readonly #reader: AcctReader;
  #line = 0;
  #rest = '';
  /** The end of a line that is too long to be kept is looked for. */
  #isSkipping = false;

  constructor(path: string, reader: AcctReader) {
    this.#path = path;
    this.#reader = reader;
  }

  /** A line has begun. */
  get isTorn(): boolean {
    return this.#rest !== '' || this.#isSkipping;
  }

  /** Takes octets. */
  push(octets: string): void {
    let start = 0;
    for (let end = octets.indexOf('\n'); end >= 0; end = octets.indexOf('\n', start)) {
      const piece = octets.slice(start, end);
      if (this.#isSkipping) this.#isSkipping = false;
      else this.#take(this.#rest === '' ? piece : this.#rest + piece);
      this.#rest = '';
      start = end + 1;
    }
    if (this.#isSkipping) return;
    this.#rest += octets.slice(start);
    if (this.#rest.length <= MAX_RECORD_OCTETS) return;
    this.#take(this.#rest);
    this.#rest = '';
    this.#isSkipping = true;
  }

  /** Says that nothing follows: a line without its end is a fault. */
  end(): void {
    if (this.#rest !== '') this.#fault(this.#line + 1, 'expected the end of the line, it was torn');
    this.#rest = '';
  }

  #take(text: string): void {
    this.#line += 1;
    const record = parseCallRecord(text);
    if (typeof record !== 'string') this.#reader.call(record, this.#line);
    else if (isDataLine(text)) this.#fault(this.#line, record);
  }

  #fault(line: number, text: string): void {
    this.#reader.fault({ path: this.#path, line, text });
  }
}
