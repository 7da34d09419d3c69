import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rereadFile } from '../../src/transport/reread-file.ts';

let directory = '';
let now = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sr-reread-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('follows a file that comes, is edited, replaced and goes, looked at once a second', () => {
  const path = join(directory, 'hosts');
  const read = rereadFile(
    path,
    (text) => text.toUpperCase(),
    () => now,
  );
  const afterASecond = (): string => {
    now += 1000;
    return read();
  };
  expect(read()).toBe('');
  writeFileSync(path, 'one');
  now += 999;
  expect(read()).toBe('');
  now += 1;
  expect(read()).toBe('ONE');
  writeFileSync(path, 'two, edited');
  expect(afterASecond()).toBe('TWO, EDITED');
  writeFileSync(join(directory, 'new'), 'and replaced');
  renameSync(join(directory, 'new'), path);
  expect(afterASecond()).toBe('AND REPLACED');
  rmSync(path);
  expect(afterASecond()).toBe('');
});

test('parses only what changed, and reads nothing that is no file', () => {
  const path = join(directory, 'hosts');
  writeFileSync(path, 'one');
  let parsed = 0;
  const read = rereadFile(
    path,
    () => ++parsed,
    () => now,
  );
  for (let second = 0; second < 5; second++) {
    now += 1000;
    read();
  }
  expect(parsed).toBe(2);
  expect(rereadFile('/dev/zero', (text) => text.length)()).toBe(0);
  expect(rereadFile(directory, (text) => text.length)()).toBe(0);
});
