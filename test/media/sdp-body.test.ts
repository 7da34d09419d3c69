import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSdp, replaceSdp } from '../../src/media/sdp-body.ts';
import type { Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';

const sdp =
  'v=0\r\no=jan 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n';
const relayed = sdp.replaceAll('10.0.0.9', '192.0.2.1');

function message(header: string, body: string): Message {
  const parsed = parseMessage(`INVITE sip:eva@example.org SIP/2.0\r\n${header}\r\n\r\n${body}`);
  if (parsed.type === 'malformed') throw new Error(parsed.why);
  return parsed;
}

/** What becomes of the body; undefined where no SDP is found. */
function relay(header: string, body: string): string | undefined {
  const found = findSdp(message(header, body));
  return found === undefined ? undefined : replaceSdp(found, relayed);
}

const part = (type: string, content: string) => `Content-Type: ${type}\r\n\r\n${content}`;
const multipart = (...parts: string[]) =>
  `preamble\r\n${parts.map((one) => `--cut\r\n${one}\r\n`).join('')}--cut--\r\nepilogue`;
const mixed = 'Content-Type: multipart/mixed;boundary=cut';
const isup = part('application/isup;version=itu-t92+', '\x01\x00\x49\x00\xff\r\n\r\n--cu\r\n');

describe('SDP that is the whole body', () => {
  test.each([
    'Content-Type: application/sdp',
    'c: Application/SDP',
    'Content-Type: application/sdp;charset=utf-8',
    'Content-Type: application / sdp',
    'Content-Type: application/sdp\r\nContent-Encoding: identity',
  ])('%j', (header) => {
    expect(relay(header, sdp)).toBe(relayed);
  });

  test.each([
    ['without Content-Type', 'Subject: x', sdp],
    ['without body', 'Content-Type: application/sdp', ''],
    ['of another type', 'Content-Type: application/sdpx', sdp],
    ['with parameters that cannot be read', 'Content-Type: application/sdp;=', sdp],
    ['of two types', 'Content-Type: application/sdp\r\nContent-Type: text/plain', sdp],
    ['compressed', 'Content-Type: application/sdp\r\nContent-Encoding: gzip', sdp],
  ])('not a body %s', (_, header, body) => {
    expect(relay(header, body)).toBeUndefined();
  });
});

describe('SDP that is a part of multipart/mixed (RFC 5621 §3.1)', () => {
  test.each([
    [
      'first',
      multipart(part('application/sdp', sdp), isup),
      multipart(part('application/sdp', relayed), isup),
    ],
    [
      'last',
      multipart(isup, part('application/sdp', sdp)),
      multipart(isup, part('application/sdp', relayed)),
    ],
    [
      'with more header fields',
      multipart(`Content-Disposition: session\r\n${part('application/sdp', sdp)}`),
      multipart(`Content-Disposition: session\r\n${part('application/sdp', relayed)}`),
    ],
    [
      'in a body that begins with the delimiter and ends with the last',
      `--cut \t\r\n${part('application/sdp', sdp)}\r\n--cut--`,
      `--cut \t\r\n${part('application/sdp', relayed)}\r\n--cut--`,
    ],
    [
      'among lines like delimiters',
      multipart(part('text/plain', '--cute\r\n --cut\r\n--cut-\r\n'), part('application/sdp', sdp)),
      multipart(part('text/plain', '--cute\r\n --cut\r\n--cut-\r\n'), part('application/sdp', relayed)),
    ],
    [
      'behind a part without header fields',
      multipart('\r\ntext', part('application/sdp', sdp)),
      multipart('\r\ntext', part('application/sdp', relayed)),
    ],
  ])('%s, and every other octet stays', (_, body, expected) => {
    expect(relay(mixed, body)).toBe(expected);
  });

  test('a boundary may be quoted (RFC 2046 §5.1.1)', () => {
    const body = multipart(part('application/sdp', sdp)).replaceAll('--cut', '--a:b c');
    expect(relay('Content-Type: multipart/mixed; boundary="a:b c"', body)).toContain(relayed);
  });

  test.each([
    ['two parts of SDP', mixed, multipart(part('application/sdp', sdp), part('application/sdp', sdp))],
    ['none', mixed, multipart(isup)],
    [
      'a part in base64',
      mixed,
      multipart(`Content-Transfer-Encoding: base64\r\n${part('application/sdp', sdp)}`),
    ],
    ['no last delimiter', mixed, multipart(part('application/sdp', sdp)).replace('--cut--', '--cut-')],
    ['no boundary', 'Content-Type: multipart/mixed', multipart(part('application/sdp', sdp))],
    [
      'another boundary',
      'Content-Type: multipart/mixed;boundary=cu',
      multipart(part('application/sdp', sdp)),
    ],
    [
      'alternatives',
      'Content-Type: multipart/alternative;boundary=cut',
      multipart(part('application/sdp', sdp)),
    ],
    ['a header without end', mixed, multipart('Content-Type: application/sdp')],
    ['an empty part', mixed, multipart(part('application/sdp', ''))],
    ['more than 32 parts', mixed, multipart(...new Array(32).fill('\r\n'), part('application/sdp', sdp))],
  ])('not in a body with %s', (_, header, body) => {
    expect(relay(header, body)).toBeUndefined();
  });
});

test('putting back what was found is the identity, and no body throws', () => {
  const piece = fc.constantFrom(
    '--cut',
    '--',
    '\r\n',
    ' ',
    part('application/sdp', sdp),
    'Content-Type: ',
    '\xff',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const whole = message(mixed, pieces.join(''));
      const found = findSdp(whole);
      if (found !== undefined) expect(replaceSdp(found, found.sdp)).toBe(whole.body);
    }),
    { numRuns: 1000 },
  );
});

test('the worst bodies take no time', () => {
  const longest = 60_000;
  const beganMs = performance.now();
  for (const text of [
    '\r\n--cut',
    '\r\n--cut\r\n',
    '\r\n--cut ',
    '\r\n--cut\r\nContent-Type: application/sdp\r\n',
  ])
    findSdp(message(mixed, text.repeat(longest / text.length)));
  findSdp(message(`Content-Type: a${' '.repeat(longest)}b`, sdp));
  expect(performance.now() - beganMs).toBeLessThan(500);
});
