// Contacts decided on when there was no file are not appended to one that somebody made meanwhile.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { createUnixStore } from '../../src/store/unix-store.ts';
import { temporaryAccount } from '../unix/temporary-home.ts';

test('an append to no file is refused when there is one by now', async () => {
  const account = { ...temporaryAccount(), name: 'jan' };
  const store = createUnixStore({
    verify: { calculateHa1: false, useDid: false, loadCredentials: [] },
    access: { minUid: 0, denyUsers: [], allowUsers: [], denyGroups: [], allowGroups: [] },
    strictModes: false,
    syncUsrloc: false,
    own: account,
    onFault: () => {},
  });
  onTestFinished(() => store.close());
  mkdirSync(`${account.home}/.sr`, { mode: 0o700, recursive: true });
  const path = `${account.home}/.sr/usrloc`;
  writeFileSync(path, '<sip:desk@192.0.2.1>\n', { mode: 0o600 });
  const lines = ['<sip:jan@192.0.2.9>'];
  const [answer] = await store.run('jan', [{ type: 'appendContacts', lines, after: '', isTorn: false }]);
  expect(answer?.type).toBe('changed');
  expect(readFileSync(path, 'latin1')).toBe('<sip:desk@192.0.2.1>\n');
});
