// Where a contact may point.

import { expect, test } from 'vitest';
import { parseUri, type SipUri } from '../../src/message/uri.ts';
import { addressKind, refusalOfContact } from '../../src/registrar/contact-address.ts';

test.each([
  ['192.0.2.1', 'unicast'],
  ['127.0.0.53', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['169.254.1.1', 'link-local'],
  ['239.1.1.1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['[2001:db8::1]', 'unicast'],
  ['[::1]', 'loopback'],
  ['[0:0:0:0:0:0:0:1]', 'loopback'],
  ['[::]', 'unspecified'],
  ['[fe80::1]', 'link-local'],
  ['[ff02::1]', 'multicast'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['[::ffff:7f00:1]', 'loopback'],
  ['LOCALHOST', 'loopback'],
  ['a.localhost.', 'loopback'],
  ['phone.example.org', 'name'],
])('%s is %s', (host, kind) => {
  expect(addressKind(host)).toBe(kind);
});

const facts = {
  isOwnSocket: (host: string, port: number) => host === '192.0.2.1' && port === 5060,
  isBroadcast: (address: string) => address === '192.0.2.255',
};

test.each([
  ['sip:jan@192.0.2.1', '192.0.2.9', 'one of our own sockets'],
  ['sip:jan@192.0.2.1:5070', '192.0.2.9', undefined],
  ['sip:jan@192.0.2.9:0', '192.0.2.9', 'port 0'],
  ['sip:jan@192.0.2.255', '192.0.2.9', 'a broadcast address'],
  ['sip:jan@224.0.0.1', '192.0.2.9', 'multicast address'],
  ['sip:jan@127.0.0.1:5070', '127.0.0.1', undefined],
  ['sip:jan@127.0.0.1:5070', '192.0.2.9', 'loopback address, registered from 192.0.2.9'],
  ['sip:jan@[fe80::2]', '192.0.2.9', 'link-local address, registered from 192.0.2.9'],
])('contact %s from %s: %s', (uri, source, refusal) => {
  expect(refusalOfContact(parseUri(uri) as SipUri, source, facts)).toBe(refusal);
});
