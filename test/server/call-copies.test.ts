// What waits of ended calls while files cannot be written: its bounds, and whom they are for.

import { expect, test } from 'vitest';
import { type CallCopies, createCallCopies } from '../../src/server/call-copies.ts';
import type { Log } from '../../src/server/log.ts';
import type { KeptFile } from '../../src/store/host.ts';
import type { Store } from '../../src/store/store.ts';

const most = 50;

/** Copies of a host on which no home is there, and what root's file got. */
function withoutHomes(): { copies: CallCopies; written: () => number; lost: () => number } {
  let written = '';
  let lost = 0;
  const append = async (text: string) => {
    written += text;
  };
  const truth = { append } as unknown as KeptFile;
  const store = { run: async () => [{ type: 'failed', why: 'the home is gone' }] } as unknown as Store;
  const log = ((_level: string, event: string, { records = 0 }: { records?: number }) => {
    if (event === 'acct-lost') lost += records;
  }) as unknown as Log;
  return {
    copies: createCallCopies(truth, () => store, log, most),
    written: () => written.split('\n').length - 1,
    lost: () => lost,
  };
}

function add(copies: CallCopies, user: string | undefined): void {
  copies.add({ user, line: '{}', mayLack: false, isRepeated: false, done: () => {} });
}

test("root's copy has its place however many of users' wait for homes that are gone", async () => {
  const { copies, written, lost } = withoutHomes();
  for (let count = 0; count < 2 * most; count++) add(copies, `user${count}`);
  for (let count = 0; count < 10; count++) add(copies, undefined);
  copies.flush(0);
  expect(written()).toBe(10);
  await copies.close();
  expect(lost()).toBe(most);
});
