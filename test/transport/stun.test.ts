import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerStun, isStun } from '../../src/transport/stun.ts';

/** A request with these attributes; the transaction id is that of RFC 5769 §2. */
function binding(attributes = ''): Buffer {
  const length = (attributes.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`0001${length}2112a442b7e7a701bc34d686fa87dfae${attributes}`, 'hex');
}

describe('STUN (RFC 5389)', () => {
  test('maps an IPv4 address as RFC 5769 §2.2 does', () => {
    const answer = answerStun(binding(), '192.0.2.1', 32853);
    expect(answer?.toString('hex')).toBe('0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643');
  });

  test('maps an IPv6 address as RFC 5769 §2.3 does', () => {
    const answer = answerStun(binding(), '2001:db8:1234:5678:11:2233:4455:6677', 32853);
    expect(answer?.toString('hex')).toBe(
      '010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
    );
  });

  test.each([
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('maps %s', (address, bytes) => {
    const request = binding();
    const answer = answerStun(request, address, 5060) as Buffer;
    const unmasked = answer.subarray(28).map((byte, index) => byte ^ request.readUInt8(4 + index));
    expect(Buffer.from(unmasked).toString('hex')).toBe(bytes);
  });

  test('refuses attributes it would have to understand with 420 (§7.3.1)', () => {
    // CHANGE-REQUEST (RFC 5780), SOFTWARE, and ICE's PRIORITY.
    const answer = answerStun(binding('000300040000000080220003616263000024000400000001'), '192.0.2.1', 1);
    expect(answer?.toString('hex')).toBe(
      '011100102112a442b7e7a701bc34d686fa87dfae00090004000004140' + '00a000400030024',
    );
  });

  test('does not answer responses, indications and broken requests', () => {
    for (const type of ['0101', '0111', '0011', '0002']) {
      expect(
        answerStun(Buffer.from(`${type}00002112a442b7e7a701bc34d686fa87dfae`, 'hex'), '::1', 1),
      ).toBeUndefined();
    }
    expect(answerStun(binding('80220005616263'), '::1', 1)).toBeUndefined();
    expect(answerStun(binding('8022'), '::1', 1)).toBeUndefined();
  });

  test('is told from SIP by cookie and length', () => {
    expect(isStun(binding())).toBe(true);
    expect(isStun(binding().subarray(0, 19))).toBe(false);
    expect(isStun(Buffer.concat([binding(), Buffer.from('x')]))).toBe(false);
    expect(isStun(Buffer.from('REGISTER sip:example.org SIP/2.0\r\n\r\n'))).toBe(false);
  });

  test('no attributes throw, and no answer is more than twice its request', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const request = binding(Buffer.from(bytes).toString('hex'));
        const answer = answerStun(request, '2001:db8::1', 5060);
        expect(answer === undefined || answer.length <= request.length + 24).toBe(true);
      }),
    );
  });
});
