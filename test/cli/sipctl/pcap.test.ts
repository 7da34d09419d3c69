// A capture file as tshark(1) reads it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pcapHeader, pcapRecord } from '../../../src/cli/sipctl/pcap.ts';
import { describeNeeding } from '../../host/required.ts';
import { runOrThrow } from '../../host/run.ts';

const directory = mkdtempSync(join(tmpdir(), 'sr-pcap-'));
afterAll(() => rmSync(directory, { recursive: true }));
const message = 'OPTIONS sip:jan@sip.test SIP/2.0\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n';

/** RFC 1071, over 16-bit words: 0xffff for what bears its own checksum. */
function sumOf(octets: Buffer): number {
  const padded = octets.length % 2 === 0 ? octets : Buffer.concat([octets, Buffer.alloc(1)]);
  let sum = 0;
  for (let at = 0; at < padded.length; at += 2) sum += padded.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

test('the file begins as pcap with LINKTYPE_RAW', () => {
  expect(pcapHeader().toString('hex')).toBe(
    `d4c3b2a1${'02000400'}${'00'.repeat(8)}${'00000400'}${'65000000'}`,
  );
});

describe.each([
  ['IPv4', '192.0.2.1:5060', '127.0.0.1:1024', 20, 4],
  ['IPv6', '[2001:db8::1]:5060', '[::1]:1024', 40, 16],
])('a message over %s', (_, source, destination, headerBytes, addressBytes) => {
  for (const text of [message, `${message}x`])
    test(`has headers whose lengths and checksums are right (${text.length} octets)`, () => {
      const record = pcapRecord(1_700_000_000_123.5, source, destination, text) as Buffer;
      expect(record.readUInt32LE(0)).toBe(1_700_000_000);
      expect(record.readUInt32LE(4)).toBe(123_500);
      const packet = record.subarray(16);
      expect([record.readUInt32LE(8), record.readUInt32LE(12)]).toEqual([packet.length, packet.length]);
      const udp = packet.subarray(headerBytes);
      expect([udp.readUInt16BE(0), udp.readUInt16BE(2), udp.readUInt16BE(4)]).toEqual([
        5060,
        1024,
        udp.length,
      ]);
      expect(udp.subarray(8).toString('latin1')).toBe(text);
      if (addressBytes === 4) expect(sumOf(packet.subarray(0, 20))).toBe(0xffff);
      const addresses = addressBytes === 4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
      expect(sumOf(Buffer.concat([addresses, Buffer.from([0, 17, 0, udp.length]), udp]))).toBe(0xffff);
    });
});

test('a message longer than a datagram is cut, one without addresses left out', () => {
  const record = pcapRecord(0, '127.0.0.1:1', '127.0.0.1:2', 'x'.repeat(70_000)) as Buffer;
  expect(record.length).toBe(16 + 65_535);
  expect(pcapRecord(0, 'nowhere', '127.0.0.1:2', 'x')).toBeUndefined();
  expect(pcapRecord(0, '[::1]:1', '127.0.0.1:2', 'x')).toBeUndefined();
});

describeNeeding(['tshark'], 'tshark', () => {
  test('reads SIP in it, and no checksum is bad', () => {
    const path = join(directory, 'trace.pcap');
    const records = [
      pcapRecord(1_700_000_000_000, '192.0.2.1:5060', '192.0.2.2:5060', message),
      pcapRecord(1_700_000_000_001, '[2001:db8::1]:5060', '[2001:db8::2]:5060', message),
    ];
    writeFileSync(path, Buffer.concat([pcapHeader(), ...(records as Buffer[])]));
    const checks = ['udp.check_checksum:TRUE', 'ip.check_checksum:TRUE'].flatMap((preference) => [
      '-o',
      preference,
    ]);
    const fields = [
      ...['frame.time_epoch', 'ip.src', 'ip.checksum.status', 'ipv6.dst', 'udp.checksum.status'],
      ...['sip.Method', 'sip.Call-ID'],
    ].flatMap((field) => ['-e', field]);
    const read = ['tshark', '-r', path, ...checks, '-T', 'fields', '-E', 'separator=,', ...fields];
    // A status of 1 is a checksum that is right.
    expect(runOrThrow(read).split('\n')).toEqual([
      '1700000000.000000000,192.0.2.1,1,,1,OPTIONS,x',
      '1700000000.001000000,,,2001:db8::2,1,OPTIONS,x',
      '',
    ]);
  });
});
