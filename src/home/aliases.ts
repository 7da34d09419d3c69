// /etc/sr/aliases: names and extensions with their targets, the grammar of aliases(5) (DESIGN §2). Pure.

import { lowerCase } from '../message/octets.ts';
import { parseUri } from '../message/uri.ts';
import { addFault, type Fault } from './fault.ts';
import { isDataLine, shown, splitLines } from './lines.ts';

/** What a file of aliases says; all texts are octet strings. */
export interface ParsedAliases {
  /** The targets of each name in their order; the name in lower case, at least one target. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly Fault[];
  /** The number of a last line without `\n`, which does not count; undefined where there is none. */
  readonly tornLine: number | undefined;
}

const TARGETS = 'a user name, an alias, a number or a SIP URI';

/** Where reading is: the entry that white space at the beginning of a line continues. */
interface Entry {
  readonly name: string;
  readonly line: number;
  readonly targets: string[];
  /** Nothing was named yet, right or wrong. */
  isEmpty: boolean;
  /** A comma must come before the next target. */
  isFull: boolean;
}

/**
 * Parses the file. A line or target with a fault does not count, the rest does; of two entries of one name the first
 * counts.
 */
export function parseAliases(content: string, path: string): ParsedAliases {
  const entries = new Map<string, readonly string[]>();
  const faults: Fault[] = [];
  const fault = (line: number, text: string) => addFault(faults, { path, line, text });
  const { lines, torn } = splitLines(content);
  let entry: Entry | undefined;
  let isSkipping = false;
  const end = () => {
    if (entry === undefined) return;
    const { name, line, targets, isEmpty } = entry;
    if (targets.length > 0) entries.set(lowerCase(name), targets);
    else if (isEmpty) fault(line, `${shown(name)}: expected ${TARGETS}`);
    entry = undefined;
  };
  for (let index = 0; index < lines.length; index++) {
    const written = lines[index] as string;
    if (!isDataLine(written)) continue;
    const line = index + 1;
    const text = written.endsWith('\r') ? written.slice(0, -1) : written;
    let at = 0;
    if (!isBlank(text[0])) {
      end();
      const begun = readName(text);
      isSkipping = typeof begun === 'string' || entries.has(lowerCase(begun.name));
      if (typeof begun === 'string') fault(line, begun);
      else if (isSkipping) fault(line, `${shown(begun.name)}: expected each name once, the first one counts`);
      else {
        entry = { name: begun.name, line, targets: [], isEmpty: true, isFull: false };
        at = begun.end;
      }
    } else if (entry === undefined && !isSkipping)
      fault(line, 'expected a name before the line that continues it');
    if (entry !== undefined) readTargets(text, at, entry, (why) => fault(line, why));
  }
  end();
  return { entries, faults, tornLine: torn === undefined ? undefined : lines.length + 1 };
}

/** The name at the beginning of an entry and the position behind its colon, or what is wrong. */
function readName(text: string): { name: string; end: number } | string {
  if (CONTROL.test(text)) return 'expected no control characters';
  const word = readWord(text, 0, /[ \t:,"]/);
  if (word === undefined) return 'expected a closing quote';
  const colon = skipBlanks(text, word.end);
  if (text[colon] !== ':') return `${shown(word.value)}: expected NAME: TARGET, ...`;
  if (!isAliasName(word.value)) return `${shown(word.value)}: expected a name or a number before the colon`;
  return { name: word.value, end: colon + 1 };
}

function readTargets(text: string, start: number, entry: Entry, fault: (why: string) => void): void {
  const name = shown(entry.name);
  if (CONTROL.test(text)) {
    fault(`${name}: expected no control characters`);
    entry.isEmpty = false;
    return;
  }
  for (let at = skipBlanks(text, start); at < text.length && text[at] !== '#'; at = skipBlanks(text, at)) {
    if (text[at] === ',') {
      entry.isFull = false;
      at++;
      continue;
    }
    entry.isEmpty = false;
    const word = readWord(text, at, /[ \t,]/);
    if (word === undefined) {
      fault(`${name}: expected a closing quote`);
      return;
    }
    at = word.end;
    if (entry.isFull) fault(`${name}: expected a comma before ${shown(word.value)}`);
    else if (isTarget(word.value)) entry.targets.push(word.value);
    else {
      fault(`${name}: expected ${TARGETS}, not ${shown(word.value)}`);
      // The arguments of a program have no commas before them.
      while (at < text.length && text[at] !== ',') at++;
    }
    entry.isFull = true;
  }
}

/** A word that ends before what `ends` matches, or a quoted one, in which a backslash escapes; undefined: no end. */
function readWord(text: string, start: number, ends: RegExp): { value: string; end: number } | undefined {
  let at = start;
  if (text[at] !== '"') {
    while (at < text.length && !ends.test(text[at] as string)) at++;
    return { value: text.slice(start, at), end: at };
  }
  let value = '';
  for (at++; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\') at++;
    value += text[at] ?? '';
  }
  return at < text.length ? { value, end: at + 1 } : undefined;
}

const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Says whether a text can be a name: no address, and not what sendmail takes for a list, a program or a file. */
export function isAliasName(text: string): boolean {
  return /^[^\x00-\x1f\x7f@:|/\\<>"]+$/.test(text);
}

function isTarget(text: string): boolean {
  return /^(?:sips?|tel):/i.test(text) ? parseUri(text) !== undefined : isAliasName(text);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text[at])) at++;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
