// UDP (RFC 3261 §18): one socket for one local address, its flows, keepalives (RFC 5626 §4.4) and STUN.
// The hottest loop of the server: no DNS, no closure and no fresh Flow per datagram.
//
// A socket is taken from in one of two ways. While little comes, Node watches it and hands up each datagram at once.
// While much comes, it is looked at every few milliseconds and all that waits is taken in one system call, as network
// drivers do: waking, and filling the processor's caches anew for each datagram, would cost more than serving it.
// What is sent in one turn of the event loop goes out at its end in one system call, either way.

import { createSocket, type Socket } from 'node:dgram';
import {
  adoptDatagramSocket,
  type BoundSocket,
  bindDatagramSocket,
  closeSocket,
  duplicateSocket,
  hashOf,
  isFrom,
  type Latin1Buffer,
  MOST_DATAGRAMS,
  type Outgoing,
  receiveDatagrams,
  receivedBytes,
  receivedRoom,
  refuseSharing,
  sendDatagrams,
  senderHash,
  senderOf,
  startOf,
  systemError,
  WANTED_ROOM_BYTES,
  waitingBytes,
} from '../unix/datagram-socket.ts';
import { errno } from '../unix/libc.ts';
import {
  addressOf,
  createSockaddr,
  isSameSockaddr,
  portOf,
  type Sockaddr,
  withPort,
} from '../unix/sockaddr.ts';
import type { Flow } from './flow.ts';
import type { TransportLog } from './log.ts';
import { answerStun, isStun } from './stun.ts';
import { noteSent, type Traffic } from './traffic.ts';

/** What a UDP socket hands up. `octets` is a whole datagram. */
export interface UdpHandlers {
  onMessage(octets: string, flow: Flow): void;
  readonly log: TransportLog;
  readonly traffic: Traffic;
}

/** One bound UDP socket. */
export interface UdpSocket {
  /** Canonical, without zone. */
  readonly address: string;
  readonly port: number;
  /** How much of the room for datagrams was taken by those that still waited when the last turn ended: 0 to 1. */
  readonly pressure: number;
  /** The flow to a peer; `address` may carry a zone. */
  flowTo(address: string, port: number): Flow;
  close(): Promise<void>;
}

/** Flows remembered a socket; a power of two. One that is not is made again and costs an allocation. */
const flowSlots = 4096;
const longestKeepalive = 4;

/** How long datagrams may wait for others while much comes: as long as one packet of voice, */
const longestPollMs = 20;
/** and no longer than it takes a burst of 50 datagrams a millisecond to fill the room there is for them. */
const burstBytesPerMs = 50 * 2048;
/** When a watch is tried again that could not be had. */
const watchAgainMs = 10_000;
/** Much comes when so many came within that time while the socket was watched; */
const busyDatagrams = 10;
const busyMs = 20;
/** little, when a wait brought no more than these: their senders may wait for an answer themselves. */
const quietDatagrams = 2;
/** Taken in one turn at most, before connections and timers are served; it is not waited for more to come. */
const mostRounds = 2;
const mostInTurn = mostRounds * MOST_DATAGRAMS;
/** Datagrams kept while the kernel takes none, and when it is asked again. */
const mostWaiting = 4096;
const sendAgainMs = 1;

/** Binds a UDP socket, or takes `fd`, one that is; rejects with the system's error, and then leaves nothing open. */
export async function openUdp(
  address: string,
  port: number,
  handlers: UdpHandlers,
  fd?: number,
): Promise<UdpSocket> {
  const bound =
    fd === undefined
      ? bindDatagramSocket(address, port, WANTED_ROOM_BYTES)
      : adoptDatagramSocket(fd, WANTED_ROOM_BYTES);
  const socket = new UdpPath(bound, handlers);
  try {
    socket.watch();
    return socket;
  } catch (error) {
    await socket.close();
    throw error;
  }
}

/** One datagram that goes out with the others of its turn. */
interface Waiting extends Outgoing {
  readonly onError: ((error: Error) => void) | undefined;
}

/** A socket and what is on its way in and out. */
class UdpPath implements UdpSocket {
  pressure = 0;
  readonly address: string;
  readonly port: number;
  private readonly fd: number;
  private readonly longestPollMs: number;
  private readonly receiveBufferBytes: number;
  private readonly handlers: UdpHandlers;
  readonly traffic: Traffic;
  /** Direct-mapped by peer: a newer peer takes the slot, so that its size and cost are fixed. */
  private readonly flows = new Array<UdpFlow | undefined>(flowSlots).fill(undefined);
  /** The same by address and port as text, for those we send to first. */
  private readonly flowsByName = new Map<string, UdpFlow>();
  /** Node's watch over the socket, on a descriptor of its own; undefined while the socket is polled. */
  private watching: Socket | undefined;
  private polling: NodeJS.Timeout | NodeJS.Immediate | undefined;
  /** How many datagrams came since when. */
  private came = 0;
  private sinceMs = 0;
  private nextWatchMs = 0;
  private waiting: Waiting[] = [];
  private sending: NodeJS.Timeout | NodeJS.Immediate | undefined;
  private isClosed = false;
  private readonly pollNow = () => this.poll();
  private readonly flushNow = () => this.flush();

  constructor({ fd, address, port, receiveBufferBytes }: BoundSocket, handlers: UdpHandlers) {
    this.fd = fd;
    this.address = address;
    this.port = port;
    this.receiveBufferBytes = receiveBufferBytes;
    this.longestPollMs = Math.min(longestPollMs, receiveBufferBytes / burstBytesPerMs);
    this.handlers = handlers;
    this.traffic = handlers.traffic;
  }

  flowTo(address: string, port: number): Flow {
    const key = `${address} ${port}`;
    let flow = this.flowsByName.get(key);
    if (flow === undefined) {
      flow = this.flowAt(createSockaddr(address, port));
      if (this.flowsByName.size >= flowSlots) this.flowsByName.clear();
      this.flowsByName.set(key, flow);
    }
    return flow;
  }

  /** The flow to a peer. */
  flowAt(to: Sockaddr): UdpFlow {
    const slot = hashOf(to) & (flowSlots - 1);
    const known = this.flows[slot];
    return known !== undefined && isSameSockaddr(known.to, to) ? known : this.remember(slot, to);
  }

  private flowFrom(datagram: number): UdpFlow {
    const slot = senderHash(datagram) & (flowSlots - 1);
    const known = this.flows[slot];
    return known !== undefined && isFrom(datagram, known.to)
      ? known
      : this.remember(slot, senderOf(datagram));
  }

  private remember(slot: number, to: Sockaddr): UdpFlow {
    const flow = new UdpFlow(this, to);
    this.flows[slot] = flow;
    return flow;
  }

  /** Has Node hand up each datagram as it comes. Throws the system's error where a descriptor can't be had. */
  watch(): void {
    const fd = duplicateSocket(this.fd);
    const socket = createSocket(this.address.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', (error) => this.complain(error));
    socket.on('message', (datagram, { address, port }) => {
      if (this.watching !== socket) return;
      this.receive(datagram as Latin1Buffer, 0, datagram.length, this.flowTo(address, port) as UdpFlow);
      if (this.isBusy()) this.pollInstead();
    });
    try {
      socket.bind({ fd });
    } catch (error) {
      closeSocket(fd);
      socket.close();
      throw error;
    }
    refuseSharing(this.fd);
    this.watching = socket;
    this.count();
  }

  /** Watches; false where there was no descriptor for it, now or shortly before. */
  private tryWatch(): boolean {
    if (performance.now() < this.nextWatchMs) return false;
    try {
      this.watch();
      return true;
    } catch (error) {
      this.nextWatchMs = performance.now() + watchAgainMs;
      this.complain(error as Error);
      return false;
    }
  }

  private complain(error: Error): void {
    this.handlers.log('warning', 'udp-error', {
      address: this.address,
      port: this.port,
      error: error.message,
    });
  }

  private pollInstead(): void {
    this.watching?.close();
    this.watching = undefined;
    this.count();
    this.polling = setImmediate(this.pollNow);
  }

  private count(): void {
    this.came = 0;
    this.sinceMs = performance.now();
  }

  /** Counts a datagram of a watched socket; true once there were many in a short time. */
  private isBusy(): boolean {
    if (this.isClosed) return false;
    if (performance.now() - this.sinceMs > busyMs) this.count();
    this.came += 1;
    return this.came >= busyDatagrams;
  }

  /** Takes what waits, and sees to it that what comes next is taken. */
  private poll(): void {
    let count = MOST_DATAGRAMS;
    for (let round = 0; round < mostRounds && count === MOST_DATAGRAMS; round += 1) {
      count = receiveDatagrams(this.fd);
      this.came += count;
      for (let datagram = 0; datagram < count; datagram += 1) {
        const start = startOf(datagram);
        this.receive(receivedRoom(), start, start + receivedBytes(datagram), this.flowFrom(datagram));
        if (this.isClosed) return;
      }
    }
    if (count === MOST_DATAGRAMS) this.polling = setImmediate(this.pollNow);
    else this.wait();
    this.pressure = count === MOST_DATAGRAMS ? waitingBytes(this.fd) / this.receiveBufferBytes : 0;
  }

  /** Waits, by what came since the last time, until as many are there as one turn serves: more would overrun the socket. */
  private wait(): void {
    const { came } = this;
    const untilFullMs = ((performance.now() - this.sinceMs) / Math.max(came, 1)) * mostInTurn;
    const isQuiet = came <= quietDatagrams && untilFullMs >= this.longestPollMs;
    this.count();
    if (!isQuiet || !this.tryWatch())
      this.polling = setTimeout(this.pollNow, Math.min(untilFullMs, this.longestPollMs));
  }

  private receive(room: Latin1Buffer, start: number, end: number, flow: UdpFlow): void {
    // Nothing can be answered to port 0, and only a forged packet bears it.
    if (this.isClosed || end - start <= longestKeepalive || flow.remotePort === 0) return;
    // A SIP message starts with a letter; all that is special starts below.
    if ((room[start] as number) < 0x20 && this.isSpecial(room.subarray(start, end), flow)) return;
    const octets = room.latin1Slice(start, end);
    this.traffic.watch?.(false, octets, flow);
    this.handlers.onMessage(octets, flow);
  }

  private isSpecial(datagram: Buffer, flow: UdpFlow): boolean {
    if (isKeepalive(datagram)) return true;
    if (!isStun(datagram)) return false;
    const answer = answerStun(datagram, flow.remoteAddress, flow.remotePort);
    if (answer !== undefined) flow.send(answer.toString('latin1'));
    return true;
  }

  /** Sends with the others of this turn. */
  send(datagram: Waiting): void {
    if (this.isClosed) fail(datagram, Object.assign(new Error('the socket is closed'), { code: 'EPIPE' }));
    else if (this.waiting.length >= mostWaiting) fail(datagram, sendError(errno.ENOBUFS, datagram));
    else {
      this.waiting.push(datagram);
      this.sending ??= setImmediate(this.flushNow);
    }
  }

  private flush(): void {
    this.sending = undefined;
    const { waiting } = this;
    let sent = 0;
    while (sent < waiting.length) {
      const count = sendDatagrams(this.fd, waiting, sent);
      if (count === -errno.EAGAIN) {
        this.waiting = waiting.slice(sent);
        this.sending = setTimeout(this.flushNow, sendAgainMs);
        return;
      }
      const datagram = waiting[sent] as Waiting;
      if (count < 0) fail(datagram, sendError(-count, datagram));
      sent += Math.max(count, 1);
    }
    this.waiting = [];
  }

  close(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.flush();
    this.isClosed = true;
    for (const timer of [this.polling, this.sending]) {
      clearTimeout(timer as NodeJS.Timeout);
      clearImmediate(timer as NodeJS.Immediate);
    }
    closeSocket(this.fd);
    const { watching } = this;
    return new Promise((resolve) => {
      if (watching === undefined) resolve();
      else watching.close(resolve);
    });
  }
}

function fail({ onError }: Waiting, error: Error): void {
  if (onError !== undefined) process.nextTick(onError, error);
}

function sendError(number: number, { to }: Waiting): Error {
  return systemError('send', number, addressOf(to), portOf(to));
}

/** A class for its cost alone: flows share their methods. */
class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly to: Sockaddr;
  private readonly path: UdpPath;

  constructor(path: UdpPath, to: Sockaddr) {
    this.path = path;
    this.to = to;
    this.remoteAddress = addressOf(to);
    this.remotePort = portOf(to);
  }

  get localAddress(): string {
    return this.path.address;
  }

  get localPort(): number {
    return this.path.port;
  }

  send(octets: string, onError?: (error: Error) => void): void {
    noteSent(this.path.traffic, octets, this);
    this.path.send({ octets, to: this.to, onError });
  }

  atPort(port: number): Flow {
    return this.path.flowAt(withPort(this.to, port));
  }
}

/** Says whether octets are only CR, LF and NUL (RFC 5626 §4.4.1 and what phones send besides). */
function isKeepalive(datagram: Buffer): boolean {
  for (let at = 0; at < datagram.length; at += 1) {
    const octet = datagram[at];
    if (octet !== 0x0d && octet !== 0x0a && octet !== 0) return false;
  }
  return true;
}
