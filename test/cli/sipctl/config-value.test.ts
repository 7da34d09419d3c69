import { describe, expect, test } from 'vitest';
import { readKeyword, readValue } from '../../../src/cli/sipctl/config-value.ts';
import type { KeywordName } from '../../../src/home/keywords.ts';

describe('readKeyword', () => {
  test('finds a keyword of any case', () => {
    expect(readKeyword('maxcontacts')).toBe('MaxContacts');
  });

  test('names the nearest of an unknown one, and only what a user’s file may hold', () => {
    expect(readKeyword('forwardalwys')).toMatchObject({
      exit: 65,
      text: 'forwardalwys: unknown keyword (did you mean ForwardAlways?)',
    });
    expect(readKeyword('Lissten')).toMatchObject({ text: expect.not.stringContaining('Listen') });
    expect(readKeyword('zzzzzzzzzzzz')).toMatchObject({ text: 'zzzzzzzzzzzz: unknown keyword' });
  });
});

describe('readValue', () => {
  test.each<[KeywordName, string, readonly string[], unknown]>([
    ['MaxContacts', '4', ['4'], 4],
    ['DisplayName', 'Jan K', ['Jan', 'K'], 'Jan K'],
    ['DisplayName', '"Jan  K"', ['Jan  K'], 'Jan  K'],
    ['DisplayName', 'Jan # 1', ['Jan # 1'], 'Jan # 1'],
    ['ForwardAlways', '#21', ['#21'], '#21'],
    ['Block', '*@spam.example 666*', ['*@spam.example', '666*'], ['*@spam.example', '666*']],
    ['Attr', 'lang cs', ['lang', 'cs'], [{ name: 'lang', value: 'cs' }]],
    ['DisplayName', 'Č', ['Ä\x8c'], 'Ä\x8c'],
  ])('%s %j is %j', (keyword, text, words, value) => {
    expect(readValue(keyword, text, 'user')).toEqual({ words, value });
  });

  test.each<[KeywordName, string, RegExp]>([
    ['MaxContacts', 'many', /^MaxContacts: expected a whole number from 1 to 1000$/],
    ['MaxContacts', '', /^MaxContacts: expected/],
    ['Realm', 'x', /^Realm: expected in the configuration of the server only$/],
    ['DisplayName', 'a\nForwardAlways sip:eve@evil.example', /^DisplayName: expected no control characters$/],
    ['DisplayName', 'a # b\r', /^DisplayName: expected no control characters$/],
    ['DisplayName', '"open', /^DisplayName: expected a closing quote$/],
  ])('%s %j is refused', (keyword, text, why) => {
    expect(readValue(keyword, text, 'user')).toMatchObject({ exit: 65, text: expect.stringMatching(why) });
  });
});
