// The server's own files by absolute path; here of the invoking user, which is root's case with another uid.

import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Lock, lockWithin, unlock } from '../../src/unix/lock.ts';
import {
  fileVersionAt,
  openRootDirectory,
  readRootFile,
  replaceRootFile,
  withRootDirectory,
} from '../../src/unix/root-file.ts';
import { closeUserDirectory } from '../../src/unix/trusted-directory.ts';
import { temporaryDirectory } from './temporary-home.ts';

const uid = process.geteuid?.() ?? 0;
const SECRET = { private: true, maxBytes: 1000, uid };

test('a file is missing, then made with its directory, then read', () => {
  const path = join(temporaryDirectory(), 'sr/shadow');
  expect(readRootFile(path, SECRET)).toBe(undefined);
  expect(fileVersionAt(path)).toBe(undefined);
  const options = { mode: 0o600, sync: true, uid };
  expect(replaceRootFile(path, 'x\n', options)).toMatchObject({ kind: 'missing' });
  const umask = process.umask(0o077);
  const made = replaceRootFile(path, 'x\n', { ...options, createMode: 0o755 });
  process.umask(umask);
  expect(made).toEqual({ version: fileVersionAt(path) });
  expect(statSync(join(path, '..')).mode & 0o7777).toBe(0o755);
  expect(statSync(path).mode & 0o7777).toBe(0o600);
  expect(readRootFile(path, SECRET)).toMatchObject({ content: 'x\n' });
  expect(replaceRootFile(path, 'y\n', { ...options, createMode: 0o755 })).toHaveProperty('version');
  expect(readFileSync(path, 'utf8')).toBe('y\n');
});

test('the modes of file and directory count', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'shadow');
  writeFileSync(path, 'x', { mode: 0o600 });
  chmodSync(path, 0o640);
  expect(readRootFile(path, SECRET)).toMatchObject({ kind: 'untrusted', mend: `chmod 600 ${path}` });
  expect(readRootFile(path, { ...SECRET, private: false })).toMatchObject({ content: 'x' });
  chmodSync(directory, 0o770);
  expect(readRootFile(path, { ...SECRET, private: false })).toMatchObject({
    kind: 'untrusted',
    path: directory,
  });
});

test("symbolic links lead to directories, but aren't files", () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'real'));
  writeFileSync(join(directory, 'real/config'), 'x', { mode: 0o600 });
  symlinkSync('real', join(directory, 'sr'));
  symlinkSync('config', join(directory, 'real/link'));
  expect(readRootFile(join(directory, 'sr/config'), SECRET)).toMatchObject({ content: 'x' });
  expect(readRootFile(join(directory, 'sr/link'), SECRET)).toMatchObject({ why: 'is a symbolic link' });
  expect(readRootFile(join(directory, 'sr/config/x'), SECRET)).toMatchObject({ why: 'is not a directory' });
});

test('the version of a file changes with it, and one that cannot be looked at has a version too', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'config');
  writeFileSync(path, 'x');
  const before = fileVersionAt(path);
  expect(fileVersionAt(path)).toBe(before);
  chmodSync(path, 0o600);
  expect(fileVersionAt(path)).not.toBe(before);
  expect(fileVersionAt(join(path, 'below'))).toBe('ENOTDIR');
});

test('a directory is locked as ~/.sr is', () => {
  const path = temporaryDirectory();
  const kinds = withRootDirectory(path, { uid }, (directory) => {
    const lock = lockWithin(directory) as Lock;
    const second = lockWithin(directory, 0);
    unlock(lock);
    return [lock.type, second.type];
  });
  expect(kinds).toEqual(['lock', 'trouble']);
  expect(openRootDirectory(join(path, 'missing'), { uid })).toMatchObject({ kind: 'missing' });
  const opened = openRootDirectory('/');
  expect(opened).toMatchObject({ type: 'directory' });
  if (opened.type === 'directory') closeUserDirectory(opened);
});

test.skipIf(uid === 0)("a directory that isn't root's is refused unless its owner is named", () => {
  expect(openRootDirectory(temporaryDirectory())).toMatchObject({ kind: 'untrusted' });
});
