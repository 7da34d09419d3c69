// The lock of ~/.sr: one holder, no link followed, and no waiting for ever.

import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Lock, lockWithin, tryLock, unlock } from '../../src/unix/lock.ts';
import type { Account } from '../../src/unix/nss.ts';
import { inDirectory, temporaryAccount, temporaryDirectory } from './temporary-home.ts';

const lockOf = (account: Account) => join(account.home, '.sr/.lock');

test('is had by one at a time, and again after it was given back', () => {
  inDirectory(temporaryAccount(), (directory) => {
    for (let round = 0; round < 3; round += 1) {
      const lock = tryLock(directory);
      expect(lock.type).toBe('lock');
      expect(tryLock(directory)).toMatchObject({ kind: 'busy', path: `${directory.path}/.lock` });
      unlock(lock as Lock);
    }
  });
});

test('its file is made 0600 and stays', () => {
  const account = temporaryAccount();
  inDirectory(account, (directory) => unlock(tryLock(directory) as Lock));
  expect(lstatSync(lockOf(account)).mode & 0o7777).toBe(0o600);
});

test('waits as long as it is told and no longer', () => {
  inDirectory(temporaryAccount(), (directory) => {
    const lock = tryLock(directory) as Lock;
    const start = performance.now();
    expect(lockWithin(directory, 60)).toMatchObject({ kind: 'busy' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(60);
    unlock(lock);
    expect(lockWithin(directory, 0).type).toBe('lock');
  });
});

test('is waited for while another program has it, and had when that ends', async () => {
  const account = temporaryAccount();
  inDirectory(account, (directory) => unlock(tryLock(directory) as Lock));
  const holder = spawn('flock', ['-x', lockOf(account), 'sh', '-c', 'echo held; exec sleep 0.2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  inDirectory(account, (directory) => {
    expect(tryLock(directory)).toMatchObject({ kind: 'busy' });
    const lock = lockWithin(directory, 10_000);
    expect(lock.type).toBe('lock');
    unlock(lock as Lock);
  });
});

test('a link, a FIFO or a directory in its place is refused, and nothing is made where a link leads', () => {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const outside = temporaryDirectory();
  const found = () => inDirectory(account, (directory) => tryLock(directory));
  symlinkSync(join(outside, 'made'), lockOf(account));
  expect(found()).toMatchObject({ kind: 'untrusted', why: 'is a symbolic link' });
  expect(readdirSync(outside)).toEqual([]);
  unlinkSync(lockOf(account));
  execFileSync('mkfifo', [lockOf(account)]);
  expect(found()).toMatchObject({ kind: 'untrusted', why: 'is a FIFO' });
  unlinkSync(lockOf(account));
  mkdirSync(lockOf(account));
  expect(found()).toMatchObject({ kind: 'untrusted' });
  rmSync(lockOf(account), { recursive: true });
  writeFileSync(lockOf(account), '', { mode: 0o600 });
  expect(found()).toMatchObject({ type: 'lock' });
});

test('troubles leave no descriptor open', () => {
  inDirectory(temporaryAccount(), (directory) => {
    const lock = tryLock(directory) as Lock;
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) tryLock(directory);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    unlock(lock);
  });
});
