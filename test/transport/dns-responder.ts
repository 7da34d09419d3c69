// A DNS server on loopback that is as slow, silent or broken as a test wants; it knows addresses only (RFC 1035 §4).

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { addressOctets } from '../../src/home/address-range.ts';

/** One answer; without addresses and rcode: the name has no such record. */
export interface Reply {
  readonly addresses?: readonly string[];
  readonly ttl?: number;
  /** 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly rcode?: number;
  readonly delayMs?: number;
}

export interface Responder {
  /** In the form of `setServers`. */
  readonly server: string;
  /** All that was asked, `A example.org`, in the order it came. */
  readonly asked: string[];
  close(): void;
}

const types: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV', 35: 'NAPTR' };

/** Opens a server; a question that `answer` has undefined for is left without any. */
export async function openResponder(answer: (question: string) => Reply | undefined): Promise<Responder> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    const question = `${types[type]} ${name}`;
    asked.push(question);
    const reply = answer(question);
    if (reply === undefined) return;
    const send = () => socket.send(formatReply(query.subarray(0, end), type, reply), port, address);
    if (reply.delayMs === undefined) send();
    else timers.add(setTimeout(send, reply.delayMs));
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    close() {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
    },
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] as number; length > 0; length = query[at] as number) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function formatReply(question: Buffer, type: number, { addresses = [], ttl = 60, rcode = 0 }: Reply): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.fill(0, 8, 12);
  const records = addresses.map((address) => {
    const octets = addressOctets(address) as number[];
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttl, 6);
    record.writeUInt16BE(octets.length, 10);
    return Buffer.concat([record, Buffer.from(octets)]);
  });
  return Buffer.concat([head, ...records]);
}
