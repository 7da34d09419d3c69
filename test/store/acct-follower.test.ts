// A file of calls that grows, and what logrotate(8) does to it.

import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formatCallRecord } from '../../src/home/acct.ts';
import { openHostAcct } from '../../src/store/acct-file.ts';
import { AcctFollower } from '../../src/store/acct-follower.ts';
import { call } from '../accounting/call.ts';
import { temporaryDirectory } from '../unix/temporary-home.ts';

const line = (id: string) => `${formatCallRecord(call('2026-11-01T00:00:00Z', { id }))}\n`;

function follow() {
  const path = join(temporaryDirectory(), 'acct');
  const got: string[] = [];
  const follower = new AcctFollower(() => openHostAcct(path), {
    call: ({ id }, number) => void got.push(`${number} ${id}`),
    fault: (fault) => void got.push(`${fault.line} ${fault.text}`),
  });
  onTestFinished(() => follower.close());
  /** What one more look brings. */
  const look = () => {
    follower.poll();
    return got.splice(0);
  };
  return { path, look, follower };
}

test('hands over what is appended, a line when its end is there', () => {
  const { path, look } = follow();
  expect(look()).toEqual([]);
  writeFileSync(path, line('one') + line('two').slice(0, 40));
  expect(look()).toEqual(['1 one']);
  expect(look()).toEqual([]);
  appendFileSync(path, `${line('two').slice(40)}no call\n${line('three')}`);
  expect(look()).toEqual(['2 two', '3 expected a call as a JSON object', '4 three']);
});

test('goes on in the new file of that name, after the rest of the old one', () => {
  const { path, look } = follow();
  writeFileSync(path, line('one'));
  expect(look()).toEqual(['1 one']);
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, line('two'));
  expect(look()).toEqual(['2 two']);
  appendFileSync(`${path}.1`, line('three'));
  writeFileSync(path, line('four'));
  expect(look()).toEqual(['3 three', '1 four']);
  rmSync(path);
  expect(look()).toEqual([]);
  writeFileSync(path, line('five'));
  expect(look()).toEqual(['1 five']);
});

test('begins again in a file that was cut', () => {
  const { path, look } = follow();
  writeFileSync(path, line('one') + line('two'));
  expect(look()).toEqual(['1 one', '2 two']);
  truncateSync(path);
  expect(look()).toEqual([]);
  appendFileSync(path, line('three'));
  expect(look()).toEqual(['1 three']);
});

test('says why a file cannot be opened', () => {
  const directory = temporaryDirectory();
  const follower = new AcctFollower(() => openHostAcct(directory), { call: () => {}, fault: () => {} });
  expect(follower.poll()).toMatchObject({ type: 'trouble', path: directory });
});
