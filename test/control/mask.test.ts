// What no trace shows: what proves a password, keys of media, passwords in URIs; and what it must leave as it is.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskCredentials } from '../../src/control/mask.ts';

test.each([
  [
    'Authorization: Digest username="jan", realm="r", nonce="abc", uri="sip:r", response="0123", cnonce="x", nc=00000001',
    'Authorization: Digest username="jan", realm="r", nonce="***", uri="sip:r", response="****", cnonce="*", nc=00000001',
  ],
  ['proxy-authorization :digest response = "0123"', 'proxy-authorization :digest response = "****"'],
  [
    'Authorization: Digest\r\n username="jan",\r\n\tresponse="0123"',
    'Authorization: Digest\r\n username="jan",\r\n\tresponse="****"',
  ],
  ['Authorization: Digest response=0123,nonce=abc', 'Authorization: Digest response=****,nonce=***'],
  ['Authorization: Digest nonce="a\\"b, response=c"', 'Authorization: Digest nonce="**"** **********"'],
  ['Authorization: Basic amFuOnNlY3JldA==', 'Authorization: Basic ****************'],
  ['Authorization: Bearer\r\n abc.def', 'Authorization: Bearer\r\n *******'],
  [
    'WWW-Authenticate: Digest realm="r", nonce="abc", qop="auth"',
    'WWW-Authenticate: Digest realm="r", nonce="***", qop="auth"',
  ],
  [
    'Authentication-Info: rspauth="0123", nextnonce="abc"',
    'Authentication-Info: rspauth="****", nextnonce="***"',
  ],
  // A name in a text is none, and what cannot be read is hidden.
  [
    'Authorization: Digest username="a=nonce=", response="0123"',
    'Authorization: Digest username="a=nonce=", response="****"',
  ],
  [
    'Authorization: Digest username="jan, response="0123"',
    'Authorization: Digest *********"**** *********"****"',
  ],
  ['Authorization: Digest "response"="0123"', 'Authorization: Digest "********"*"****"'],
  ['Authorization: Digest response*="0123"', 'Authorization: Digest response*="****"'],
  ['Authorization: Digest realm="r", password="x y"', 'Authorization: Digest realm="r", password="* *"'],
  // No SIP message, but traced.
  [
    'Authorization: Digest realm="r",\r response="0123"',
    'Authorization: Digest realm="r",\r response="****"',
  ],
  ['X: a\rAuthorization: Digest response="0123"', 'X: a\rAuthorization: Digest response="****"'],
  ['v=0\ra=ice-pwd:secret', 'v=0\ra=ice-pwd:******'],
  ['Contact: <sip:jan:pa,s;s?@192.0.2.1:5060>', 'Contact: <sip:jan:*******@192.0.2.1:5060>'],
  ['Contact: <sip:jan:secret@192.0.2.1:5060>', 'Contact: <sip:jan:******@192.0.2.1:5060>'],
  [
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0',
    'a=crypto:* *********************** ***************',
  ],
  ['a=ice-pwd:secret', 'a=ice-pwd:******'],
])('%s', (field, masked) => {
  const message = (line: string) =>
    `REGISTER sip:r SIP/2.0\r\nTo: <sip:jan@r>\r\n${line}\r\nCSeq: 1 REGISTER\r\n\r\n`;
  expect(maskCredentials(message(field))).toBe(message(masked));
});

test('what proves nothing stays as it is', () => {
  const message =
    'INVITE sip:eva@192.0.2.1:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKnonce\r\nFrom: <sip:jan@r>;tag=response\r\nSubject: nonce="abc"\r\n\r\nm=audio 4000 RTP/AVP 0\r\n';
  expect(maskCredentials(message)).toBe(message);
});

test('the length stays, whatever is masked', () => {
  const part = fc.constantFrom(
    ...[
      'Authorization: ',
      'Digest ',
      'response=',
      '"',
      '\\',
      ',',
      'nonce',
      '\r\n',
      ' ',
      'sip:',
      'a',
      ':',
      '@',
    ],
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(maskCredentials(parts.join(''))).toHaveLength(parts.join('').length);
    }),
  );
});

test.each(['sip:a:', 'nonce="', 'Authorization:', '\nAuthorization: Digest \n ', 'nonce = '])(
  'a message full of %j takes no time',
  (part) => {
    const message = part.repeat(Math.floor(65_536 / part.length));
    const before = performance.now();
    maskCredentials(message);
    expect(performance.now() - before).toBeLessThan(500);
  },
);
