// What a line of the log is: its event, its source, then what people and peers wrote, quoted and cut.

import { expect, test } from 'vitest';
import { openLog } from '../../src/server/log.ts';

/** The line of these fields, as syslog gets it. */
function lineOf(fields: Readonly<Record<string, string | number | undefined>>): string {
  let line = '';
  openLog('info', (_level, _event, text) => {
    line = text;
  })('info', 'auth-failed', fields);
  return line;
}

test('the source comes first, wherever it stands among the fields', () => {
  expect(lineOf({ user: 'jan', src: '[2001:db8::7]:5060', why: 'x' })).toBe(
    'event=auth-failed src=[2001:db8::7]:5060 user=jan why=x',
  );
  expect(lineOf({ src: undefined, user: 'jan' })).toBe('event=auth-failed user=jan');
});

test.each([
  'a b',
  'a=b',
  '"',
  '\\',
  'a\nevent=x',
  'a\r',
  '\0',
  '\x1b[31m',
  '\x7f',
  '\x85',
  '\x9b31m',
  '\u2028',
  '\u202e',
  '',
])('%j is quoted, on one line, and nothing else is lost of it', (text) => {
  const line = lineOf({ user: text, status: 401 });
  const quoted = /^event=auth-failed user=("(?:[^"\\]|\\.)*") status=401$/.exec(line)?.[1];
  expect(quoted).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(quoted as string)).toBe(text);
});

test('no value is longer than 256 characters', () => {
  expect(lineOf({ user: 'x'.repeat(257) })).toBe(`event=auth-failed user="${'x'.repeat(256)}…"`);
  expect(lineOf({ user: 'x'.repeat(256) })).toBe(`event=auth-failed user=${'x'.repeat(256)}`);
});
