import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editLines, isDataLine, shown, splitLines } from '../../src/home/lines.ts';

describe('splitLines', () => {
  test.each([
    ['an empty file has no lines', '', [], undefined],
    ['a whole line ends in \\n', 'a\n', ['a'], undefined],
    ['a last line without \\n is torn', 'a\nb', ['a'], 'b'],
    ['blank lines count', '\n\na\n', ['', '', 'a'], undefined],
    ['\\r belongs to the line', 'a\r\n', ['a\r'], undefined],
  ])('%s', (_why, content, lines, torn) => {
    expect(splitLines(content)).toEqual({ lines, torn });
  });

  test('lines and torn line together are the content', () => {
    fc.assert(
      fc.property(fc.string(), (content) => {
        const { lines, torn } = splitLines(content);
        expect(lines.map((line) => `${line}\n`).join('') + (torn ?? '')).toBe(content);
      }),
    );
  });
});

test('blank lines and comments hold no data, whatever blanks stand before', () => {
  for (const line of ['', '  ', '\t', '\r', '# x', '  \t# x']) expect(isDataLine(line)).toBe(false);
  for (const line of ['a', ' a', 'a # b', '\xa0']) expect(isDataLine(line)).toBe(true);
});

describe('editLines', () => {
  test('keeping every line keeps the content byte for byte', () => {
    fc.assert(
      fc.property(fc.string(), (content) => {
        expect(editLines(content, (line) => line)).toBe(content);
      }),
    );
  });

  test('a torn last line is completed before lines are appended', () => {
    expect(
      editLines(
        'a\nb',
        (line) => line,
        () => ['c'],
      ),
    ).toBe('a\nb\nc\n');
  });

  test('a torn last line that is replaced by its own text becomes a line that readers see', () => {
    expect(
      editLines(
        'a',
        (line) => line,
        () => [],
      ),
    ).toBe('a\n');
  });

  test('lines are replaced and dropped', () => {
    expect(editLines('a\nb\nc\n', (line) => (line === 'a' ? undefined : line === 'b' ? 'B' : line))).toBe(
      'B\nc\n',
    );
  });
});

test('a piece of a hostile file is shown as printable ASCII of limited length', () => {
  expect(shown('Max\x1b[31m\xc3\xa9')).toBe('Max?[31m??');
  expect(shown('x'.repeat(100))).toBe(`${'x'.repeat(40)}...`);
});
