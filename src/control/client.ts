// The client's end of the control socket.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createLineReader } from './lines.ts';
import {
  type ControlFault,
  controlFault,
  formatCall,
  MAX_REPLY,
  type Params,
  parseFromServer,
} from './protocol.ts';

/** A connection to a server. */
export interface ControlClient {
  /** Resolves to what the method answered, or to a fault; also when the server is gone before. */
  request(method: string, params?: Params): Promise<unknown | ControlFault>;
  /** Told of what comes without being asked for. */
  onNotification: (method: string, params: Params) => void;
  /** Resolves once the connection is closed, by whoever. */
  readonly closed: Promise<void>;
  /** Stops reading until `resume`: the server drops what is not asked for. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Connects; rejects with the system's error where nobody listens. */
export async function connectControl(path: string): Promise<ControlClient> {
  const socket = connect({ path });
  await once(socket, 'connect');
  return new Connection(socket);
}

class Connection implements ControlClient {
  onNotification: ControlClient['onNotification'] = () => {};
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;
  #isClosed = false;

  constructor(socket: Socket) {
    const reader = createLineReader(MAX_REPLY);
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      const lines = reader.push(String(chunk));
      if (lines === undefined) socket.destroy();
      else for (const line of lines) this.#take(line);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        const gone = controlFault('gone', 'the server closed the connection');
        for (const answer of this.#waiting.values()) answer(gone);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  request(method: string, params: Params = {}): Promise<unknown> {
    if (this.#isClosed) return Promise.resolve(controlFault('gone', 'the server closed the connection'));
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.write(formatCall(method, params, id));
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: string): void {
    const read = parseFromServer(line);
    if (read?.type === 'notification') this.onNotification(read.method, read.params);
    if (read?.type !== 'reply') return;
    // A reply to no request in particular ends the connection: it is for whoever waits first.
    const id = typeof read.id === 'number' ? read.id : this.#waiting.keys().next().value;
    const answer = this.#waiting.get(id as number);
    this.#waiting.delete(id as number);
    answer?.(read.result);
  }
}
