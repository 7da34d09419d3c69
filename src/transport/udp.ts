// UDP (RFC 3261 §18): one socket for one local address, its flows, keepalives (RFC 5626 §4.4) and STUN.
// The hottest loop of the server: no DNS, no closure and no fresh Flow per datagram.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { withoutZone } from './address.ts';
import type { Flow } from './flow.ts';
import type { TransportLog } from './log.ts';
import { answerStun, isStun } from './stun.ts';

/** What a UDP socket hands up. `octets` is a whole datagram. */
export interface UdpHandlers {
  onMessage(octets: string, flow: Flow): void;
  readonly log: TransportLog;
}

/** One bound UDP socket. */
export interface UdpSocket {
  /** Canonical, without zone. */
  readonly address: string;
  readonly port: number;
  /** The flow to a peer; `address` may carry a zone. */
  flowTo(address: string, port: number): Flow;
  close(): Promise<void>;
}

/** Room for a burst of about a thousand datagrams; the kernel caps it at net.core.rmem_max. */
const receiveBufferBytes = 4 << 20;
/** Flows remembered a socket; a power of two. One that is not is made again and costs an allocation. */
const flowSlots = 4096;
const longestKeepalive = 4;

/** Binds a UDP socket; rejects with the system's error, and then leaves nothing open. */
export async function openUdp(address: string, port: number, handlers: UdpHandlers): Promise<UdpSocket> {
  const ipv6 = isIPv6(withoutZone(address));
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    recvBufferSize: receiveBufferBytes,
    lookup: literal as NonNullable<Parameters<typeof createSocket>[0] & object>['lookup'],
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
  return listen(socket, handlers);
}

/** Every address here is a literal already: answers at once, so that no resolver runs. */
function literal(
  hostname: string,
  options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  const answer = (typeof options === 'function' ? options : callback) as typeof callback;
  answer(null, hostname, 0);
}

function listen(socket: Socket, handlers: UdpHandlers): UdpSocket {
  const bound = socket.address();
  const path: LocalPath = {
    socket,
    address: withoutZone(bound.address),
    port: bound.port,
    flows: new Array<UdpFlow | undefined>(flowSlots).fill(undefined),
    closed: false,
  };
  socket.on('error', (error) => {
    handlers.log('warning', 'udp-error', { address: path.address, port: path.port, error: error.message });
  });
  socket.on('message', (datagram, remote) => receive(path, handlers, datagram, remote));
  return {
    address: path.address,
    port: path.port,
    flowTo: (address, port) => flowOf(path, address, port),
    close: () =>
      new Promise<void>((resolve) => {
        if (path.closed) return resolve();
        path.closed = true;
        socket.close(resolve);
      }),
  };
}

interface LocalPath {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  /** Direct-mapped by peer: a newer peer takes the slot, so that its size and cost are fixed. */
  readonly flows: (UdpFlow | undefined)[];
  closed: boolean;
}

/** `latin1Slice` is what `toString('latin1')` ends in; @types/node does not know it. */
interface Latin1Buffer extends Buffer {
  latin1Slice(): string;
}

function receive(path: LocalPath, handlers: UdpHandlers, datagram: Buffer, remote: RemoteInfo): void {
  // Nothing can be answered to port 0, and only a forged packet bears it.
  if (path.closed || datagram.length <= longestKeepalive || remote.port === 0) return;
  const first = datagram[0] as number;
  // A SIP message starts with a letter; all that is special starts below.
  if (first < 0x20) {
    if (isKeepalive(datagram)) return;
    if (isStun(datagram)) {
      const answer = answerStun(datagram, withoutZone(remote.address), remote.port);
      if (answer !== undefined) path.socket.send(answer, remote.port, remote.address, ignore);
      return;
    }
  }
  handlers.onMessage((datagram as Latin1Buffer).latin1Slice(), flowOf(path, remote.address, remote.port));
}

/** Only CR, LF and NUL (RFC 5626 §4.4.1 and what phones send besides). */
function isKeepalive(datagram: Buffer): boolean {
  for (let at = 0; at < datagram.length; at += 1) {
    const octet = datagram[at];
    if (octet !== 0x0d && octet !== 0x0a && octet !== 0) return false;
  }
  return true;
}

function flowOf(path: LocalPath, address: string, port: number): UdpFlow {
  const length = address.length;
  const hash = Math.imul(port, 31) + address.charCodeAt(length - 1) * 7 + address.charCodeAt(length - 2) * 67;
  const slot = (hash ^ (address.charCodeAt(length - 3) << 8)) & (flowSlots - 1);
  const known = path.flows[slot];
  if (known !== undefined && known.remotePort === port && known.target === address) return known;
  const flow = new UdpFlow(path, address, port);
  path.flows[slot] = flow;
  return flow;
}

function ignore(): void {}

/** A class for its cost alone: flows of a socket share their methods. */
class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What to send to: with the zone. */
  readonly target: string;
  readonly path: LocalPath;

  constructor(path: LocalPath, target: string, port: number) {
    this.path = path;
    this.target = target;
    this.remoteAddress = withoutZone(target);
    this.remotePort = port;
  }

  get localAddress(): string {
    return this.path.address;
  }

  get localPort(): number {
    return this.path.port;
  }

  send(octets: string, onError?: (error: Error) => void): void {
    if (this.path.closed) {
      if (onError !== undefined)
        process.nextTick(onError, Object.assign(new Error('the socket is closed'), { code: 'EPIPE' }));
      return;
    }
    const datagram = Buffer.from(octets, 'latin1');
    if (onError === undefined) this.path.socket.send(datagram, this.remotePort, this.target);
    else {
      this.path.socket.send(datagram, this.remotePort, this.target, (error) => {
        if (error !== null) onError(error);
      });
    }
  }

  atPort(port: number): Flow {
    return flowOf(this.path, this.target, port);
  }
}
