// Appending to usrloc: whole lines or none, none lost, whoever else writes (DESIGN §2).

import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appendLines, troubleWithAppending } from '../../src/unix/append-file.ts';
import type { Account } from '../../src/unix/nss.ts';
import { replaceFile } from '../../src/unix/replace-file.ts';
import { type FileRules, fileVersion } from '../../src/unix/trusted-file.ts';
import { describeNeeding } from '../host/required.ts';
import { bundleProgram, inDirectory, temporaryAccount, temporaryDirectory } from './temporary-home.ts';

const RULES: FileRules = { owners: 'user', private: false, maxBytes: 1024 * 1024 };

type Appended = Exclude<ReturnType<typeof appendLines>, 'changed'>;

function append(account: Account, text: string, sync = false): Appended {
  const options = { sync, rules: RULES };
  return inDirectory(account, (directory) => appendLines(directory, 'usrloc', text, options)) as Appended;
}

function versionOf(account: Account): unknown {
  return inDirectory(account, (directory) => fileVersion(directory, 'usrloc', RULES));
}

const usrlocOf = (account: Account) => join(account.home, '.sr/usrloc');

test.each([false, true])(
  'makes the file 0600 and appends to it, versions being what they were (sync: %s)',
  (sync) => {
    const account = temporaryAccount();
    const first = append(account, 'one\n', sync);
    expect(first).toMatchObject({ before: undefined });
    const second = append(account, 'two\nthree\n', sync);
    expect(second).toMatchObject({ before: (first as { version: unknown }).version });
    expect(second).toMatchObject({ version: versionOf(account) });
    expect(readFileSync(usrlocOf(account), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(statSync(usrlocOf(account)).mode & 0o7777).toBe(0o600);
  },
);

test('ends a torn last line first', () => {
  const account = temporaryAccount();
  append(account, 'one\n');
  writeFileSync(usrlocOf(account), 'torn');
  append(account, 'two\n');
  append(account, 'three\n');
  expect(readFileSync(usrlocOf(account), 'utf8')).toBe('torn\ntwo\nthree\n');
});

test('writes octets', () => {
  const account = temporaryAccount();
  append(account, 'J\xc3\xa4n\xff\0\n');
  expect(readFileSync(usrlocOf(account))).toEqual(Buffer.from('4ac3a46eff000a', 'hex'));
  append(account, `${'y'.repeat(100_000)}\n`);
  expect(statSync(usrlocOf(account)).size).toBe(7 + 100_001);
});

test('wants whole lines', () => {
  const account = temporaryAccount();
  expect(() => append(account, 'no newline')).toThrow('whole lines');
  expect(() => append(account, '')).toThrow('whole lines');
});

test('refuses to grow a file past what a reader accepts', () => {
  const account = temporaryAccount();
  append(account, `${'x'.repeat(RULES.maxBytes - 2)}\n`);
  const before = versionOf(account);
  expect(append(account, 'y\n')).toMatchObject({
    kind: 'temporary',
    why: expect.stringContaining('grow past'),
  });
  expect(versionOf(account)).toBe(before);
});

test('a link in the place of the file is refused and not written through', () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const outside = join(temporaryDirectory(), 'outside');
  symlinkSync(outside, usrlocOf(account));
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted', why: 'is a symbolic link' });
  expect(() => lstatSync(outside)).toThrow('ENOENT');
  writeFileSync(outside, 'foreign\n', { mode: 0o600 });
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted' });
  execFileSync('rm', [usrlocOf(account)]);
  linkSync(outside, usrlocOf(account));
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted', why: 'has 2 hard links instead of one' });
  expect(readFileSync(outside, 'utf8')).toBe('foreign\n');
});

test('a FIFO, a directory and a file that others may write to are refused', () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  execFileSync('mkfifo', ['-m', '600', usrlocOf(account)]);
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted', why: 'is a FIFO' });
  execFileSync('rm', [usrlocOf(account)]);
  mkdirSync(usrlocOf(account));
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted', why: 'is a directory' });
  execFileSync('rmdir', [usrlocOf(account)]);
  writeFileSync(usrlocOf(account), 'one\n');
  chmodSync(usrlocOf(account), 0o666);
  expect(append(account, 'x\n')).toMatchObject({ kind: 'untrusted' });
  expect(readFileSync(usrlocOf(account), 'utf8')).toBe('one\n');
});

test('a file that its user may not open is refused with the command that mends it', () => {
  const own = temporaryAccount();
  const { home } = own;
  const isRoot = process.getuid?.() === 0;
  // Root may open everything: it acts as somebody.
  const account = isRoot ? { ...own, name: 'jan', uid: 54321, gid: 54321 } : own;
  chmodSync(dirname(home), 0o755);
  if (isRoot) chownSync(home, account.uid, account.gid);
  append(account, 'one\n');
  chmodSync(usrlocOf(account), 0);
  const refused = { kind: 'untrusted', why: 'permission denied', mend: `chmod 600 ${usrlocOf(account)}` };
  expect(append(account, 'two\n')).toMatchObject(refused);
  const trouble = inDirectory(account, (directory) => troubleWithAppending(directory, 'usrloc', RULES));
  expect(trouble).toMatchObject(refused);
});

test('four programs that append at once lose and tear no line', async () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const program = bundleProgram(`
    import { asUser } from 'unix/as-user.ts';
    import { openUserDirectory, closeUserDirectory } from 'unix/trusted-directory.ts';
    import { appendLines } from 'unix/append-file.ts';
    import { lockWithin, unlock } from 'unix/lock.ts';
    const account = JSON.parse(process.argv[2]);
    const rules = { owners: 'user', private: false, maxBytes: 1048576 };
    let written = 0;
    for (let at = 0; at < 500; at += 1) asUser({ ...account, groups: [] }, () => {
      const directory = openUserDirectory(account, { strictModes: true, create: false });
      const lock = lockWithin(directory, 10_000);
      if (lock.type === 'lock') {
        const line = process.argv[3] + ':' + at + ':' + 'x'.repeat(at % 300) + '\\n';
        const done = appendLines(directory, 'usrloc', line, { sync: false, rules });
        if (done.type !== 'trouble') written += 1;
        unlock(lock);
      }
      closeUserDirectory(directory);
    });
    process.exitCode = written === 500 ? 0 : 1;
  `);
  const codes = await Promise.all(
    ['a', 'b', 'c', 'd'].map((letter) => {
      const child = spawn(process.execPath, [program, JSON.stringify(account), letter], { stdio: 'inherit' });
      onTestFinished(() => void child.kill('SIGKILL'));
      return new Promise((resolve) => child.once('close', resolve));
    }),
  );
  expect(codes).toEqual([0, 0, 0, 0]);
  const lines = readFileSync(usrlocOf(account), 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  const wanted = ['a', 'b', 'c', 'd'].flatMap((letter) =>
    Array.from({ length: 500 }, (_, at) => `${letter}:${at}:${'x'.repeat(at % 300)}`),
  );
  expect(lines.sort()).toEqual(wanted.sort());
});

test('a line is in the file that has the name, even when an editor renames it away at that moment', async () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const directory = join(account.home, '.sr');
  // The editor replaces nothing: what it overwrites is gone by contract. The kernel tells what was written to a file after it had got its new name.
  const late = new Set<string>();
  const watcher = watch(directory);
  onTestFinished(() => watcher.close());
  const seen = new Promise((resolve) =>
    watcher.on('change', (event, name) => {
      if (event === 'change' && String(name).startsWith('old')) late.add(String(name));
      if (name === 'end') resolve(undefined);
    }),
  );
  const editor = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('node:fs'); let renamed = 0; console.log('runs');
       while (renamed < 500) try {
         fs.renameSync('usrloc', 'old' + renamed); renamed += 1;
         if (renamed % 2 === 0) fs.writeFileSync('usrloc', '', { flag: 'wx', mode: 0o600 });
       } catch {}
       fs.writeFileSync('done', '');`,
    ],
    { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void editor.kill('SIGKILL'));
  await new Promise((resolve) => editor.stdout.once('data', resolve));
  const acknowledged = new Set<string>();
  for (let at = 0; !existsSync(join(directory, 'done')); at += 1) {
    const answer = append(account, `${at}\n`);
    if ('type' in answer) expect(answer.kind).toBe('busy');
    else acknowledged.add(String(at));
  }
  writeFileSync(join(directory, 'end'), '');
  await seen;
  const times = new Map<string, number>();
  const linesOf = (name: string) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
  for (const name of readdirSync(directory).filter((text) => /^(old|usrloc)/.test(text))) {
    for (const line of linesOf(name)) times.set(line, (times.get(line) ?? 0) + 1);
  }
  // A line that came too late is the last one of its file, and must have been written once more.
  const lost = [...late]
    .map((name) => linesOf(name).at(-1) ?? '')
    .filter((line) => acknowledged.has(line) && times.get(line) === 1);
  expect(late.size).toBeGreaterThan(0);
  expect(lost).toEqual([]);
});

describeNeeding(['root', 'mount'], 'a full disk', () => {
  test('leaves the file as it was, is temporary, and passes', () => {
    const account = temporaryAccount();
    const { home } = account;
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=755', 'tmpfs', home]);
    onTestFinished(() => void execFileSync('umount', ['-l', home]));
    chownSync(home, account.uid, account.gid);
    append(account, 'one\n');
    let text = 'one\n';
    // 7000 octets: a page of the line fits and the rest does not, so that the write is a short one.
    for (let at = 0; at < 100; at += 1) {
      const line = `${String(at).padEnd(7000, 'x')}\n`;
      const answer = append(account, line);
      if ('type' in answer) {
        expect(answer).toMatchObject({ kind: 'temporary', why: 'no space left on the device' });
        break;
      }
      text += line;
    }
    expect(text.length).toBeGreaterThan(7000);
    expect(text.length).toBeLessThan(64 * 1024);
    expect(readFileSync(usrlocOf(account), 'utf8')).toBe(text);
    const replaced = inDirectory(account, (directory) =>
      replaceFile(directory, 'usrloc', 'y'.repeat(30_000), { mode: 0o600, sync: true }),
    );
    expect(replaced).toMatchObject({ kind: 'temporary', why: 'no space left on the device' });
    expect(readFileSync(usrlocOf(account), 'utf8')).toBe(text);
    expect(execFileSync('ls', ['-A', join(home, '.sr')], { encoding: 'utf8' })).toBe('usrloc\n');
    writeFileSync(usrlocOf(account), 'one\n');
    expect(append(account, 'two\n')).toMatchObject({ version: expect.any(String) });
    expect(readFileSync(usrlocOf(account), 'utf8')).toBe('one\ntwo\n');
  });

  test('a read-only file system is temporary', () => {
    const account = temporaryAccount();
    append(account, 'one\n');
    execFileSync('mount', ['--bind', account.home, account.home]);
    onTestFinished(() => void execFileSync('umount', ['-l', account.home]));
    execFileSync('mount', ['-o', 'remount,bind,ro', account.home]);
    expect(append(account, 'two\n')).toMatchObject({ kind: 'temporary', why: 'read-only file system' });
  });
});
