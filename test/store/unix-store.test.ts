// The store over UNIX accounts, for the account that runs the tests: what a turn's requests share, and what they do not.

import { expect, onTestFinished, test } from 'vitest';
import type { DigestFields } from '../../src/store/store.ts';
import { createUnixStore } from '../../src/store/unix-store.ts';
import { temporaryAccount } from '../unix/temporary-home.ts';

const failureMs = 0.6;

const wrong: DigestFields = {
  algorithm: 'MD5',
  username: 'jan',
  realm: 'sip.test',
  nonce: 'n',
  uri: 'sip:sip.test',
  response: '0'.repeat(32),
  qop: 'auth',
  nc: '00000001',
  cnonce: 'c',
  method: 'REGISTER',
  did: '_default',
};

function openStore() {
  const store = createUnixStore({
    verify: { calculateHa1: false, useDid: false, loadCredentials: [] },
    access: { minUid: 0, denyUsers: [], allowUsers: [], denyGroups: [], allowGroups: [] },
    strictModes: false,
    syncUsrloc: false,
    own: { ...temporaryAccount(), name: 'jan' },
    onFault: () => {},
  });
  onTestFinished(() => store.close());
  return store;
}

test.each(['jan', 'nobody-of-that-name'])('each failure of a turn takes the same work: %s', async (user) => {
  const store = openStore();
  await store.run(user, [{ type: 'verify', credentials: wrong }]);
  const count = 50;
  const beganMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: count }, () => store.run(user, [{ type: 'verify', credentials: wrong }])),
  );
  const tookMs = performance.now() - beganMs;
  expect(answers.map(([answer]) => answer?.type)).toEqual(Array(count).fill('no'));
  expect(tookMs).toBeGreaterThan(count * failureMs * 0.99);
});

test('requests of a turn are answered each for its own user, in their order', async () => {
  const store = openStore();
  const users = ['jan', 'eva', 'jan', 'eva'];
  const done: number[] = [];
  const answers = await Promise.all(
    users.map(async (user, index) => {
      const [answer] = await store.run(user, [{ type: 'account', peerAddress: '127.0.0.1' }]);
      done.push(index);
      return answer?.type;
    }),
  );
  expect(answers).toEqual(['admitted', 'refused', 'admitted', 'refused']);
  expect(done.filter((index) => index % 2 === 0)).toEqual([0, 2]);
});
