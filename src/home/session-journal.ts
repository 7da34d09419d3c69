// The journal of sessions, the times a phone is registered: one JSON object a line, `in` where one begins and `out` where
// it ends, named by the line of wtmp (DESIGN §2). Pure; texts are octet strings.

import { addFault, type Fault } from './fault.ts';
import { formatInstant, parseInstant } from './instant.ts';
import { splitLines } from './lines.ts';

const ENDS = ['unregistered', 'expired', 'removed', 'stopped', 'refused'] as const;

/** Why a session ended. */
export type SessionEnd = (typeof ENDS)[number];

/** A phone that registers. Times are milliseconds since 1970. */
export interface SessionBegin {
  readonly type: 'in';
  /** Its line in wtmp, the same one each time this contact registers. */
  readonly line: string;
  readonly at: number;
  readonly user: string;
  /** As `bindingKey` has it. */
  readonly key: string;
  readonly contact: string;
  /** The IP address it registered from. */
  readonly source: string;
  /** What it calls itself. */
  readonly device: string | undefined;
  /** When it expires unless it registers again: the journal isn't told when it does. */
  readonly until: number;
  readonly pid: number;
  /** Whether wtmp is told of it. */
  readonly inWtmp: boolean;
  /** The same of all lines that were written together; 0: written again, wtmp was told before. */
  readonly batch: number;
}

/** The end of the session of that line. */
export interface SessionStop {
  readonly type: 'out';
  readonly line: string;
  readonly at: number;
  /** Undefined: nobody noted it. */
  readonly why: SessionEnd | undefined;
  readonly batch: number;
}

export type SessionEvent = SessionBegin | SessionStop;

/** A session as the journal tells it; without `end` it is open, or nobody noted its end. */
export interface Session extends Omit<SessionBegin, 'type' | 'batch'> {
  readonly end?: { readonly at: number; readonly why: SessionEnd | undefined };
}

/** Formats an event as one line, without `\n`. */
export function formatSessionEvent(event: SessionEvent): string {
  const { line, batch } = event;
  const at = formatInstant(event.at);
  if (event.type === 'out') return JSON.stringify({ out: line, at, why: event.why, batch });
  const { user, source, device, contact, until, pid, key, inWtmp } = event;
  const expires = formatInstant(until);
  return JSON.stringify({
    in: line,
    at,
    user,
    source,
    device,
    contact,
    expires,
    pid,
    wtmp: inWtmp,
    key,
    batch,
  });
}

/** Parses a journal; a last line without `\n` does not count, and what cannot be read is a fault and left out. */
export function parseSessionJournal(
  content: string,
  path: string,
): { events: SessionEvent[]; faults: Fault[] } {
  const events: SessionEvent[] = [];
  const faults: Fault[] = [];
  splitLines(content).lines.forEach((text, index) => {
    const event = readEvent(text);
    if (event !== undefined) events.push(event);
    else addFault(faults, { path, line: index + 1, text: 'expected a session as a JSON object' });
  });
  return { events, faults };
}

/**
 * The sessions that events tell of, in the order they began. A line that begins again without an end ended at that
 * moment, and the same beginning twice is one: the journal repeats what is open when it is begun anew.
 */
export function foldSessions(events: readonly SessionEvent[]): Session[] {
  const sessions: Session[] = [];
  /** Where the last of each line stands. */
  const last = new Map<string, number>();
  const end = (index: number, at: number, why: SessionEnd | undefined) => {
    const session = sessions[index] as Session;
    if (session.end === undefined)
      sessions[index] = { ...session, end: { at: Math.max(at, session.at), why } };
  };
  for (const event of events) {
    const before = last.get(event.line);
    if (event.type === 'out') {
      if (before !== undefined) end(before, event.at, event.why);
      continue;
    }
    if (before !== undefined && sessions[before]?.at === event.at) continue;
    if (before !== undefined) end(before, event.at, undefined);
    const { type: _type, batch: _batch, ...session } = event;
    last.set(event.line, sessions.push(session) - 1);
  }
  return sessions;
}

/** The events that were written last, together. */
export function lastBatch(events: readonly SessionEvent[]): readonly SessionEvent[] {
  const batch = events.at(-1)?.batch;
  return batch === undefined || batch === 0 ? [] : events.filter((event) => event.batch === batch);
}

function readEvent(text: string): SessionEvent | undefined {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const at = instantOf(value.at);
  const batch = typeof value.batch === 'number' ? value.batch : 0;
  if (at === undefined) return undefined;
  if (typeof value.out === 'string') {
    const why = ENDS.find((known) => known === value.why);
    return { type: 'out', line: value.out, at, why, batch };
  }
  const { in: line, user, source, device, contact, pid, key } = value;
  const until = instantOf(value.expires);
  if (typeof line !== 'string' || typeof user !== 'string' || typeof source !== 'string') return undefined;
  if (typeof contact !== 'string' || typeof key !== 'string' || until === undefined) return undefined;
  return {
    type: 'in',
    line,
    at,
    user,
    key,
    contact,
    source,
    device: typeof device === 'string' ? device : undefined,
    until,
    pid: typeof pid === 'number' ? pid : 0,
    inWtmp: value.wtmp === true,
    batch,
  };
}

function instantOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseInstant(value) : undefined;
}
