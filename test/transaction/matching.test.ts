import { describe, expect, test } from 'vitest';
import type { Head } from '../../src/message/head.ts';
import { cancelledKey, clientKey, serverKey, untaggedAckKey } from '../../src/transaction/matching.ts';
import { newBranch, newTag } from '../../src/transaction/random-token.ts';
import { type RequestParts, request, respondTo, testFlow } from './station.ts';

const flow = testFlow(false);

function key(parts: RequestParts, from = flow): string {
  const { message, head } = request(parts);
  return serverKey(message, head, from);
}

describe('server transactions (§17.2.3)', () => {
  test('match by branch, sent-by and method', () => {
    const one = key({});
    expect(key({ callId: 'other', fromTag: 'other', uri: 'sip:other' })).toBe(one);
    expect(key({ branch: 'z9hG4bKtwo' })).not.toBe(one);
    expect(key({ sentBy: '192.0.2.1:5071' })).not.toBe(one);
    expect(key({ sentBy: '192.0.2.2:5070' })).not.toBe(one);
    expect(key({ method: 'REGISTER' })).not.toBe(one);
  });

  test('do not take the next request of a client whose branch never changes for a retransmission', () => {
    expect(key({ cseq: 2 })).not.toBe(key({ cseq: 1 }));
  });

  test('an ACK matches its INVITE, a CANCEL finds it and is one of its own', () => {
    const invite = key({ method: 'INVITE' });
    const cancel = request({ method: 'CANCEL' });
    expect(key({ method: 'ACK', toTag: 'ours' })).toBe(invite);
    expect(key({ method: 'CANCEL' })).not.toBe(invite);
    expect(cancelledKey(cancel.message, cancel.head, flow)).toBe(invite);
  });

  describe.each([
    ['no branch', undefined],
    ['a branch without the cookie', '1'],
    ['the bare cookie', 'z9hG4bK'],
  ])('of RFC 2543: %s', (_, branch) => {
    test('match by Request-URI, tags, Call-ID, CSeq and topmost Via', () => {
      const one = key({ branch });
      expect(key({ branch })).toBe(one);
      for (const other of [
        { uri: 'sip:c@example.org' },
        { toTag: 'x' },
        { fromTag: 'f2' },
        { fromTag: '' },
        { callId: 'c2' },
        { cseq: 2 },
        { method: 'REGISTER' },
        { sentBy: '192.0.2.1:5071' },
        { sentBy: '192.0.2.1:5070;x=1' },
      ]) {
        expect(key({ branch, ...other })).not.toBe(one);
      }
    });

    test('never merge those of different clients that call themselves the same', () => {
      const other = { ...flow, remoteAddress: '192.0.2.77' };
      expect(key({ branch }, other)).not.toBe(key({ branch }));
    });

    test('an ACK is found with the tag we gave, a CANCEL without', () => {
      const invite = key({ branch, method: 'INVITE' });
      const ack = request({ branch, method: 'ACK', toTag: 'ours' });
      const cancel = request({ branch, method: 'CANCEL' });
      expect(untaggedAckKey(ack.message, ack.head, flow)).toBe(invite);
      expect(cancelledKey(cancel.message, cancel.head, flow)).toBe(invite);
      expect(untaggedAckKey(cancel.message, cancel.head, flow)).toBeUndefined();
    });
  });
});

describe('client transactions (§17.1.3)', () => {
  test('match by branch and the method of CSeq', () => {
    const keyOf = ({ via, cseq }: Head) => clientKey(via.branch ?? '', cseq.method);
    const invite = request({ method: 'INVITE' });
    expect(keyOf(respondTo(invite.message, 180).head)).toBe(keyOf(invite.head));
    expect(keyOf(request({ method: 'CANCEL' }).head)).not.toBe(keyOf(invite.head));
    const other = request({ method: 'INVITE', branch: 'z9hG4bKtwo' });
    expect(keyOf(other.head)).not.toBe(keyOf(invite.head));
  });
});

describe('tags and branches (§8.1.1.7, §19.3)', () => {
  test('are long, different and made of token characters', () => {
    const tags = new Set(Array.from({ length: 2000 }, newTag));
    expect(tags.size).toBe(2000);
    for (const tag of tags) expect(tag).toMatch(/^[0-9a-f]{20}$/);
    expect(newBranch()).toMatch(/^z9hG4bK[0-9a-f]{20}$/);
  });
});
