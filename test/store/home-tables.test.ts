// What a database server may have done in homes, by whoever took it over: its operations and no others.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { credentialOfPassword } from '../../src/cli/sippasswd/credential.ts';
import { setCredentials } from '../../src/home/passwd.ts';
import { createHomeTables, type TableOperation, tableOperationOf } from '../../src/store/home-tables.ts';
import { type Account, invokingAccount } from '../../src/unix/nss.ts';
import { createRandom } from '../long/random.ts';

const access = { minUid: 0, denyUsers: [], allowUsers: [], denyGroups: [], allowGroups: [] };
const home = mkdtempSync(join(tmpdir(), 'sr-tables-'));
const account: Account = { ...invokingAccount(), name: 'jan', home };
const key = { user: 'jan', realm: 'sip.test', did: '_default' };
const passwd = setCredentials('', [credentialOfPassword(key, 'secret', 'plain', '2026-01-01')]);
const of = (readsHashes: boolean, writes: boolean) =>
  createHomeTables(
    { access, strictModes: true, syncUsrloc: false, keyFile: undefined, readsHashes, writes },
    account,
    () => {},
  );

beforeAll(() => {
  chmodSync(home, 0o700);
  mkdirSync(join(home, '.sr'), { mode: 0o700 });
  writeFileSync(join(home, '.sr/passwd'), passwd, { mode: 0o600 });
});
afterAll(() => rmSync(home, { recursive: true }));

const read = (file: 'passwd' | 'usrloc' | 'config' | 'acct'): TableOperation => ({
  type: 'read',
  file,
  known: '',
});

describe('an operation', () => {
  test.each([
    ['users', '[{"type":"users"}]'],
    ['groups', '[{"type":"groups"}]'],
    ['read', '[{"type":"read","file":"usrloc","known":""}]'],
    ['append', '[{"type":"append","file":"acct","lines":["{}"]}]'],
    ['replace', '[{"type":"replace","file":"config","content":"a\\n","after":""}]'],
    ['open calls', '[{"type":"replaceOpen","lines":["{}"]}]'],
    ['credentials', '[{"type":"credentials","set":["a:b"],"remove":["x"]}]'],
  ])('%s is one', (_, json) => expect(tableOperationOf(json)).toBeDefined());

  test.each([
    '',
    '{}',
    '[]',
    '[null]',
    '[{"type":"users"},{"type":"users"}]',
    '[{"type":"exec"}]',
    '[{"type":"read","file":"key","known":""}]',
    '[{"type":"read","file":"../passwd","known":""}]',
    '[{"type":"read","file":"__proto__","known":""}]',
    '[{"type":"read","file":"passwd"}]',
    '[{"type":"append","file":"passwd","lines":["x"]}]',
    '[{"type":"append","file":"config","lines":["x"]}]',
    '[{"type":"append","file":"usrloc","lines":["a\\nb"]}]',
    '[{"type":"append","file":"usrloc","lines":["a\\u0000"]}]',
    '[{"type":"append","file":"usrloc","lines":[""]}]',
    '[{"type":"append","file":"usrloc","lines":"x"}]',
    `[{"type":"append","file":"usrloc","lines":["${'x'.repeat(4097)}"]}]`,
    '[{"type":"append","file":"usrloc","lines":["\\u010a"]}]',
    '[{"type":"replace","file":"passwd","content":"","after":""}]',
    '[{"type":"replace","file":"acct","content":"","after":""}]',
    '[{"type":"replace","file":"config","content":"\\u0100","after":""}]',
    '[{"type":"replace","file":"config","content":1,"after":""}]',
    '[{"type":"appendOpen","lines":["a\\nb"]}]',
    '[{"type":"replaceOpen","lines":{}}]',
    '[{"type":"credentials","set":["a\\nb"],"remove":[]}]',
    '[{"type":"credentials","set":[],"remove":[1]}]',
  ])('%s is none', (json) => expect(tableOperationOf(json)).toBeUndefined());

  test('of 20,000 spoilt ones each is one of those or none', () => {
    const random = createRandom(3);
    const whole = '[{"type":"append","file":"usrloc","lines":["<sip:a@b>"]}]';
    for (let count = 0; count < 20_000; count++) {
      const at = random.below(whole.length);
      const spoilt = whole.slice(0, at) + random.octets(random.below(4)) + whole.slice(at + random.below(3));
      const operation = tableOperationOf(spoilt);
      if (operation !== undefined) expect(['append', 'users', 'groups']).toContain(operation.type);
    }
  });
});

describe('without DbReadHashes', () => {
  test('no hash and no password leaves, and what else a line says does', () => {
    const answer = of(false, false)('jan', read('passwd'));
    expect(answer).toMatchObject({ type: 'text' });
    const { content = '' } = answer as { content?: string };
    expect(content).toMatch(/^jan:sip\.test:_default:jan:s:+2026-01-01\n$/);
  });

  test('writing passwd and config is denied, and nothing happens', () => {
    const perform = of(false, false);
    const line = passwd.trim();
    expect(perform('jan', { type: 'credentials', set: [line], remove: [] })).toMatchObject({
      type: 'denied',
    });
    expect(perform('jan', { type: 'replace', file: 'config', content: 'x\n', after: '' })).toMatchObject({
      type: 'denied',
    });
    expect(readFileSync(join(home, '.sr/passwd'), 'utf8')).toBe(passwd);
  });
});

describe('with DbWrite alone', () => {
  test('a credential is set among others without anybody seeing them', () => {
    const perform = of(false, true);
    const other = setCredentials('', [
      credentialOfPassword({ ...key, realm: 'other' }, 'x', 'ha1', '2026-01-01'),
    ]).trim();
    expect(perform('jan', { type: 'credentials', set: [other], remove: [] })).toEqual({ type: 'written' });
    expect(readFileSync(join(home, '.sr/passwd'), 'utf8')).toBe(`${passwd}${other}\n`);
    expect(perform('jan', { type: 'credentials', set: [], remove: ['other\n_default'] })).toEqual({
      type: 'written',
    });
    expect(readFileSync(join(home, '.sr/passwd'), 'utf8')).toBe(passwd);
  });

  test('a line that names another account is refused', () => {
    const line = passwd.trim().replace(/^jan/, 'eva');
    expect(of(false, true)('jan', { type: 'credentials', set: [line], remove: [] })).toMatchObject({
      type: 'denied',
    });
  });
});

test('nobody but the accounts that are served', () => {
  for (const user of ['root', 'eva', '', '../jan', 'jan/', 'jan\0'])
    expect(of(true, true)(user, read('passwd'))).toEqual({ type: 'nobody' });
});

test('a file that leads elsewhere is not followed', () => {
  const path = join(home, '.sr/config');
  symlinkSync('/etc/hostname', path);
  expect(of(true, true)('jan', read('config'))).toMatchObject({
    type: 'failed',
    why: expect.stringContaining('symbolic link'),
  });
  rmSync(path);
});

test('a content takes the place of the one it was made of, and of no other', () => {
  const perform = of(true, true);
  const before = perform('jan', read('config')) as { version: string };
  const replace = (content: string, after: string) =>
    perform('jan', { type: 'replace', file: 'config', content, after });
  expect(replace('DoNotDisturb yes\n', before.version)).toEqual({ type: 'written' });
  expect(replace('DoNotDisturb no\n', before.version)).toEqual({ type: 'changed' });
  expect(readFileSync(join(home, '.sr/config'), 'utf8')).toBe('DoNotDisturb yes\n');
  expect(perform('jan', { type: 'read', file: 'config', known: before.version })).toMatchObject({
    type: 'text',
  });
});
