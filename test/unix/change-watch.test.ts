// Whether files may have changed, asked of inotify: every change that returned is noticed by the next question.

import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchChanges } from '../../src/unix/change-watch.ts';
import { temporaryDirectory } from './temporary-home.ts';

function watched(path: string) {
  const watch = watchChanges([path]);
  expect(watch.mayHaveChanged()).toBe(true);
  // Asked at once: the second after which it is looked at anyway is not over.
  const asks = () => watch.mayHaveChanged();
  return { asks, close: () => watch.close() };
}

test('says no while nothing happens, and yes once for what happened', () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, 'a');
  const { asks, close } = watched(path);
  expect(asks()).toBe(false);
  appendFileSync(path, 'b');
  expect(asks()).toBe(true);
  expect(asks()).toBe(false);
  chmodSync(path, 0o600);
  expect(asks()).toBe(true);
  close();
});

test('follows a file that is replaced by rename, and the one that replaced it', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'file');
  writeFileSync(path, 'a');
  const { asks, close } = watched(path);
  for (let round = 0; round < 20; round++) {
    writeFileSync(join(directory, 'new'), `${round}`);
    renameSync(join(directory, 'new'), path);
    expect(asks()).toBe(true);
    while (asks());
    appendFileSync(path, 'x');
    expect(asks()).toBe(true);
    while (asks());
  }
  rmSync(path);
  expect(asks()).toBe(true);
  close();
});

test('waits for a file whose directory is not there yet', () => {
  const directory = join(temporaryDirectory(), 'sr');
  const path = join(directory, 'shadow');
  const { asks, close } = watched(path);
  expect(asks()).toBe(false);
  mkdirSync(directory);
  expect(asks()).toBe(true);
  writeFileSync(path, 'jan:!:\n');
  expect(asks()).toBe(true);
  while (asks());
  writeFileSync(path, 'eva:!:\n');
  expect(asks()).toBe(true);
  close();
});

test('says yes always where nobody can say: two directories that are missing, or after it was closed', () => {
  const { asks, close } = watched(join(temporaryDirectory(), 'no', 'such', 'file'));
  expect([asks(), asks()]).toEqual([true, true]);
  close();
  const { asks: closed, close: end } = watched('/etc/passwd');
  end();
  expect([closed(), closed()]).toEqual([true, true]);
});
