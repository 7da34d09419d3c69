// One line of a configuration file: `Keyword value "quoted value" # comment`, as in sshd_config(5). Pure.

/** A line that holds a keyword. */
export interface ConfigLine {
  /** As written. */
  readonly keyword: string;
  /** The arguments, without quotes. */
  readonly words: readonly string[];
  /** White space before the keyword. */
  readonly indent: string;
  /** The comment at the end of the line, with the white space before it; empty where there is none. */
  readonly comment: string;
  /** What is wrong with the arguments, of which `words` then are not all. */
  readonly fault?: string;
}

/** Reads a line; undefined for a blank line and a comment. `=` may stand between keyword and arguments. */
export function readConfigLine(line: string): ConfigLine | undefined {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  const start = skipBlanks(text, 0);
  if (start === text.length || text[start] === '#') return undefined;
  const indent = text.slice(0, start);
  let at = start;
  while (at < text.length && !/[ \t="']/.test(text[at] as string)) at++;
  const keyword = text.slice(start, at);
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text))
    return { keyword, words: [], indent, comment: '', fault: 'expected no control characters' };
  at = skipBlanks(text, at);
  if (text[at] === '=') at = skipBlanks(text, at + 1);
  const words: string[] = [];
  let wordsEnd = at;
  while (at < text.length && text[at] !== '#') {
    const word = readWord(text, at);
    if (word === undefined) return { keyword, words, indent, comment: '', fault: 'expected a closing quote' };
    words.push(word.value);
    wordsEnd = word.end;
    at = skipBlanks(text, word.end);
  }
  return { keyword, words, indent, comment: at < text.length ? text.slice(wordsEnd) : '' };
}

/** Formats a keyword and its arguments, quoted as needed. Throws for what no line can hold: control characters. */
export function formatConfigLine(keyword: string, words: readonly string[]): string {
  return [keyword, ...words.map(quoteWord)].join(' ');
}

/** Says whether a text can stand in a configuration file as an argument. */
export function isConfigText(octets: string): boolean {
  return !/[\x00-\x08\x0a-\x1f\x7f\u0100-\uffff]/.test(octets);
}

function quoteWord(word: string): string {
  if (!isConfigText(word)) throw new Error('control characters cannot stand in a configuration file');
  if (word !== '' && !/[ \t"'\\]|^[#=]/.test(word)) return word;
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}

/** The argument at `start`; undefined where a quote does not end. A backslash escapes quotes and backslashes alone. */
function readWord(text: string, start: number): { value: string; end: number } | undefined {
  let value = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    const next = text[at + 1];
    if (character === '\\' && (next === '"' || next === "'" || next === '\\')) {
      value += next;
      at++;
    } else if (character === quote) quote = '';
    else if (quote !== '') value += character;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ' ' || character === '\t') break;
    else value += character;
  }
  return quote === '' ? { value, end: at } : undefined;
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}
