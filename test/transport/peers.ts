// Peers of a transport under test: plain sockets, and a transport opened on loopback that records what it gets.

import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Malformed } from '../../src/message/message.ts';
import type { Flow } from '../../src/transport/flow.ts';
import type { ListenAddress } from '../../src/transport/listen-address.ts';
import { openTransport, type Transport, type TransportOptions } from '../../src/transport/transport.ts';
import { type Received, received } from './received.ts';

export interface Datagram {
  readonly bytes: Buffer;
  readonly from: RemoteInfo;
}

export interface UdpPeer {
  readonly port: number;
  readonly datagrams: Received<Datagram>;
  send(bytes: Buffer | string, port: number, address: string): Promise<void>;
}

/** A bare UDP socket, closed with the test. */
export async function udpPeer(address = '127.0.0.1'): Promise<UdpPeer> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const datagrams = received<Datagram>();
  socket.on('message', (bytes, from) => datagrams.push({ bytes, from }));
  socket.bind(0, address);
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return {
    port: socket.address().port,
    datagrams,
    send: (bytes, port, to) =>
      new Promise((resolve, reject) => {
        const octets = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
        socket.send(octets, port, to, (error) => (error === null ? resolve() : reject(error)));
      }),
  };
}

export interface TcpPeer {
  readonly socket: Socket;
  /** All octets received so far. */
  text(): string;
  /** Resolves when `text()` has that many octets. */
  until(length: number): Promise<string>;
  readonly closed: Promise<unknown>;
}

/** A bare TCP connection, closed with the test. */
export async function tcpPeer(port: number, address = '127.0.0.1', localAddress?: string): Promise<TcpPeer> {
  const socket = connect({ port, host: address, noDelay: true, ...(localAddress && { localAddress }) });
  let text = '';
  const watchers = new Set<() => void>();
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (const watcher of watchers) watcher();
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  await once(socket, 'connect');
  onTestFinished(() => {
    socket.destroy();
  });
  return {
    socket,
    text: () => text,
    until: (length) =>
      new Promise((resolve) => {
        const watch = (): void => {
          if (text.length < length) return;
          watchers.delete(watch);
          resolve(text);
        };
        watchers.add(watch);
        watch();
      }),
    closed,
  };
}

export interface Message {
  readonly octets: string;
  readonly flow: Flow;
}

export interface Station {
  readonly transport: Transport;
  readonly messages: Received<Message>;
  readonly broken: Received<{ readonly malformed: Malformed; readonly flow: Flow }>;
  readonly log: { readonly level: string; readonly event: string; readonly fields: object }[];
  port(transport: string, address?: string): number;
}

/** Opens a transport that records; `transport:address`, port 0. Closed with the test. */
export async function station(
  listen: readonly string[],
  options: Partial<TransportOptions> = {},
): Promise<Station> {
  const messages = received<Message>();
  const broken = received<{ malformed: Malformed; flow: Flow }>();
  const log: Station['log'] = [];
  const transport = await openTransport({
    listen: listen.map(anyPort),
    onMessage: (octets, flow) => messages.push({ octets, flow }),
    onMalformed: (malformed, flow) => broken.push({ malformed, flow }),
    log: (level, event, fields) => log.push({ level, event, fields }),
    ...options,
  });
  onTestFinished(() => transport.close());
  const port: Station['port'] = (name, address = '127.0.0.1') => {
    const bound = transport.addresses().find((each) => each.transport === name && each.address === address);
    if (bound === undefined) throw new Error(`no ${name} socket on ${address}`);
    return bound.port;
  };
  return { transport, messages, broken, log, port };
}

/** `udp:127.0.0.1` as a `Listen` value of any port. */
function anyPort(text: string): ListenAddress {
  const colon = text.indexOf(':');
  return { transport: text.slice(0, colon) === 'udp' ? 'udp' : 'tcp', host: text.slice(colon + 1), port: 0 };
}

/** A request with that Call-ID and body. */
export function request(callId: string, body = ''): string {
  return [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1',
    'From: <sip:a@example.org>;tag=1',
    'To: <sip:b@example.org>',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
