// How the programs speak: messages on stderr, results on stdout, as text, tables or JSON. Styles on terminals only, and not
// under NO_COLOR.

import { type Fault, formatFault } from '../home/fault.ts';
import { type Cell, formatPlainTable, formatTerminalTable } from './table.ts';

/** What is shown while many things are done; on a terminal only. */
interface Progress {
  step(): void;
  /** Takes the bar away. */
  end(): void;
}

/** How a piece of a line stands out. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

/** A piece of a line. */
export type Piece = string | { readonly text: string; readonly style: Style };

/** The way a command speaks. */
export interface Report {
  /** Whether `--json` asks for values instead of text. */
  readonly json: boolean;
  /** The width of the terminal that results are shown on; undefined for a pipe, NO_COLOR and a terminal that can't. */
  readonly columns: number | undefined;
  /** Prints a line of the result. */
  print(text: string): void;
  /** Prints lines of the result at once. */
  lines(lines: readonly (readonly Piece[])[]): void;
  /** Prints a value as one JSON document, indented for terminals. */
  value(value: unknown): void;
  /** Prints a table: boxed on a terminal, aligned text into a pipe or under NO_COLOR. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void>;
  /** Prints `prog: text` on stderr. */
  error(text: string): void;
  warning(text: string): void;
  /** Prints `prog: path:line: text` on stderr. */
  fault(fault: Fault): void;
  progress(total: number): Progress;
}

/** The streams a report writes to. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Makes the report of a program that runs. */
export function createReport(
  program: string,
  { json }: { json: boolean },
  streams: Streams = process,
): Report {
  const { stdout, stderr } = streams;
  const say = (text: string) => stderr.write(`${program}: ${printable(text)}\n`);
  return {
    json,
    columns: isPlain(stdout) ? undefined : stdout.columns || usualColumns,
    lines(lines) {
      const format = isPlain(stdout) ? plainPiece : styledPiece;
      if (lines.length > 0)
        stdout.write(lines.map((line) => `${line.map(format).join('').trimEnd()}\n`).join(''));
    },
    print: (text) => stdout.write(`${printable(text)}\n`),
    value: (value) => stdout.write(`${jsonText(value, stdout.isTTY ? 2 : undefined)}\n`),
    async table(head, rows) {
      const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell)));
      stdout.write(
        isPlain(stdout)
          ? formatPlainTable(head, cells)
          : await formatTerminalTable(head, cells, stdout.columns || usualColumns),
      );
    },
    error: say,
    warning: (text) => say(`warning: ${text}`),
    fault: (fault) => say(formatFault(fault)),
    progress: (total) => createProgress(total, stderr),
  };
}

const usualColumns = 80;

const escapes: Readonly<Record<Style, string>> = {
  bold: '\x1b[1m',
  dim: '\x1b[2m',
  red: '\x1b[31m',
  green: '\x1b[32m',
  yellow: '\x1b[33m',
  blue: '\x1b[34m',
  magenta: '\x1b[35m',
  cyan: '\x1b[36m',
};

function plainPiece(piece: Piece): string {
  return printable(typeof piece === 'string' ? piece : piece.text);
}

function styledPiece(piece: Piece): string {
  const text = plainPiece(piece);
  return typeof piece === 'string' || text === '' ? text : `${escapes[piece.style]}${text}\x1b[0m`;
}

/** Replaces what could steer a terminal: a file's or a phone's text is shown, not obeyed. Tab and newline stay. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** JSON in which nothing steers a terminal: JSON.stringify escapes only what is below the blank. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(/[\x7f-\x9f]/g, (character) => {
    return `\\u00${character.charCodeAt(0).toString(16)}`;
  });
}

function isPlain(stream: { isTTY?: boolean }): boolean {
  return !stream.isTTY || (process.env.NO_COLOR ?? '') !== '' || process.env.TERM === 'dumb';
}

const barWidth = 30;

function createProgress(total: number, stream: Streams['stderr']): Progress {
  if (!stream.isTTY || total === 0) return { step: () => {}, end: () => {} };
  let done = 0;
  let shown = -1;
  return {
    step() {
      done += 1;
      const filled = Math.floor((barWidth * done) / total);
      if (filled === shown && done < total) return;
      shown = filled;
      stream.write(`\r[${'#'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${done}/${total}`);
    },
    end: () => stream.write('\r\x1b[K'),
  };
}
