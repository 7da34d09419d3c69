// The token of our Record-Route (RFC 3261 §16.6 step 4): what was signed is read again, of its own dialog, until it expires.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hmacKey } from '../../src/digest/hash.ts';
import type { Head } from '../../src/message/head.ts';
import { signDialogRoute, verifyDialogRoute } from '../../src/proxy/dialog-route.ts';
import type { FlowEnds } from '../../src/transport/connections.ts';

const key = hmacKey(Buffer.alloc(32, 7));
const now = 1_800_000_000_000;

/** The head of a request of a dialog, as far as it counts. */
function head(callId: string, fromTag: string | undefined, toTag: string | undefined): Head {
  const address = { displayName: undefined, uri: 'sip:a@b', parameters: [] };
  return {
    type: 'head',
    via: { transport: 'UDP', host: 'h', port: undefined, parameters: [] } as never,
    from: { ...address, tag: fromTag },
    to: { ...address, tag: toTag },
    callId,
    cseq: { number: 1, method: 'BYE' },
    maxForwards: 70,
    contentLength: 0,
  };
}

const flow = fc.record<FlowEnds>({
  transport: fc.constantFrom('udp', 'tcp'),
  localAddress: fc.constantFrom('192.0.2.1', '2001:db8::1'),
  localPort: fc.integer({ min: 1, max: 65535 }),
  remoteAddress: fc.constantFrom('198.51.100.7', '2001:db8::7', 'fe80::1%eth0'),
  remotePort: fc.integer({ min: 1, max: 65535 }),
});
const word = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,20}$/);
const dialogs = fc.record({
  callId: word,
  caller: word,
  callee: word,
  route: fc.record({
    expiresAtMs: fc.integer({ min: now, max: now + 10 ** 9 }),
    callerFlow: fc.option(flow, { nil: undefined }),
    calleeFlow: fc.option(flow, { nil: undefined }),
    isWithGateway: fc.boolean(),
  }),
});

test('what was signed is read again, by the caller with the callee’s flow, by the callee with the caller’s', () => {
  fc.assert(
    fc.property(dialogs, ({ callId, caller, callee, route }) => {
      fc.pre(caller !== callee);
      const token = signDialogRoute(key, callId, caller, route);
      expect(token).toMatch(/^[\w.-]+$/);
      const { isWithGateway } = route;
      expect(verifyDialogRoute(key, token, head(callId, caller, callee), now)).toEqual({
        isFromCaller: true,
        flow: route.calleeFlow,
        isWithGateway,
      });
      expect(verifyDialogRoute(key, token, head(callId, callee, caller), now)).toEqual({
        isFromCaller: false,
        flow: route.callerFlow,
        isWithGateway,
      });
    }),
  );
});

test('of any other dialog, key or octet it is none', () => {
  fc.assert(
    fc.property(dialogs, fc.nat(), word, ({ callId, caller, callee, route }, at, other) => {
      // One tag for both would make either side the caller.
      fc.pre(caller !== callee && ![caller, callee, callId].includes(other));
      const token = signDialogRoute(key, callId, caller, route);
      const position = at % token.length;
      const flipped = token[position] === 'q' ? 'r' : 'q';
      const spoiled = token.slice(0, position) + flipped + token.slice(position + 1);
      const right = head(callId, caller, callee);
      expect(verifyDialogRoute(key, spoiled, right, now)).toBeUndefined();
      expect(verifyDialogRoute(key, token, head(other, caller, callee), now)).toBeUndefined();
      expect(verifyDialogRoute(key, token, head(callId, other, callee), now)).toBeUndefined();
      expect(verifyDialogRoute(key, token, head(callId, undefined, undefined), now)).toBeUndefined();
      expect(verifyDialogRoute(hmacKey(Buffer.alloc(32, 8)), token, right, now)).toBeUndefined();
      expect(verifyDialogRoute(key, token, right, route.expiresAtMs + 1001)).toBeUndefined();
    }),
  );
});

describe('what is no token', () => {
  test('makes it not throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (token) => {
        expect(verifyDialogRoute(key, token, head('c', 'a', 'b'), now)).toBeUndefined();
      }),
    );
  });

  test.each(['', '.', '..', 'zzzzzz.', '-1.x', 'NaN.x', 'zzzzzzzzzzzzzzzzzzzz.x'])('%j', (token) => {
    expect(verifyDialogRoute(key, token, head('c', 'a', 'b'), now)).toBeUndefined();
  });
});
