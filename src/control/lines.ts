// Lines out of a stream of text, none longer than a bound. Pure.

/** Takes text as it comes. */
export interface LineReader {
  /** The lines that are whole now, without their ends; undefined: one is too long, and the stream is lost. */
  push(text: string): string[] | undefined;
}

/** Makes a reader of lines of at most `most` characters. */
export function createLineReader(most: number): LineReader {
  let parts: string[] = [];
  let length = 0;
  return {
    push(text) {
      const lines = text.split('\n');
      const last = lines.pop() as string;
      if (lines.length > 0) {
        lines[0] = parts.join('') + lines[0];
        parts = [];
        length = 0;
      }
      if (last !== '') parts.push(last);
      length += last.length;
      return length > most || lines.some((line) => line.length > most) ? undefined : lines;
    },
  };
}
