// Lines of the text files in ~/.sr and /etc/sr (DESIGN §2): whole lines end in `\n`; edits keep what they don't touch. Pure.

/** The whole lines of a file, without their `\n`, and the torn last one. */
export interface Lines {
  readonly lines: readonly string[];
  /** A last line without `\n`: a write in progress, or an editor's. Readers ignore it, edits treat it as a line. */
  readonly torn: string | undefined;
}

/** Splits a file's content into lines. */
export function splitLines(content: string): Lines {
  const lines = content.split('\n');
  const last = lines.pop() as string;
  return { lines, torn: last === '' ? undefined : last };
}

/** Says whether a line holds data: it is neither blank nor a comment (`#` after any blanks). */
export function isDataLine(line: string): boolean {
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return code !== 0x23;
  }
  return false;
}

/**
 * Rewrites a file line by line: `replace` gives the line itself to keep it byte for byte, another text for it, or
 * undefined to drop it. With `append`, called last, its lines follow and the file ends in `\n`; without, a torn last
 * line that is kept stays torn.
 */
export function editLines(
  content: string,
  replace: (line: string) => string | undefined,
  append?: () => readonly string[],
): string {
  const { lines, torn } = splitLines(content);
  let result = '';
  for (const line of lines) {
    const kept = replace(line);
    if (kept !== undefined) result += `${kept}\n`;
  }
  const last = torn === undefined ? undefined : replace(torn);
  if (last !== undefined) result += append === undefined ? last : `${last}\n`;
  for (const line of append?.() ?? []) result += `${line}\n`;
  return result;
}

/** Shows a piece of a hostile file in a fault: printable ASCII of at most 40 characters, the rest `?`. */
export function shown(text: string): string {
  const printable = text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
  return text.length > 40 ? `${printable}...` : printable;
}
