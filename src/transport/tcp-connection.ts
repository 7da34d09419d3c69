// One TCP connection as a flow (RFC 3261 §18, RFC 5626 §4.4.1): framing, keepalives, and every limit a hostile or
// dead peer can reach. Never throws, never leaves an 'error' unheard.

import type { Socket } from 'node:net';
import { createFramer, type Framer } from '../message/frame.ts';
import type { Malformed } from '../message/message.ts';
import { formatHostPort, withoutZone } from './address.ts';
import type { Flow } from './flow.ts';
import type { TransportEvent, TransportLog } from './log.ts';
import { noteSent, type Traffic } from './traffic.ts';

/** What a connection may cost. */
export interface TcpLimits {
  /** Connections at once, accepted and made. */
  readonly maxConnections: number;
  /** Of them, accepted from one address. */
  readonly maxPerAddress: number;
  /** A connection on which nothing moved for so long is closed. */
  readonly idleMs: number;
  /** A message that began must be complete in so long; so must the first one of an accepted connection. */
  readonly messageMs: number;
  /** An outgoing connection must be there in so long. */
  readonly connectMs: number;
  /** A peer that leaves more than this unread is cut off. */
  readonly maxUnsentBytes: number;
}

/** The limits where none are given; `idleMs` is the lifetime of a registration by default. */
export const defaultTcpLimits: TcpLimits = {
  maxConnections: 1000,
  maxPerAddress: 50,
  idleMs: 3_600_000,
  messageMs: 15_000,
  connectMs: 4000,
  maxUnsentBytes: 1 << 20,
};

/** What a connection hands up. */
export interface TcpHandlers {
  onMessage(octets: string, flow: Flow): void;
  /** The stream is lost: what is sent on `flow` before this returns is still delivered, then it is closed. */
  onMalformed(malformed: Malformed, flow: Flow): void;
  readonly log: TransportLog;
  readonly traffic: Traffic;
}

/** How long a connection that is being closed may take to deliver its last answer. */
const lingerMs = 2000;

/** Owns one connected socket. */
export class TcpConnection implements Flow {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #limits: TcpLimits;
  readonly #handlers: TcpHandlers;
  readonly #framer: Framer = createFramer();
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** Something moved since the last sweep. */
  #active = true;
  #activeAt: number;
  /** When a message was first seen incomplete by a sweep; undefined: none is. */
  #waitingSince: number | undefined;
  #onPong: () => void = () => {};

  /** `now` is the time of the sweeps, in ms. An accepted connection owes its first message at once. */
  constructor(socket: Socket, accepted: boolean, limits: TcpLimits, handlers: TcpHandlers, now: number) {
    this.localAddress = withoutZone(socket.localAddress ?? '');
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = withoutZone(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
    this.#socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#activeAt = now;
    this.#waitingSince = accepted ? now : undefined;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#note('debug', 'tcp-error', error.message));
    socket.on('close', () => {
      this.#state = 'closed';
    });
  }

  send(octets: string, onError?: (error: Error) => void): void {
    if (this.#state !== 'open') {
      if (onError !== undefined)
        process.nextTick(onError, Object.assign(new Error('the connection is closed'), { code: 'EPIPE' }));
      return;
    }
    this.#active = true;
    noteSent(this.#handlers.traffic, octets, this);
    this.#write(octets, onError);
  }

  atPort(): Flow {
    return this;
  }

  /** Does not count as something that moves: a peer that never answers is still closed when idle. */
  ping(onPong: () => void): void {
    if (this.#state !== 'open') return;
    this.#onPong = onPong;
    this.#framer.expectPong();
    this.#write('\r\n\r\n');
  }

  /** Closes what has been still or incomplete for too long. Called at intervals, with the time in ms. */
  sweep(now: number): void {
    if (this.#state !== 'open') return;
    if (this.#active) this.#activeAt = now;
    this.#active = false;
    if (this.#framer.pending() > 0) this.#waitingSince ??= now;
    if (this.#waitingSince !== undefined && now - this.#waitingSince >= this.#limits.messageMs) {
      this.#cut('no complete message in time');
    } else if (now - this.#activeAt >= this.#limits.idleMs) this.#cut('idle');
  }

  /** Delivers what was sent, then closes; what still comes in is thrown away. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Closes at once. */
  destroy(): void {
    this.#state = 'closed';
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#active = true;
    for (const event of this.#framer.push(chunk)) {
      // A handler may have closed the connection; the compiler cannot see that.
      if ((this.#state as string) !== 'open') return;
      this.#waitingSince = undefined;
      if (event.type === 'message') {
        this.#handlers.traffic.watch?.(false, event.octets, this);
        this.#handlers.onMessage(event.octets, this);
      } else if (event.type === 'keepalive') this.send('\r\n');
      else if (event.type === 'pong') this.#onPong();
      else {
        this.#handlers.onMalformed(event, this);
        this.end();
      }
    }
  }

  #write(octets: string, onError?: (error: Error) => void): void {
    this.#socket.write(octets, 'latin1', (error) => {
      if (error != null) onError?.(error);
    });
    if (this.#socket.writableLength > this.#limits.maxUnsentBytes) this.#cut('the peer does not read');
  }

  #cut(why: string): void {
    this.#note('info', 'tcp-cut', why);
    this.destroy();
  }

  #note(level: 'debug' | 'info', event: TransportEvent, why: string): void {
    this.#handlers.log(level, event, { src: formatHostPort(this.remoteAddress, this.remotePort), why });
  }
}
