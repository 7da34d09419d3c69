// What the token of our Record-Route says of media that is relayed.

import { describe, expect, test } from 'vitest';
import { hmacKey } from '../../src/digest/hash.ts';
import { type Head, readHead } from '../../src/message/head.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { type DialogRoute, signDialogRoute, verifyDialogRoute } from '../../src/proxy/dialog-route.ts';

const key = hmacKey(Buffer.alloc(32, 1));
const nowMs = 1_700_000_000_000;
const media = { key: '0123abcd', isCallerNatted: true, isCalleeNatted: false, isLateOffer: true };
const calleeFlow = {
  transport: 'tcp',
  localAddress: '127.0.0.1',
  localPort: 5060,
  remoteAddress: '127.0.0.2',
  remotePort: 40_000,
} as const;

type Said = Omit<DialogRoute, 'expiresAtMs'>;

function headOf(fromTag: string, toTag: string): Head {
  const message = parseMessage(
    'BYE sip:eva@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n' +
      `From: <sip:jan@a>;tag=${fromTag}\r\nTo: <sip:eva@a>;tag=${toTag}\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n`,
  );
  const head = message.type === 'request' ? readHead(message) : message;
  if (head.type !== 'head') throw new Error(JSON.stringify(head));
  return head;
}

function tokenOf(said: Said): string {
  return signDialogRoute(key, 'c', 'jan', { expiresAtMs: nowMs + 1000, ...said });
}

describe('the token of a dialog', () => {
  test.each<[string, Said]>([
    ['nothing else', {}],
    ['media alone', { media }],
    ['a flow alone', { calleeFlow }],
    ['a flow and media', { calleeFlow, media: { ...media, isCalleeNatted: true, isLateOffer: false } }],
  ])('brings back %s to either side', (_what, said) => {
    const token = tokenOf(said);
    const { media: relayed, calleeFlow: flow } = said;
    const toCallee = verifyDialogRoute(key, token, headOf('jan', 'eva'), nowMs);
    const toCaller = verifyDialogRoute(key, token, headOf('eva', 'jan'), nowMs);
    expect(toCallee).toEqual({ isFromCaller: true, flow, isWithGateway: false, media: relayed });
    expect(toCaller).toEqual({
      isFromCaller: false,
      flow: undefined,
      isWithGateway: false,
      media: relayed,
    });
  });

  test('is as it was for a call that is not relayed', () => {
    expect(tokenOf({})).toMatch(/^[0-9a-z]+\.[\w-]{22}$/);
    const [, , rest = ''] = tokenOf({ calleeFlow }).split('.');
    expect(Buffer.from(rest, 'base64url').toString()).toBe(' tcp,127.0.0.1,5060,127.0.0.2,40000');
  });

  test('is refused with media of another, of another dialog, and when it has expired', () => {
    const token = tokenOf({ media });
    const other = tokenOf({ media: { ...media, key: 'ffff' } });
    const mixed = token.slice(0, token.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'));
    expect(verifyDialogRoute(key, mixed, headOf('jan', 'eva'), nowMs)).toBeUndefined();
    expect(verifyDialogRoute(key, token, headOf('max', 'eva'), nowMs)).toBeUndefined();
    expect(verifyDialogRoute(key, token, headOf('jan', 'eva'), nowMs + 2000)).toBeUndefined();
  });
});
