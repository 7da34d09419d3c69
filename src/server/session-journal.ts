// Where sessions are written: the journal, and the host's log of logins. What comes up in a turn is written at its end,
// the journal first, since it is what a server asks that starts after a crash.

import {
  formatSessionEvent,
  lastBatch,
  parseSessionJournal,
  type SessionBegin,
  type SessionEvent,
} from '../home/session-journal.ts';
import type { KeptLogins, KeptSessions } from '../store/host.ts';
import type { Trouble } from '../unix/trouble.ts';
import type { LoginRecord } from '../unix/wtmp.ts';
import type { Log } from './log.ts';
import type { LogEvent } from './log-events.ts';

/** Lines and records that wait while a file cannot be written; older ones are lost to it. */
const MAX_WAITING = 10_000;
/** After so long the directory is hoped to be unlocked. */
const BUSY_MS = 50;

export interface SessionJournalParts {
  readonly file: KeptSessions;
  /** Undefined: the host is told nothing. */
  readonly logins: KeptLogins | undefined;
  readonly log: Log;
  readonly timing: { readonly retryMs: number; readonly journalBytes: number };
  /** What is open now. */
  readonly open: () => Iterable<SessionBegin>;
}

/** The journal of a server that runs. */
export interface SessionJournal {
  /** What it holds; nothing where it cannot be read, which is logged. */
  read(): Promise<readonly SessionEvent[]>;
  /** Tells the log of logins of the last events what did not reach it. */
  tellAgain(events: readonly SessionEvent[]): Promise<void>;
  /** The number of what is written together next. */
  batch(): number;
  /** Notes an event, of the login of this process in wtmp if that is told, and answers it as it will be read. */
  note<E extends SessionEvent>(event: E, inWtmp: boolean, pid: number): E;
  /** Writes what is to be written, waiting for the directory's lock at most so long. */
  flush(waitMs: number): Promise<void>;
}

/** Makes the journal of a server. */
export function createSessionJournal(parts: SessionJournalParts): SessionJournal {
  const { file, logins, log, timing, open } = parts;
  let lines: string[] = [];
  let records: LoginRecord[] = [];
  let bytes = 0;
  let begunWith = 0;
  let batchNumber = 0;
  let flushing: NodeJS.Immediate | undefined;
  let isRetrying = false;
  let under: Promise<void> = Promise.resolve();
  /** What was complained of and has not gone well since. */
  const failing = new Set<LogEvent>();

  function complain(event: LogEvent, { path, why }: Trouble): void {
    if (!failing.has(event)) log('error', event, { why: `${path}: ${why}` });
    failing.add(event);
  }

  /** What waits, the journal first; what comes up meanwhile is of the next time, in both. */
  async function write(waitMs: number): Promise<void> {
    const [takenLines, takenRecords] = [lines, records];
    lines = [];
    records = [];
    const failed = await writeLines(takenLines, waitMs);
    if (failed !== undefined) {
      lines = [...takenLines, ...lines].slice(-MAX_WAITING);
      retryIn(failed.kind === 'busy' ? BUSY_MS : timing.retryMs);
    }
    // A journal that can't be written for good keeps nothing from wtmp.
    const untold = failed?.kind === 'busy' ? takenRecords : await tell(takenRecords);
    records = [...untold, ...records].slice(-MAX_WAITING);
    if (lines.length === 0 && bytes >= Math.max(timing.journalBytes, 2 * begunWith)) await renew();
  }

  async function writeLines(taken: readonly string[], waitMs: number): Promise<Trouble | undefined> {
    if (taken.length === 0) return undefined;
    const text = `${taken.join('\n')}\n`;
    const failed = await file.append(text, waitMs);
    if (failed === undefined) {
      bytes += text.length;
      failing.delete('sessions-unwritten');
    } else if (failed.kind !== 'busy') complain('sessions-unwritten', failed);
    return failed;
  }

  /** Tells the log of logins; resolves to what may be told by another attempt. */
  async function tell(taken: readonly LoginRecord[]): Promise<readonly LoginRecord[]> {
    if (taken.length === 0 || logins === undefined) return [];
    const unwritten = await logins.write(taken);
    if (unwritten === undefined) failing.delete('wtmp-unwritten');
    else complain('wtmp-unwritten', unwritten.trouble);
    const untold = unwritten?.records ?? [];
    if (untold.length > 0) retryIn(timing.retryMs);
    return untold;
  }

  function retryIn(ms: number): void {
    if (isRetrying) return;
    isRetrying = true;
    setTimeout(retry, ms).unref();
  }

  function retry(): void {
    isRetrying = false;
    void flush(0);
  }

  /** One flush after the other: what is written is in the order in which it came up. */
  function flush(waitMs: number): Promise<void> {
    if (flushing !== undefined) clearImmediate(flushing);
    flushing = undefined;
    under = under
      .then(() => write(waitMs))
      .catch((error: Error) => log('error', 'internal-error', { why: error.stack }));
    return under;
  }

  /** What is open now begins the journal anew. */
  async function renew(): Promise<void> {
    let text = '';
    for (const event of open()) text += `${formatSessionEvent({ ...event, batch: 0 })}\n`;
    const failed = await file.renew(text);
    if (failed === undefined) {
      bytes = text.length;
      begunWith = bytes;
    } else if (failed.kind !== 'busy') complain('sessions-unwritten', failed);
  }

  return {
    flush,
    async read() {
      const content = await file.read();
      if (typeof content === 'object') complain('sessions-unread', content);
      if (typeof content !== 'string') return [];
      bytes = content.length;
      const { events, faults } = parseSessionJournal(content, file.path);
      // What it was begun with has its size in proportion.
      const begun = events.filter(({ batch }) => batch === 0).length;
      begunWith = (bytes * begun) / Math.max(1, events.length);
      for (const { path, line, text } of faults)
        log('warning', 'fault', { text: `${path}:${line}: ${text}` });
      return events;
    },
    async tellAgain(events) {
      const pids = new Map<string, number>();
      for (const event of events) if (event.type === 'in' && event.inWtmp) pids.set(event.line, event.pid);
      const told = lastBatch(events).flatMap((event) => {
        const pid = pids.get(event.line);
        return pid === undefined ? [] : recordOf(event, pid);
      });
      records.push(...(logins?.missing(told) ?? []));
      await flush(0);
    },
    batch() {
      if (lines.length === 0) batchNumber = Math.max(batchNumber + 1, Date.now());
      return batchNumber;
    },
    note(event, inWtmp, pid) {
      const text = formatSessionEvent(event);
      lines.push(text);
      if (inWtmp) records.push(recordOf(event, pid));
      flushing ??= setImmediate(flush, 0);
      // Read back, so that no text of it holds on to the whole REGISTER it was cut from.
      return parseSessionJournal(`${text}\n`, '').events[0] as typeof event;
    },
  };
}

function recordOf(event: SessionEvent, pid: number): LoginRecord {
  const { line, at } = event;
  if (event.type === 'out') return { type: 'logout', line, at, user: '', host: '', pid };
  return { type: 'login', line, at, user: event.user, host: event.source, pid };
}
