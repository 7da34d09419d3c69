// Tables for people: nothing is wider than the terminal, and nothing is lost.

import { expect, test } from 'vitest';
import { displayWidth } from '../../src/accounting/display-width.ts';
import { type Cell, formatPlainTable, formatTerminalTable } from '../../src/cli/table.ts';

const head = ['User', 'Contact', 'User agent', 'Source', 'Login', 'N'];
const rows: readonly (readonly Cell[])[] = [
  [
    'jan',
    'sip:jan@192.0.2.1:5060;transport=tcp',
    '黄檗山の電話 1.0 (日本語)',
    '192.0.2.1:5060',
    '2026-11-22 10:15',
    5,
  ],
  [
    'eva',
    'sip:eva@[2001:db8:1:2:3:4:5:6]:5061',
    'žluť 🎺',
    '[2001:db8:1:2:3:4:5:6]:5061',
    '2026-11-22 10:15',
    55,
  ],
];

/** All that is shown, but for the frame and blanks. */
function shownIn(text: string): string {
  return [...text.replace(/[─│┌┐└┘├┤┬┴┼\s]/g, '')].sort().join('');
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map(displayWidth));
}

test('align numbers to the right and count characters, not bytes', () => {
  expect(
    formatPlainTable(
      ['A', 'SUM', 'B'],
      [
        ['žluť', 1, 'x'],
        ['b', 200, ''],
      ],
    ),
  ).toBe('A     SUM  B\nžluť    1  x\nb     200\n');
});

test.each([40, 60, 80, 100, 120, 200])(
  'of %i columns keep all their words, and to their width',
  async (columns) => {
    const text = await formatTerminalTable(head, rows, columns);
    expect(widest(text)).toBeLessThanOrEqual(columns);
    const words = [...head, ...rows.flat()].map(String).join('');
    // Too narrow for boxes: a name for each value.
    const isRecords = !text.includes('│');
    expect(shownIn(text)).toBe(shownIn(isRecords ? words + head.join('') : words));
    expect(isRecords).toBe(columns < 80);
  },
);

test('as wide as they need to be where there is room', async () => {
  const text = await formatTerminalTable(head, rows, 200);
  expect(text).toContain('│ 黄檗山の電話 1.0 (日本語) │');
  expect(text.split('\n')).toHaveLength(8);
});

test('the widest column gives way first, at blanks', async () => {
  const text = await formatTerminalTable(['A', 'B'], [['one', 'two three four five']], 24);
  expect(text).toContain('│ one │ two three four │\n│     │ five           │');
});

test('numbers stay on the right', async () => {
  expect(
    await formatTerminalTable(
      ['NAME', 'N'],
      [
        ['jan', 5],
        ['eva', 55],
      ],
      80,
    ),
  ).toContain('│ jan  │  5 │');
});

test('count columns, not characters, into pipes too', () => {
  expect(
    formatPlainTable(
      ['A', 'B'],
      [
        ['電話', 'x'],
        ['b', 'y'],
      ],
    ),
  ).toBe('A     B\n電話  x\nb     y\n');
});
