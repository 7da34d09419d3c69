// RFC 3261 §16.4 and the examples of §16.12.1: what is taken off, what is swapped, and that all else stays octet for octet.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMessage } from '../../src/message/format.ts';
import type { Request } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import type { SipUri } from '../../src/message/uri.ts';
import { addressStrictRouter, createForwardedRequest } from '../../src/proxy/forwarding.ts';
import { preprocessRoute, withoutTopRoute } from '../../src/proxy/routing.ts';

function request(requestUri: string, ...fields: string[]): Request {
  const parsed = parseMessage(
    `BYE ${requestUri} SIP/2.0\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`,
  );
  if (parsed.type !== 'request') throw new Error(JSON.stringify(parsed));
  return parsed;
}

const isP3 = ({ host, user }: SipUri) => user === undefined && host === 'p3.middle.com';
const octetsOf = (routed: Request) => formatMessage(routed);

/** The lines as the wire has them, without the Content-Length that they get there. */
function linesOf(routed: Request): string[] {
  return octetsOf(routed).split('\r\n').slice(0, -3);
}

describe('§16.12.1.1, a strict router in the middle', () => {
  test('P3 addresses it: its URI becomes the Request-URI, which goes behind Route', () => {
    const forwarded = addressStrictRouter(
      request('sip:callee@u2.domain.com', 'Via: SIP/2.0/UDP a', 'Route: <sip:p2.example.com>', 'X: 1'),
    );
    expect(linesOf(forwarded)).toEqual([
      'BYE sip:p2.example.com SIP/2.0',
      'Via: SIP/2.0/UDP a',
      'Route: <sip:callee@u2.domain.com>',
      'X: 1',
    ]);
  });

  test('P3 gets it from one: the last Route is the Request-URI that was meant', () => {
    const routed = preprocessRoute(
      request(
        'sip:p3.middle.com;lr;sr=t',
        'Route: <sip:p4.example.com;lr>, <sip:callee@u2.domain.com>',
        'X: 1',
      ),
      isP3,
    );
    expect(linesOf(routed.request)).toEqual([
      'BYE sip:callee@u2.domain.com SIP/2.0',
      'Route: <sip:p4.example.com;lr>',
      'X: 1',
    ]);
    expect(routed).toMatchObject({ tokens: ['t'], nextRoute: { host: 'p4.example.com' } });
  });

  test('the only Route is taken off with its field', () => {
    const routed = preprocessRoute(
      request('sip:p3.middle.com;lr;sr=t', 'A: 1', 'Route: <sip:callee@u2.domain.com>', 'B: 2'),
      isP3,
    );
    expect(linesOf(routed.request)).toEqual(['BYE sip:callee@u2.domain.com SIP/2.0', 'A: 1', 'B: 2']);
    expect(routed.nextRoute).toBeUndefined();
  });

  test('a Request-URI of ours without a token was no strict router’s doing', () => {
    const routed = preprocessRoute(request('sip:p3.middle.com', 'Route: <sip:other.example;lr>'), isP3);
    expect(routed.request.requestUri).toBe('sip:p3.middle.com');
    expect(routed.tokens).toEqual([]);
  });

  test('a token on a Request-URI that is not ours is none', () => {
    const routed = preprocessRoute(request('sip:evil.example;sr=t', 'Route: <sip:other.example;lr>'), isP3);
    expect(routed.tokens).toEqual([]);
  });
});

describe('§16.12.1.2, loose routers all the way', () => {
  test.each<[string, string[], string[]]>([
    ['of one value', ['Route: <sip:p3.middle.com;lr>', 'X: 1'], ['X: 1']],
    [
      'the first of a list, the rest as written',
      ['Route: <sip:p3.middle.com;lr>,  "P, 4" <sip:p4.example.com;lr>;a="x,y" ,<sip:p5.example.com;lr>'],
      ['Route: "P, 4" <sip:p4.example.com;lr>;a="x,y" ,<sip:p5.example.com;lr>'],
    ],
    [
      'of many fields, in their order among the others',
      ['A: 1', 'Route: <sip:p3.middle.com;lr>', 'B: 2', 'ROUTE: <sip:p4.example.com;lr>', 'C: 3'],
      ['A: 1', 'B: 2', 'ROUTE: <sip:p4.example.com;lr>', 'C: 3'],
    ],
    [
      'two of ours, of a call between two sockets (RFC 5658)',
      [
        'Route: <sip:p3.middle.com;lr;sr=a>, <sip:p3.middle.com;transport=tcp;lr;sr=b>',
        'Route: <sip:p4.example.com;lr>',
      ],
      ['Route: <sip:p4.example.com;lr>'],
    ],
  ])('takes off what is ours: %s', (_, fields, left) => {
    const routed = preprocessRoute(request('sip:callee@u2.domain.com', ...fields), isP3);
    expect(linesOf(routed.request)).toEqual(['BYE sip:callee@u2.domain.com SIP/2.0', ...left]);
  });

  test('leaves what is not ours on top, though ours is behind it', () => {
    const before = request(
      'sip:u2.domain.com',
      'Route: <sip:p4.example.com;lr>, <sip:p3.middle.com;lr;sr=t>',
    );
    const routed = preprocessRoute(before, isP3);
    expect(routed).toMatchObject({ tokens: [], nextRoute: { host: 'p4.example.com' } });
    expect(octetsOf(routed.request)).toBe(octetsOf(before));
  });

  test('takes off no more than four', () => {
    const routes = Array.from({ length: 50 }, (_, at) => `<sip:p3.middle.com;lr;sr=${at}>`).join(', ');
    const routed = preprocessRoute(request('sip:u2.domain.com', `Route: ${routes}`), isP3);
    expect(routed.tokens).toEqual(['0', '1', '2', '3']);
    expect(routed.nextRoute).toMatchObject({ host: 'p3.middle.com' });
  });

  test('says that a Route cannot be read', () => {
    expect(preprocessRoute(request('sip:u2.domain.com', 'Route: "'), isP3).isUnreadable).toBe(true);
    expect(preprocessRoute(request('sip:u2.domain.com', 'Route: <tel:+49>'), isP3).isUnreadable).toBe(true);
  });

  test('leaves the request that it was given as it is', () => {
    const before = request('sip:u2.domain.com', 'Route: <sip:p3.middle.com;lr>');
    const octets = octetsOf(before);
    preprocessRoute(before, isP3);
    withoutTopRoute(before);
    expect(octetsOf(before)).toBe(octets);
  });
});

test('no Route makes it throw, and what is left of it was there before', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '"',
    '\\',
    ',',
    ';lr',
    'sip:',
    'p3.middle.com',
    ';sr=x',
    '@',
    ' ',
    '\r\n ',
    'x',
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 4 }),
      fc.boolean(),
      (values, isStrict) => {
        const before: Request = {
          ...request(isStrict ? 'sip:p3.middle.com;sr=x' : 'sip:a@b'),
          fields: values.map((pieces) => ({ id: 'route', name: 'Route', value: pieces.join('') })),
        };
        const { request: after } = preprocessRoute(before, isP3);
        const lengthOf = ({ fields }: Request) => fields.reduce((sum, { value }) => sum + value.length, 0);
        expect(lengthOf(after)).toBeLessThanOrEqual(lengthOf(before));
        addressStrictRouter(after);
      },
    ),
    { numRuns: 2000 },
  );
});

describe('the copy (§16.6)', () => {
  const plan = {
    requestUri: 'sip:jan@192.0.2.9:5060',
    maxForwards: 69,
    maxBreadth: undefined,
    recordRoutes: ['<sip:out;lr>', '<sip:in;lr>'],
    routes: [],
    via: 'SIP/2.0/UDP us;branch=z9hG4bKx',
    realm: 'sip.test',
    assertedIdentity: undefined,
    added: [],
  };
  const before = request(
    'sip:jan@sip.test',
    'v: SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP b',
    'X-Unknown : folded\r\n  twice',
    'Max-Forwards: 70',
    'Via: SIP/2.0/UDP c',
    'subject: a  b',
    'Proxy-Authorization: Digest realm="sip.test"',
    'Record-Route: <sip:before;lr>',
    'Proxy-Authorization: Digest realm="other"',
    'P-Asserted-Identity: <sip:a@b>',
    'P-Preferred-Identity: <sip:wish@b>',
    'Remote-Party-ID: <sip:claim@b>;party=calling',
  );

  test('puts in what a proxy has to, where it has to, and leaves all else as it came', () => {
    expect(linesOf(createForwardedRequest(before, plan))).toEqual([
      'BYE sip:jan@192.0.2.9:5060 SIP/2.0',
      'Via: SIP/2.0/UDP us;branch=z9hG4bKx',
      'v: SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP b',
      'X-Unknown : folded',
      '  twice',
      'Max-Forwards: 69',
      'Via: SIP/2.0/UDP c',
      'subject: a  b',
      'Record-Route: <sip:out;lr>',
      'Record-Route: <sip:in;lr>',
      'Record-Route: <sip:before;lr>',
      'Proxy-Authorization: Digest realm="other"',
    ]);
  });

  test('puts in what was not there behind the Via fields', () => {
    const short = request('sip:jan@sip.test', 'Via: SIP/2.0/UDP a', 'To: x');
    const made = {
      ...plan,
      maxBreadth: 3,
      routes: ['<sip:path;lr>'],
      assertedIdentity: { value: '<sip:i@j>' },
    };
    expect(linesOf(createForwardedRequest(short, made))).toEqual([
      'BYE sip:jan@192.0.2.9:5060 SIP/2.0',
      'Via: SIP/2.0/UDP us;branch=z9hG4bKx',
      'Via: SIP/2.0/UDP a',
      'Record-Route: <sip:out;lr>',
      'Record-Route: <sip:in;lr>',
      'Route: <sip:path;lr>',
      'Max-Forwards: 69',
      'Max-Breadth: 3',
      'P-Asserted-Identity: <sip:i@j>',
      'To: x',
    ]);
  });

  test('keeps an asserted identity between trusted peers only', () => {
    const kept = createForwardedRequest(before, { ...plan, assertedIdentity: 'keep' });
    expect(linesOf(kept)).toEqual(
      expect.arrayContaining([
        'P-Asserted-Identity: <sip:a@b>',
        'P-Preferred-Identity: <sip:wish@b>',
        'Remote-Party-ID: <sip:claim@b>;party=calling',
      ]),
    );
  });
});
