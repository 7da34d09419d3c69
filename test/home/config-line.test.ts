import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatConfigLine, isConfigText, readConfigLine } from '../../src/home/config-line.ts';

describe('readConfigLine', () => {
  test.each([
    ['words', 'A b  c', ['b', 'c']],
    ['an equals sign, as -o has it', 'A=b', ['b']],
    ['an equals sign between blanks', 'A = b', ['b']],
    ['only the first one', 'A =b=c =d', ['b=c', '=d']],
    ['double quotes', 'A "b c" "d"', ['b c', 'd']],
    ['single quotes', "A 'b \"c'", ['b "c']],
    ['quotes inside a word', 'A b"c d"e', ['bc de']],
    ['an empty word', 'A ""', ['']],
    ['escapes', 'A "b\\"c\\\\d" e\\"f', ['b"c\\d', 'e"f']],
    ['other backslashes stay', 'A b\\c', ['b\\c']],
    ['a comment at the end', 'A b # c', ['b']],
    ['# inside a word is none', 'A b#c "#d"', ['b#c', '#d']],
    ['blanks around', ' \tA\tb \t', ['b']],
    ['a carriage return at the end', 'A b\r', ['b']],
    ['no words', 'A', []],
  ])('%s', (_why, line, words) => {
    expect(readConfigLine(line)).toMatchObject({ keyword: 'A', words });
    expect(readConfigLine(line)?.fault).toBeUndefined();
  });

  test.each(['', '  ', '# A b', '\t# A b', '\r'])('%j says nothing', (line) => {
    expect(readConfigLine(line)).toBeUndefined();
  });

  test.each([
    ['an open quote', 'A "b', 'expected a closing quote'],
    ['an open single quote', "A b 'c", 'expected a closing quote'],
    ['a control character', 'A b\x00c', 'expected no control characters'],
  ])('%s is a fault', (_why, line, fault) => {
    expect(readConfigLine(line)).toMatchObject({ keyword: 'A', fault });
  });

  test('indent and comment are told, so that an edit can keep them', () => {
    expect(readConfigLine('  A b \t# why')).toMatchObject({ indent: '  ', comment: ' \t# why' });
  });
});

describe('formatConfigLine', () => {
  test.each([
    ['plain words', ['b', '+49*'], 'A b +49*'],
    ['blanks', ['b c'], 'A "b c"'],
    ['quotes and backslashes', ['"b\\'], 'A "\\"b\\\\"'],
    ['nothing', [''], 'A ""'],
    ['what would be a comment', ['#b'], 'A "#b"'],
    ['what would be the equals sign', ['=b'], 'A "=b"'],
    ['UTF-8', ['caf\xc3\xa9'], 'A caf\xc3\xa9'],
  ])('%s', (_why, words, line) => {
    expect(formatConfigLine('A', words)).toBe(line);
  });

  test('what no line can hold is refused', () => {
    for (const word of ['a\nb', 'a\0', '\u010a']) {
      expect(isConfigText(word)).toBe(false);
      expect(() => formatConfigLine('A', [word])).toThrow('control characters');
    }
  });

  test('read∘format is the identity', () => {
    const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.array(fc.string({ unit: octet.filter(isConfigText) })), (words) => {
        expect(readConfigLine(formatConfigLine('A', words))).toEqual({
          keyword: 'A',
          words,
          indent: '',
          comment: '',
        });
      }),
    );
  });
});
