import { describe, expect, test } from 'vitest';
import { defaultSettings, formatSetting } from '../../src/home/config.ts';
import {
  findKeyword,
  type KeywordName,
  keywordEntry,
  keywords,
  nearestKeyword,
} from '../../src/home/keywords.ts';

const NAMES = Object.keys(keywords) as KeywordName[];

describe('the table', () => {
  test.each(NAMES)('%s has one line of help without a full stop, and a default of its own type', (name) => {
    const entry = keywordEntry(name);
    expect(entry.help).toMatch(/^[^\n]*[^.\n]$/);
    expect(entry.value.expected).toMatch(/^\S.*\S$/);
    if (entry.list) expect(Array.isArray(entry.default)).toBe(true);
    if (entry.default === undefined) return;
    const parsed = entry.value.format(entry.default).map((words) => entry.value.parse(words));
    expect(entry.list ? parsed.flat() : parsed[0]).toEqual(entry.default);
  });

  test.each([
    ['Listen', ['Listen udp:*:5060', 'Listen tcp:*:5060']],
    ['MaxCallDuration', ['MaxCallDuration 43200']],
    ['RateLimit', ['RateLimit 100/500']],
    ['Realm', []],
    ['Domain', []],
    ['DigestAlgorithms', ['DigestAlgorithms MD5']],
  ] as const)('the default of %s is written as lines', (name, lines) => {
    expect(formatSetting(name, defaultSettings[name])).toEqual(lines);
  });
});

test('keywords have no case', () => {
  expect(findKeyword('MAXcontacts')).toBe('MaxContacts');
  expect(findKeyword('constructor')).toBeUndefined();
});

test.each([
  ['MaxContcts', 'server', 'MaxContacts'],
  ['maxcontact', 'user', 'MaxContacts'],
  ['Lsiten', 'server', 'Listen'],
  ['Macth', 'user', 'Match'],
  ['Gatway', 'server', 'Gateway'],
  ['Lsiten', 'user', undefined],
  ['PermitRootLogin', 'server', undefined],
  ['', 'server', undefined],
  ['x'.repeat(100_000), 'server', undefined],
] as const)('nearest to %.20s in a %s file: %s', (typo, scope, expected) => {
  expect(nearestKeyword(typo, scope)).toBe(expected);
});
