// /etc/sr/shadow: root's say over accounts, `name:locked:expires` (DESIGN §2). Fails closed: doubt locks. Pure.

import type { Fault } from './fault.ts';
import { editLines, isDataLine, splitLines } from './lines.ts';
import { decodeField, encodeField, encodeOctet } from './percent.ts';

/** What root says of one account. In the file `locked` is `!` or empty, `expires` a date or empty. */
export interface ShadowEntry {
  readonly name: string;
  readonly locked: boolean;
  /** YYYY-MM-DD: locked from that day on (UTC). */
  readonly expires?: string;
}

/**
 * Parses the file. A line that can't be read locks the account it begins with; of two lines for one account the
 * stricter word of each holds. A last line without `\n` counts: this file is replaced as a whole, never appended to.
 */
export function parseShadow(
  content: string,
  path: string,
): { entries: Map<string, ShadowEntry>; faults: Fault[] } {
  const entries = new Map<string, ShadowEntry>();
  const faults: Fault[] = [];
  const { lines, torn } = splitLines(content);
  const all = torn === undefined ? lines : [...lines, torn];
  all.forEach((text, index) => {
    if (!isDataLine(text)) return;
    const { entry, why } = readLine(text);
    const earlier = entries.get(entry.name);
    entries.set(entry.name, earlier === undefined ? entry : stricter(earlier, entry));
    const fault = why ?? (earlier === undefined ? undefined : 'duplicate: the stricter of both lines holds');
    if (fault !== undefined) faults.push({ path, line: index + 1, text: fault });
  });
  return { entries, faults };
}

/** Writes an entry over all lines of its account, the unreadable ones included, or appends it. */
export function setShadow(content: string, entry: ShadowEntry): string {
  let written = false;
  return editLines(
    content,
    (text) => {
      if (!isDataLine(text) || nameOf(text) !== entry.name) return text;
      if (written) return undefined;
      written = true;
      return formatEntry(entry, text.split(':').slice(3));
    },
    () => (written ? [] : [formatEntry(entry, [])]),
  );
}

/** Drops all lines of an account. */
export function removeShadow(content: string, name: string): string {
  return editLines(content, (text) => (isDataLine(text) && nameOf(text) === name ? undefined : text));
}

/** Says whether an account may not be served; `today` is YYYY-MM-DD (UTC). An account without an entry is not locked. */
export function isLocked(entry: ShadowEntry | undefined, today: string): boolean {
  return entry !== undefined && (entry.locked || (entry.expires !== undefined && entry.expires <= today));
}

function formatEntry(entry: ShadowEntry, extra: readonly string[]): string {
  const name = encodeField(entry.name).replace(/^[# ]/, encodeOctet);
  return [name, entry.locked ? '!' : '', encodeField(entry.expires ?? ''), ...extra].join(':');
}

/** The account a line is about, readable or not. */
function nameOf(text: string): string {
  const field = (text.split(':', 1)[0] as string).replace(/^[ \t]+|[ \t]+$/g, '');
  return decodeField(field) ?? field;
}

function readLine(text: string): { entry: ShadowEntry; why?: string } {
  const name = nameOf(text);
  const [field, locked, expires = ''] = text.split(':');
  const lockedBy = (why: string) => ({ entry: { name, locked: true }, why: `${why}: the account is locked` });
  if (decodeField(field as string) !== name || locked === undefined)
    return lockedBy('expected name:locked:expires');
  if (locked !== '' && locked !== '!') return lockedBy('locked: expected ! or nothing');
  if (expires === '') return { entry: { name, locked: locked === '!' } };
  if (!isDate(expires)) return lockedBy('expires: expected a date YYYY-MM-DD or nothing');
  return { entry: { name, locked: locked === '!', expires } };
}

function stricter(one: ShadowEntry, other: ShadowEntry): ShadowEntry {
  const locked = one.locked || other.locked;
  const dates = [one.expires, other.expires].filter((date) => date !== undefined).sort();
  return dates[0] === undefined ? { name: one.name, locked } : { name: one.name, locked, expires: dates[0] };
}

/** A day that exists, as YYYY-MM-DD. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
