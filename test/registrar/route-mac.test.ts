// What the MAC of a contact's route holds to (DESIGN §2).

import { expect, test } from 'vitest';
import { hmacKey } from '../../src/digest/hash.ts';
import type { Binding } from '../../src/home/usrloc.ts';
import { signRoute } from '../../src/registrar/route-mac.ts';

const key = hmacKey(Buffer.from('key'));
const binding: Binding = {
  uri: 'sip:jan@10.0.0.5',
  parameters: [],
  expiresAt: undefined,
  received: 'sip:203.0.113.9:1024;transport=tcp',
  path: ['<sip:p1.example.org;lr>'],
  socket: 'tcp:192.0.2.1:5060',
  source: '203.0.113.9:1024',
  extra: [],
  line: 1,
};

test('a line without sr-source has the MAC it always had', () => {
  expect(signRoute(key, 'jan', { ...binding, source: undefined })).toBe('r56JCCId9d18rapyeknlIz');
});

test.each([
  ['the user', 'eva', {}],
  ['the URI', 'jan', { uri: 'sip:jan@10.0.0.6' }],
  ['sr-received', 'jan', { received: 'sip:198.51.100.1:5060;transport=tcp' }],
  ['sr-path', 'jan', { path: ['<sip:p2.example.org;lr>'] }],
  ['sr-socket', 'jan', { socket: 'tcp:192.0.2.2:5060' }],
  ['sr-source', 'jan', { source: '203.0.113.9:1025' }],
  ['that there is an sr-source', 'jan', { source: undefined }],
])('it fits no other: %s', (_what, user, change) => {
  const mac = signRoute(key, 'jan', binding);
  expect(signRoute(key, user, { ...binding, ...change })).not.toBe(mac);
  expect(signRoute(key, 'jan', { ...binding, rttMs: 5, unreachableSince: 5 })).toBe(mac);
});
