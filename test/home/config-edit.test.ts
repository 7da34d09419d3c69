import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effectiveSettings, parseConfig } from '../../src/home/config.ts';
import { setKeyword, unsetKeyword } from '../../src/home/config-edit.ts';
import { isConfigText } from '../../src/home/config-line.ts';

const of = (content: string) => parseConfig(content, { path: 'c', scope: 'user' });

describe('setKeyword', () => {
  test.each([
    [
      'replaces in place and keeps the comment',
      '# a\n  maxcontacts 3  # why\nAttr a b\n',
      '# a\n  MaxContacts 5  # why\nAttr a b\n',
    ],
    ['appends to an empty file', '', 'MaxContacts 5\n'],
    ['appends behind the last keyword', 'Attr a b\n\n# end\n', 'Attr a b\nMaxContacts 5\n\n# end\n'],
    ['appends behind comments alone', '# only\n', '# only\nMaxContacts 5\n'],
    ['completes a torn last line', 'Attr a b', 'Attr a b\nMaxContacts 5\n'],
    ['replaces a torn line by one that counts', 'MaxContacts 5', 'MaxContacts 5\n'],
    [
      'writes before the first block',
      'Attr a b\nMatch all\nMaxContacts 3\n',
      'Attr a b\nMaxContacts 5\nMatch all\nMaxContacts 3\n',
    ],
    [
      'writes before the comment of the first block',
      '# about\nMatch all\n',
      'MaxContacts 5\n# about\nMatch all\n',
    ],
    [
      'leaves later lines, which do not count',
      'MaxContacts 1\nMaxContacts 2\n',
      'MaxContacts 5\nMaxContacts 2\n',
    ],
    ['replaces a line with a fault', 'MaxContacts "\n', 'MaxContacts 5\n'],
    ['leaves unreadable lines', '"\nfoo \x00\n', '"\nfoo \x00\nMaxContacts 5\n'],
  ])('%s', (_why, before, after) => {
    expect(setKeyword(before, 'MaxContacts', ['5'])).toBe(after);
  });

  test('a list has one line afterwards', () => {
    expect(setKeyword('Block a\n# x\nBlock b\nMatch all\nBlock c\n', 'Block', ['d', 'e'])).toBe(
      'Block d e\n# x\nMatch all\nBlock c\n',
    );
  });

  test('of Attr only the line of the same name is replaced', () => {
    expect(setKeyword('Attr a 1\nAttr b 2\n', 'Attr', ['b', 'x y'])).toBe('Attr a 1\nAttr b "x y"\n');
    expect(setKeyword('Attr a 1\n', 'Attr', ['b', '2'])).toBe('Attr a 1\nAttr b 2\n');
  });

  test('what no file can hold is refused', () => {
    expect(() => setKeyword('', 'DisplayName', ['a\nMatch all'])).toThrow('control characters');
  });
});

describe('unsetKeyword', () => {
  test.each([
    [
      'takes every global line away',
      'Block a\n# x\nblock b\nMatch all\nBlock c\n',
      'Block',
      undefined,
      '# x\nMatch all\nBlock c\n',
    ],
    ['of Attr those of the name', 'Attr a 1\nAttr b 2\n', 'Attr', 'a', 'Attr b 2\n'],
    ['of Attr all without a name', 'Attr a 1\nAttr b 2\n', 'Attr', undefined, ''],
    [
      'leaves a file without the keyword byte for byte',
      '# x\r\n\nAttr a',
      'Block',
      undefined,
      '# x\r\n\nAttr a',
    ],
  ])('%s', (_why, before, keyword, name, after) => {
    expect(unsetKeyword(before, keyword, name)).toBe(after);
  });
});

describe('properties', () => {
  const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const anyLine = fc.oneof(
    fc.constantFrom(
      '# c',
      '',
      'MaxContacts 3 # x',
      'Attr a b',
      'Match all',
      'Gateway x',
      'maxcontacts "',
      'DisplayName y',
    ),
    fc.string({ unit: octet.filter((one) => one !== '\n') }),
  );
  const content = fc
    .tuple(fc.array(anyLine), fc.boolean())
    .map(([lines, isTorn]) => lines.join('\n') + (isTorn ? '' : '\n'));
  const isOurs = (line: string) => /^[ \t]*displayname/i.test(line);

  test('what was set is what holds, and the other lines stay byte for byte and in order', () => {
    const name = fc.string({ unit: octet.filter(isConfigText), minLength: 1 });
    fc.assert(
      fc.property(content, name, (before, value) => {
        const after = setKeyword(before, 'DisplayName', [value]);
        expect(of(after).global.find(({ keyword }) => keyword === 'DisplayName')?.value).toBe(value);
        expect(effectiveSettings([{ ...of(after), blocks: [] }]).DisplayName).toBe(value);
        const others = (text: string) => text.split('\n').filter((line) => line !== '' && !isOurs(line));
        expect(others(after)).toEqual(others(before));
      }),
    );
  });

  test('unset takes away what set wrote', () => {
    fc.assert(
      fc.property(content, (before) => {
        const after = unsetKeyword(setKeyword(before, 'DisplayName', ['x']), 'DisplayName');
        expect(of(after).global.some(({ keyword }) => keyword === 'DisplayName')).toBe(false);
        const others = (text: string) => text.split('\n').filter((line) => line !== '' && !isOurs(line));
        const global = (lines: string[]) =>
          lines.slice(
            0,
            lines.findIndex((line) => /^\s*(match|gateway)/i.test(line)),
          );
        expect(global(others(after))).toEqual(global(others(before)));
      }),
    );
  });
});
