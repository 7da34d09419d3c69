// One line an event on stderr: `time=… level=… event=… src=… key=value`, user text escaped and capped. Lines of one turn
// are written together.

import { writeSync } from 'node:fs';
import type { LogEvent } from './log-events.ts';

export type Level = 'error' | 'warning' | 'notice' | 'info' | 'debug';

/** Values of a log line; undefined ones are left out. */
type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes log lines at or above its level. */
export interface Log {
  (level: Level, event: LogEvent, fields?: LogFields): void;
  /** Says whether a level is written, so that costly fields need not be made. */
  isOn(level: Level): boolean;
  setLevel(level: Level): void;
  flush(): void;
}

const ORDER: readonly Level[] = ['error', 'warning', 'notice', 'info', 'debug'];
/** Says whether a value names a level. */
export function isLevel(value: unknown): value is Level {
  return (ORDER as readonly unknown[]).includes(value);
}

const MAX_VALUE = 256;
const STDERR = 2;
/** Octets kept for a reader that stands still, and how soon it is tried again. */
const MOST_KEPT = 64 * 1024;
const RETRY_MS = 100;

/** Opens the log on stderr, and on `also` besides; a reader that went away costs the lines, not the server. */
export function openLog(level: Level, also?: (level: Level, event: LogEvent, text: string) => void): Log {
  // Its first use makes a pipe or socket one that does not block: a reader that stands still must not hold the server up.
  void process.stderr;
  let threshold = ORDER.indexOf(level);
  let pending = Buffer.alloc(0);
  let lines = '';
  let lost = 0;
  const flush = () => {
    if (lines !== '') pending = Buffer.concat([pending, Buffer.from(lines)]);
    lines = '';
    try {
      while (pending.length > 0) pending = pending.subarray(writeSync(STDERR, pending));
    } catch (error) {
      // A reader that stands still gets its lines later, as many as are kept; one that is gone is nobody to tell.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') setTimeout(flush, RETRY_MS).unref();
      else pending = Buffer.alloc(0);
    }
  };
  const write = (at: Level, event: LogEvent, fields: LogFields = {}) => {
    if (ORDER.indexOf(at) > threshold) return;
    const text = formatEvent(event, fields);
    also?.(at, event, text);
    if (pending.length > MOST_KEPT) {
      lost++;
      return;
    }
    if (lines === '') setImmediate(flush);
    const time = new Date().toISOString();
    if (lost > 0) lines += `time=${time} level=warning event=log-lost lines=${lost}\n`;
    lost = 0;
    lines += `time=${time} level=${at} ${text}\n`;
  };
  return Object.assign(write, {
    isOn: (at: Level) => ORDER.indexOf(at) <= threshold,
    setLevel: (at: Level) => {
      threshold = ORDER.indexOf(at);
    },
    flush,
  });
}

/** The source comes first: what a peer chose never stands before it. */
function formatEvent(event: LogEvent, fields: LogFields): string {
  const { src } = fields;
  let line = src === undefined ? `event=${event}` : `event=${event} src=${escapeValue(String(src))}`;
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && key !== 'src') line += ` ${key}=${escapeValue(String(value))}`;
  return line;
}

/** A value as it may stand in a line: quoted when it is not one plain word, never more than 256 characters. */
function escapeValue(value: string): string {
  const capped = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;
  if (/^[\w@:./+*,[\]()~-]+$/.test(capped)) return capped;
  // JSON escapes C0; C1 controls and line separators would reach a terminal as they are.
  return JSON.stringify(capped).replace(
    /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
