// Replacing a file: all or nothing, only what was expected, and nothing left behind.

import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Account } from '../../src/unix/nss.ts';
import { findAccount } from '../../src/unix/nss.ts';
import { replaceFile } from '../../src/unix/replace-file.ts';
import { fileVersion, readFile } from '../../src/unix/trusted-file.ts';
import { Accounts } from '../host/accounts.ts';
import { describeNeeding } from '../host/required.ts';
import { inDirectory, RULES, temporaryAccount, temporaryDirectory } from './temporary-home.ts';

const OPTIONS = { mode: 0o600, sync: false };

function replace(account: Account, content: string, options: object = {}): ReturnType<typeof replaceFile> {
  return inDirectory(account, (directory) =>
    replaceFile(directory, 'passwd', content, { ...OPTIONS, ...options }),
  );
}

function versionOf(account: Account): unknown {
  return inDirectory(account, (directory) => fileVersion(directory, 'passwd', RULES));
}

const passwdOf = (account: Account) => join(account.home, '.sr/passwd');

test.each([false, true])('makes and replaces octets, answering the version (sync: %s)', (sync) => {
  const account = temporaryAccount();
  for (const content of ['\xe4\0\n', '', 'x'.repeat(60_000)]) {
    const answer = replace(account, content, { sync });
    expect(answer).toEqual({ version: versionOf(account) });
    expect(readFileSync(passwdOf(account), 'latin1')).toBe(content);
    expect(readdirSync(join(account.home, '.sr'))).toEqual(['passwd']);
  }
});

test('gives the mode asked for, whatever the umask', () => {
  const account = temporaryAccount();
  const umask = process.umask(0o077);
  replace(account, 'x', { mode: 0o644 });
  process.umask(0);
  expect(statSync(passwdOf(account)).mode & 0o7777).toBe(0o644);
  replace(account, 'x', { mode: 0o600 });
  process.umask(umask);
  expect(statSync(passwdOf(account)).mode & 0o7777).toBe(0o600);
});

test('replaces what was expected and nothing else', () => {
  const account = temporaryAccount();
  expect(replace(account, 'one', { expected: undefined })).toMatchObject({ version: expect.any(String) });
  expect(replace(account, 'two', { expected: undefined })).toMatchObject({ kind: 'busy' });
  const read = inDirectory(account, (directory) => readFile(directory, 'passwd', RULES));
  // Read within 20 ms of its change, and so of a version that equals none; what it was is still known.
  expect(replace(account, 'three', { expected: (read as { version: string }).version })).toHaveProperty(
    'version',
  );
  expect(replace(account, 'four', { expected: (read as { version: string }).version })).toMatchObject({
    kind: 'busy',
    why: 'was changed meanwhile',
  });
  expect(readFileSync(passwdOf(account), 'utf8')).toBe('three');
  const version = versionOf(account);
  rmSync(passwdOf(account));
  expect(replace(account, 'five', { expected: version })).toMatchObject({ kind: 'busy' });
  expect(readdirSync(join(account.home, '.sr'))).toEqual([]);
  expect(replace(account, 'six', { expected: 'any' })).toHaveProperty('version');
});

test('replaces neither a link nor a directory, and touches nothing behind them', () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const outside = join(temporaryDirectory(), 'outside');
  writeFileSync(outside, 'foreign');
  symlinkSync(outside, passwdOf(account));
  expect(replace(account, 'x')).toMatchObject({ kind: 'untrusted', why: 'is not a regular file' });
  expect(lstatSync(passwdOf(account)).isSymbolicLink()).toBe(true);
  rmSync(passwdOf(account));
  mkdirSync(passwdOf(account));
  expect(replace(account, 'x')).toMatchObject({ kind: 'untrusted' });
  rmSync(passwdOf(account), { recursive: true });
  linkSync(outside, passwdOf(account));
  expect(replace(account, 'x')).toHaveProperty('version');
  expect(readFileSync(outside, 'utf8')).toBe('foreign');
  expect(readdirSync(join(account.home, '.sr'))).toEqual(['passwd']);
});

test('a name that is no name is a mistake of ours, and makes nothing', () => {
  const account = temporaryAccount();
  for (const name of ['', '..', '../x', 'a/b']) {
    expect(() => inDirectory(account, (directory) => replaceFile(directory, name, 'x', OPTIONS))).toThrow();
  }
  expect(readdirSync(join(account.home, '.sr'))).toEqual([]);
});

describeNeeding(['root', 'useradd'], 'by root as another user', () => {
  let made: Accounts;
  beforeAll(() => {
    made = new Accounts();
  });
  afterAll(() => made.remove());

  test("the file is the user's", () => {
    const jan = findAccount(made.add('jan').name) as Account;
    expect(replace(jan, 'x', { sync: true })).toHaveProperty('version');
    const { uid, gid } = lstatSync(passwdOf(jan));
    expect([uid, gid]).toEqual([jan.uid, jan.gid]);
    execFileSync('chattr', ['+i', passwdOf(jan)]);
    try {
      expect(replace(jan, 'y')).toMatchObject({ kind: 'untrusted', why: 'operation not permitted' });
    } finally {
      execFileSync('chattr', ['-i', passwdOf(jan)]);
    }
    expect(readdirSync(join(jan.home, '.sr'))).toEqual(['passwd']);
  });
});
