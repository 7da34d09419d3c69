// Tables for people: aligned text for pipes, boxes for terminals, records line by line where a terminal is too narrow for
// boxes. Pure.

import { displayWidth, padToWidth } from '../accounting/display-width.ts';

/** One column's words; numbers are aligned to the right. */
export type Cell = string | number;

/** The narrowest column that cells are wrapped to. */
const LEAST_WIDTH = 10;
/** A bar at each side of a cell, shared with its neighbour, and two blanks. */
const BESIDE_CELL = 3;

/** Formats a table as aligned text: two spaces between columns, none at the ends of lines. */
export function formatPlainTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = naturalWidths(head, rows);
  return [head, ...rows]
    .map((line) => {
      const cells = head.map((_, column) => pad(line[column] ?? '', widths[column] ?? 0));
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** Formats a table for a terminal that is `columns` wide; what does not fit is wrapped within its cell. */
export async function formatTerminalTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number,
): Promise<string> {
  const widths = fitWidths(naturalWidths(head, rows), columns - BESIDE_CELL * head.length - 1);
  if (widths === undefined) return formatRecords(head, rows, columns);
  const { default: Table } = await import('cli-table3');
  const numeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const wrapped = (line: readonly Cell[]) =>
    line.map((cell, column) => wrap(String(cell), widths[column] as number).join('\n'));
  const table = new Table({
    head: wrapped(head),
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [] },
  });
  table.push(...rows.map(wrapped));
  return `${table.toString()}\n`;
}

/** Widths that fit into `room`: the widest give way first; undefined where they would be too narrow to read. */
function fitWidths(natural: readonly number[], room: number): readonly number[] | undefined {
  const total = (most: number) => natural.reduce((sum, width) => sum + Math.min(width, most), 0);
  let most = Math.max(...natural, LEAST_WIDTH);
  while (most > LEAST_WIDTH && total(most) > room) most--;
  return total(most) > room ? undefined : natural.map((width) => Math.min(width, most));
}

/** Each row as lines of a name and a value, a blank line between rows. */
function formatRecords(head: readonly string[], rows: readonly (readonly Cell[])[], columns: number): string {
  const nameWidth = Math.max(...head.map(displayWidth));
  const room = Math.max(LEAST_WIDTH, columns - nameWidth - 2);
  return rows
    .map((row) =>
      head
        .flatMap((name, column) =>
          wrap(String(row[column] ?? ''), room).map((line, at) =>
            `${padToWidth(at === 0 ? name : '', nameWidth)}  ${line}`.trimEnd(),
          ),
        )
        .map((line) => `${line}\n`)
        .join(''),
    )
    .join('\n');
}

/** Lines of at most `columns`, broken at blanks where there are some, words that are longer anywhere. */
function wrap(text: string, columns: number): string[] {
  if (displayWidth(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, columns))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, columns: number): string[] {
  const cut: string[] = [];
  let piece = '';
  for (const character of word) {
    if (displayWidth(piece + character) > columns) {
      cut.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...cut, piece];
}

function naturalWidths(head: readonly string[], rows: readonly (readonly Cell[])[]): number[] {
  return head.map((name, column) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(String(row[column] ?? ''))), displayWidth(name)),
  );
}

function pad(cell: Cell, width: number): string {
  return padToWidth(String(cell), width, typeof cell === 'number' ? 'right' : 'left');
}
