// Calls read in pieces: whatever the pieces, the same calls and the same faults, and nothing is fatal.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type CallRecord, formatCallRecord } from '../../src/home/acct.ts';
import type { Fault } from '../../src/home/fault.ts';
import {
  type AcctFile,
  LineReader,
  openHostAcct,
  openHostAccts,
  openUserAcct,
  readAcct,
} from '../../src/store/acct-file.ts';
import { temporaryAccount, temporaryDirectory } from '../unix/temporary-home.ts';

const line = (id: string): string =>
  formatCallRecord({
    id,
    start: 0,
    end: 0,
    durationMs: 0,
    direction: 'in',
    from: 'sip:a@x',
    to: 'sip:b@x',
    callId: 'c',
    status: 'missed',
  });

function collector() {
  const ids: string[] = [];
  const faults: Fault[] = [];
  const lines: number[] = [];
  return {
    ids,
    faults,
    lines,
    call(record: CallRecord, number: number) {
      ids.push(record.id);
      lines.push(number);
    },
    fault: (fault: Fault) => void faults.push(fault),
  };
}

async function readAll(file: AcctFile | undefined | object) {
  const got = collector();
  await readAcct(file as AcctFile, got);
  return got;
}

const content = [
  line('one'),
  '# a comment',
  '',
  'no call',
  `${line('torn').slice(0, 50)}`,
  line('two'),
  'x'.repeat(10_000),
  line('three'),
].join('\n');

const faults = [
  { path: 'acct', line: 4, text: 'expected a call as a JSON object' },
  { path: 'acct', line: 5, text: 'expected a call as a JSON object' },
  { path: 'acct', line: 7, text: 'expected a line of at most 4096 octets' },
];

test('however a file comes in pieces, its calls and faults are the same', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6000 })), (sizes) => {
      const got = collector();
      const lines = new LineReader('acct', got);
      let at = 0;
      for (const size of sizes) {
        lines.push(content.slice(at, at + size));
        at += size;
      }
      lines.push(`${content.slice(at)}\n`);
      lines.end();
      expect(got.ids).toEqual(['one', 'two', 'three']);
      expect(got.lines).toEqual([1, 6, 8]);
      expect(got.faults).toEqual(faults);
    }),
  );
});

test('a last line without its end is no call, and a fault that is named', () => {
  const got = collector();
  const lines = new LineReader('acct', got);
  lines.push(`${line('one')}\n${line('two')}`);
  expect(lines.isTorn).toBe(true);
  lines.end();
  expect(got.ids).toEqual(['one']);
  expect(got.faults).toEqual([{ path: 'acct', line: 2, text: 'expected the end of the line, it was torn' }]);
});

test('a line that is being written is waited for', async () => {
  const path = join(temporaryDirectory(), 'acct');
  writeFileSync(path, `${line('one')}\n${line('two').slice(0, 20)}`);
  const reading = readAll(openHostAcct(path));
  appendFileSync(path, `${line('two').slice(20)}\n`);
  expect(await reading).toMatchObject({ ids: ['one', 'two'], faults: [] });
});

test("an account's file is opened by the rules of ~/.sr; no file is no calls", async () => {
  const account = temporaryAccount();
  expect(openUserAcct(account, true)).toBeUndefined();
  mkdirSync(join(account.home, '.sr'), { mode: 0o700 });
  expect(openUserAcct(account, true)).toBeUndefined();
  const path = join(account.home, '.sr/acct');
  writeFileSync(path, `${line('one')}\n`, { mode: 0o600 });
  expect(await readAll(openUserAcct(account, true))).toMatchObject({ ids: ['one'], lines: [1] });
  writeFileSync(path, '', { mode: 0o666 });
  const other = temporaryAccount();
  mkdirSync(join(other.home, '.sr'), { mode: 0o700 });
  symlinkSync(path, join(other.home, '.sr/acct'));
  expect(openUserAcct(other, true)).toMatchObject({ type: 'trouble', kind: 'untrusted' });
});

test('rotated files come first, the oldest of them at the head, and those before a time not at all', async () => {
  const directory = temporaryDirectory();
  const names = ['acct', 'acct.1', 'acct.10.gz', 'acct.2.gz', 'acct-20261001.gz', 'acct-20261101'];
  for (const name of [...names, 'acct.1.gz', 'acct.old', 'acct-x', 'access']) {
    const text = `${line(name)}\n`;
    writeFileSync(join(directory, name), name.endsWith('.gz') ? gzipSync(text) : text);
  }
  const idsSince = async (since: number) => {
    const ids: string[] = [];
    for (const file of openHostAccts(since, join(directory, 'acct')) as AcctFile[])
      ids.push(...(await readAll(file)).ids);
    return ids;
  };
  const all = ['acct.10.gz', 'acct.2.gz', 'acct.1', 'acct-20261001.gz', 'acct-20261101', 'acct'];
  expect(await idsSince(0)).toEqual(all);
  utimesSync(join(directory, 'acct.2.gz'), 1000, 1000);
  expect(await idsSince(1_000_001)).toEqual(all.filter((name) => name !== 'acct.2.gz'));
  expect(await idsSince(1_000_000)).toEqual(all);
});

test('files that are rotated while they are opened are each opened once, and none is left out', async () => {
  const directory = temporaryDirectory();
  const rotate = `
    const { existsSync, renameSync, rmSync, writeFileSync } = require('node:fs');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let number = 0; !existsSync('stop'); number += 1) {
      writeFileSync('new', String(number));
      renameSync('new', 'acct');
      Atomics.wait(pause, 0, 0, 1);
      for (const age of ['.3', '.2', '.1', ''])
        if (existsSync('acct' + age)) renameSync('acct' + age, 'acct.' + (Number(age.slice(1)) + 1));
      rmSync('acct.4', { force: true });
    }`;
  const rotating = spawn(process.execPath, ['-e', rotate], { cwd: directory, stdio: 'inherit' });
  onTestFinished(() => void rotating.kill('SIGKILL'));
  const ended = once(rotating, 'exit');
  await vi.waitFor(() => readFileSync(join(directory, 'acct.3')));
  for (let look = 0; look < 3000; look += 1) {
    const files = openHostAccts(0, join(directory, 'acct')) as AcctFile[];
    const numbers = files.map(({ fd }) => Number(readFileSync(fd)));
    for (const { fd } of files) closeSync(fd);
    const [oldest = Number.NaN] = numbers;
    expect(numbers.length).toBeGreaterThan(2);
    expect(numbers).toEqual(numbers.map((_, at) => oldest + at));
  }
  writeFileSync(join(directory, 'stop'), '');
  await ended;
});

test('a packed file that is damaged gives the calls before the damage', async () => {
  const path = join(temporaryDirectory(), 'acct.1.gz');
  writeFileSync(path, gzipSync(`${line('one')}\n`).subarray(0, -4));
  expect(await readAll(openHostAcct(path))).toMatchObject({
    ids: ['one'],
    faults: [{ path, line: 0, text: 'cannot be unpacked: unexpected end of file' }],
  });
});

test('a file that fails while it is read is said to', async () => {
  const directory = temporaryDirectory();
  const fd = openSync(directory, 'r');
  const got = collector();
  const trouble = await readAcct({ path: directory, fd, sizeBytes: 0, isCompressed: false }, got);
  expect(trouble).toMatchObject({ type: 'trouble', path: directory, why: 'is a directory' });
});

test('what is no file, or not there, is said', () => {
  const directory = temporaryDirectory();
  expect(openHostAcct(join(directory, 'acct'))).toBeUndefined();
  expect(openHostAcct(directory)).toMatchObject({ type: 'trouble', why: 'is not a regular file' });
});
