// Edits of a configuration file that leave every other line byte for byte (DESIGN §2). They write to the part before
// the first block only. Pure.

import { type ConfigLine, formatConfigLine, readConfigLine } from './config-line.ts';
import { findKeyword, keywordEntry } from './keywords.ts';
import { splitLines } from './lines.ts';

/**
 * Sets a keyword to the words of one line: in the place of its first line, whose comment stays, else behind the last
 * line before the blocks; the file then ends in `\n`. A list loses its other lines; of Attr only a line of the same name is replaced.
 * Throws for words that no file can hold (`isConfigText`).
 */
export function setKeyword(content: string, keyword: string, words: readonly string[]): string {
  const file = openFile(content);
  const text = formatConfigLine(keyword, words);
  const found = linesOf(file, keyword, words[0]);
  const [first, ...others] = found;
  if (first === undefined) {
    insertLine(file, text);
    return closeFile(file);
  }
  const old = file.read[first] as ConfigLine;
  file.lines[first] = `${old.indent}${text}${old.comment}`;
  const entry = entryOf(keyword);
  if (entry?.list && !entry.keyed) for (const other of others) file.lines[other] = undefined;
  return closeFile(file);
}

/** Takes all lines of a keyword out of the part before the blocks; of Attr, those of one name where it is given. */
export function unsetKeyword(content: string, keyword: string, name?: string): string {
  const file = openFile(content);
  const found = linesOf(file, keyword, name);
  if (found.length === 0) return content;
  for (const index of found) file.lines[index] = undefined;
  return closeFile(file);
}

interface OpenFile {
  /** Undefined: taken out. */
  readonly lines: (string | undefined)[];
  readonly read: readonly (ConfigLine | undefined)[];
  /** The line of the first block, or the number of lines. */
  readonly blockAt: number;
}

function openFile(content: string): OpenFile {
  const { lines, torn } = splitLines(content);
  const all = torn === undefined ? lines : [...lines, torn];
  const read = all.map(readConfigLine);
  const block = read.findIndex((line) => line !== undefined && /^(?:match|gateway)$/i.test(line.keyword));
  return { lines: [...all], read, blockAt: block < 0 ? all.length : block };
}

function closeFile({ lines }: OpenFile): string {
  return lines.map((line) => (line === undefined ? '' : `${line}\n`)).join('');
}

function linesOf({ read, blockAt }: OpenFile, keyword: string, name: string | undefined): number[] {
  const wanted = keyword.toLowerCase();
  const byName = name !== undefined && entryOf(keyword)?.keyed === true;
  const found: number[] = [];
  for (let index = 0; index < blockAt; index++) {
    const line = read[index];
    if (line?.keyword.toLowerCase() === wanted && (!byName || line.words[0] === name)) found.push(index);
  }
  return found;
}

/** Behind the last keyword before the blocks; without one, before the comment that stands over the first block. */
function insertLine({ lines, read, blockAt }: OpenFile, text: string): void {
  let at = blockAt;
  while (at > 0 && read[at - 1] === undefined) at--;
  if (at === 0) {
    at = blockAt;
    if (blockAt < lines.length) while (at > 0 && (lines[at - 1] as string).trimStart().startsWith('#')) at--;
  }
  lines.splice(at, 0, text);
}

function entryOf(keyword: string) {
  const name = findKeyword(keyword);
  return name === undefined ? undefined : keywordEntry(name);
}
