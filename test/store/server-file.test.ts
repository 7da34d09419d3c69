// A file of the server's own that is taken away while it is written to, as logrotate(8) does.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createServerFile } from '../../src/store/server-file.ts';
import { temporaryDirectory } from '../unix/temporary-home.ts';

const LINES = 30_000;
/** Renames the file as soon as it is there, until told to stop. */
const rotate = `
  const { existsSync, renameSync } = require('node:fs');
  for (let number = 1; !existsSync('stop'); )
    try { renameSync('acct', 'acct.' + number); number += 1; } catch {}
`;

test('each line is in one of the files that the name was taken from, and in one alone', async () => {
  const directory = temporaryDirectory();
  const rotating = spawn(process.execPath, ['-e', rotate], { cwd: directory, stdio: 'inherit' });
  onTestFinished(() => void rotating.kill('SIGKILL'));
  const ended = once(rotating, 'exit');
  const file = createServerFile({
    ...{ own: undefined, directory, name: 'acct', mode: 0o640, directoryMode: 0o755 },
  });
  onTestFinished(() => file.close());
  const files = () => readdirSync(directory).filter((name) => name.startsWith('acct'));
  let written = 0;
  for (; written < LINES || files().length < 100; written += 1)
    expect(file.append(`${written}\n`)).toBeUndefined();
  writeFileSync(join(directory, 'stop'), '');
  await ended;
  const lines = files().flatMap((name) =>
    readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1),
  );
  expect(lines.map(Number).sort((one, other) => one - other)).toEqual(
    Array.from({ length: written }, (_, at) => at),
  );
  const modes = new Set(files().map((name) => (statSync(join(directory, name)).mode & 0o7777).toString(8)));
  expect([...modes]).toEqual(['640']);
});
