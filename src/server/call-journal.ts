// The journal of open calls (DESIGN §2): each line is a call as it is now, that it is over, or that the server was alive. Of a
// call the last line counts. It is read at the next start, and rewritten when most of it is about calls that are over.

import { fromOctets, toOctets } from '../message/octets.ts';
import type { KeptFile } from '../store/host.ts';
import type { Trouble } from '../unix/trouble.ts';
import type { CallParty } from './call-party.ts';
import type { Log } from './log.ts';
import type { OpenCall } from './open-call.ts';

/** A record that waits for its file; `user` undefined: root's. */
export interface WaitingCopy {
  readonly user?: string | undefined;
  readonly line: string;
  /** It need not be written: the account may have no ~/.sr. */
  readonly mayLack?: true | undefined;
}

/** What is not over of one call. */
export type JournalEntry =
  | { readonly call: OpenCall }
  /** It has ended, and these copies are not written yet. */
  | { readonly handle: string; readonly waiting: readonly WaitingCopy[] };

/** What a journal said. */
export interface Journaled {
  readonly entries: readonly JournalEntry[];
  /** The time at which the server was alive last. */
  readonly knownAt: number;
}

/** So many lines are worth rewriting the file for, and so many while nobody calls. */
const MOST_LINES = 10_000;
const MOST_IDLE_LINES = 100;

/** Writes behind a turn of the event loop. */
export interface CallJournal {
  read(): Promise<Journaled>;
  /** Something changed: what there is to say of `handle` is asked when it is written. */
  touch(handle: string): void;
  /** Writes what changed. */
  flush(nowMs: number): void;
  /** Tries again what could not be written, and says that the server is alive. */
  sweep(nowMs: number): void;
  /** Resolves when what was written so far is written, or not. */
  settled(): Promise<void>;
}

/** `current` is what there is to say of a call by its handle; undefined: it is over. `all` is of every call that is not. */
export function createCallJournal(
  file: KeptFile,
  log: Log,
  current: (handle: string) => JournalEntry | undefined,
  all: () => JournalEntry[],
): CallJournal {
  /** Calls that the file speaks of. */
  const known = new Set<string>();
  const changed = new Set<string>();
  let lines = 0;
  /** The file lacks something: it is written anew. */
  let isBehind = false;
  let why: string | undefined;
  let under: Promise<void> = Promise.resolve();

  /** Writes are done in the order in which they were begun. */
  function write(writing: Promise<Trouble | undefined>): void {
    under = writing.then(wrote);
  }

  /** What went well before or behind something that did not makes good nothing: only the whole file does. */
  function wrote(failed: Trouble | undefined): void {
    if (failed !== undefined) isBehind = true;
    if (isBehind && failed === undefined) return;
    if (failed?.why === why) return;
    why = failed?.why;
    if (why !== undefined) log('error', 'calls-journal', { file: file.path, why });
  }

  function rewrite(nowMs: number): void {
    const entries = all();
    known.clear();
    changed.clear();
    let text = lineOf({ alive: nowMs });
    for (const entry of entries) {
      known.add(handleOf(entry));
      text += lineOf(entry);
    }
    lines = entries.length;
    isBehind = false;
    write(file.replace(text));
  }

  return {
    async read() {
      const content = await file.read();
      if (typeof content === 'object') wrote(content);
      if (typeof content !== 'string') return { entries: [], knownAt: 0 };
      const read = parseJournal(content);
      if (read.faults > 0)
        log('warning', 'calls-journal', { file: file.path, why: 'unreadable lines', lines: read.faults });
      isBehind = content !== '';
      return read;
    },
    touch(handle) {
      changed.add(handle);
    },
    flush(nowMs) {
      if (changed.size === 0 || isBehind) return;
      let text = '';
      for (const handle of changed) {
        const entry = current(handle);
        if (entry !== undefined) {
          known.add(handle);
          text += lineOf({ at: nowMs, ...entry });
        } else if (known.delete(handle)) text += lineOf({ over: handle });
        else continue;
        lines++;
      }
      changed.clear();
      if (text !== '') write(file.append(text));
      if (lines > MOST_LINES && lines > 4 * known.size) rewrite(nowMs);
    },
    sweep(nowMs) {
      if (isBehind || (known.size === 0 && lines > MOST_IDLE_LINES)) rewrite(nowMs);
      else if (known.size > 0) {
        lines++;
        write(file.append(lineOf({ alive: nowMs })));
      }
    },
    settled: () => under,
  };
}

function handleOf(entry: JournalEntry): string {
  return 'call' in entry ? entry.call.handle : entry.handle;
}

/** JSON in UTF-8; no text in it has a line end. */
function lineOf(value: object): string {
  return `${toOctets(JSON.stringify(value))}\n`;
}

interface JournalLine {
  readonly at?: number;
  readonly alive?: number;
  readonly over?: string;
  readonly call?: OpenCall;
  readonly handle?: string;
  readonly waiting?: readonly WaitingCopy[];
}

/** What is left open. A last line that was torn is passed over, as any that cannot be read. */
function parseJournal(content: string): Journaled & { readonly faults: number } {
  const entries = new Map<string, JournalEntry>();
  let knownAt = 0;
  let faults = 0;
  for (const text of content.split('\n').slice(0, -1)) {
    const line = parseLine(text);
    if (line === undefined) {
      faults++;
      continue;
    }
    knownAt = line.at ?? line.alive ?? knownAt;
    if (line.over !== undefined) entries.delete(line.over);
    else if (line.call !== undefined) entries.set(line.call.handle, { call: line.call });
    else if (line.handle !== undefined && line.waiting !== undefined)
      entries.set(line.handle, { handle: line.handle, waiting: line.waiting });
  }
  return { entries: [...entries.values()], knownAt, faults };
}

function parseLine(text: string): JournalLine | undefined {
  try {
    const value: unknown = JSON.parse(fromOctets(text));
    return typeof value === 'object' && value !== null && isWhole(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether what a line says can be gone on with: somebody may have been at the file. */
function isWhole({ call, waiting }: JournalLine): boolean {
  if (waiting !== undefined && !(Array.isArray(waiting) && waiting.every(({ line }) => isText(line))))
    return false;
  if (call === undefined) return true;
  const { id, handle, key, callId, from, to, peerIp, start, called, answer, party } = call;
  return (
    [id, handle, key, callId, from, to, peerIp].every(isText) &&
    Number.isFinite(start) &&
    Array.isArray(called) &&
    called.every(({ name }) => isText(name)) &&
    isParty(party) &&
    (answer === undefined ||
      (Number.isFinite(answer.at) &&
        Array.isArray(answer.dialogs) &&
        answer.dialogs.every(({ tag, callee }) => isText(tag) && isParty(callee))))
  );
}

function isParty(party: CallParty | undefined): boolean {
  if (party === undefined) return false;
  const { contact, at, routes } = party;
  return [contact, at].every(isText) && Array.isArray(routes) && routes.every(isText);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
