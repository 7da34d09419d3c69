// The control socket (DESIGN §6): listens, says by the kernel's word who asks, and answers line by line. Everything a client
// can take of the server is bounded.

import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Call, type Caller, dispatch, type Methods } from '../control/dispatch.ts';
import { createLineReader } from '../control/lines.ts';
import { controlFault, formatReply, MAX_REQUEST, parseRequest } from '../control/protocol.ts';
import { clearControlPath } from '../control/socket-place.ts';
import { type Account, NssError } from '../unix/nss.ts';
import { peerCredentials } from '../unix/peer-credentials.ts';
import { callerOf } from './control-caller.ts';
import { type ControlPace, createControlPace } from './control-pace.ts';
import type { Log } from './log.ts';

/** Connections at once; of one uid; and those that are left to root when users have theirs. */
const MOST_CONNECTIONS = 64;
const MOST_OF_UID = 8;
const LEFT_TO_ROOT = 16;
/** Lines of a connection that wait for their turn; it is not read on meanwhile. */
const MOST_WAITING = 64;
/** What a client leaves unread: beyond the first it is sent nothing it did not ask for, beyond the second it is cut off. */
const BEHIND_BYTES = 1 << 20;
const CUT_BYTES = 16 << 20;
/** How long a connection may take to read its last answer when the server stops. */
const LINGER_MS = 500;
/** Refused connections are said so often at most. */
const SAID_EVERY_MS = 10_000;

/** An open control socket. */
export interface ControlSocket {
  /** Stops listening, takes the socket away and closes every connection. */
  close(): Promise<void>;
}

interface ControlSocketParts {
  readonly path: string;
  /** The only account served, with `--own`. */
  readonly own: Account | undefined;
  /** It listens already, and whoever opened it takes it away. */
  readonly fd: number | undefined;
  readonly methods: Methods;
  readonly log: Log;
}

/** Opens the socket; resolves to why not where it can't be had. */
export async function openControlSocket(parts: ControlSocketParts): Promise<ControlSocket | string> {
  const { path, own, fd, log } = parts;
  const why = fd === undefined ? await clearControlPath(path, own) : undefined;
  if (why !== undefined) return why;
  const connections = new Set<Connection>();
  let saidMs = Number.NEGATIVE_INFINITY;
  const sayRefused = (uid: number) => {
    if (performance.now() - saidMs < SAID_EVERY_MS) return;
    saidMs = performance.now();
    log('info', 'control-refused', { uid, why: 'too many connections' });
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = accept(parts, socket, connections, sayRefused);
    if (connection === undefined) return;
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  try {
    await listen(server, fd === undefined ? { path } : { fd });
    // Who may do what is decided by the peer's uid.
    if (fd === undefined) chmodSync(path, 0o666);
  } catch (error) {
    server.close();
    return `ControlSocket: ${path}: ${(error as NodeJS.ErrnoException).code}`;
  }
  server.on('error', (error) => log('warning', 'control-error', { why: error.message }));
  return {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.end();
      }),
  };
}

function listen(server: Server, where: { path: string } | { fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function accept(
  parts: ControlSocketParts,
  socket: Socket,
  connections: ReadonlySet<Connection>,
  sayRefused: (uid: number) => void,
): Connection | undefined {
  socket.on('error', () => {});
  const uid = peerCredentials(socket)?.uid;
  if (uid === undefined) {
    socket.destroy();
    return undefined;
  }
  const ofUid = [...connections].filter((connection) => connection.uid === uid);
  const isRoot = uid === 0 || uid === process.geteuid?.();
  const most = isRoot ? MOST_CONNECTIONS : MOST_CONNECTIONS - LEFT_TO_ROOT;
  if (connections.size < most && (isRoot || ofUid.length < MOST_OF_UID))
    return new Connection(parts, socket, uid, ofUid[0]?.pace ?? createControlPace());
  sayRefused(uid);
  socket.end(formatReply(null, controlFault('busy', 'too many connections')));
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  return undefined;
}

/** One client: its lines are answered one behind the other. */
class Connection implements Call {
  readonly uid: number;
  /** Of all connections of the uid. */
  readonly pace: ControlPace;
  caller: Caller;
  readonly #parts: ControlSocketParts;
  readonly #socket: Socket;
  readonly #waiting: string[] = [];
  #isServing = false;
  #hasEnded = false;

  constructor(parts: ControlSocketParts, socket: Socket, uid: number, pace: ControlPace) {
    this.uid = uid;
    this.pace = pace;
    this.caller = { uid, name: undefined, isAdministrator: false };
    this.#parts = parts;
    this.#socket = socket;
    const reader = createLineReader(MAX_REQUEST);
    // Each trace listens for the end.
    socket.setMaxListeners(64);
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      if (this.#hasEnded) return;
      const lines = reader.push(String(chunk));
      if (lines === undefined) {
        this.#write(
          formatReply(null, controlFault('invalidRequest', `a line is longer than ${MAX_REQUEST}`)),
        );
        this.end();
        return;
      }
      this.#waiting.push(...lines.filter((line) => line.trim() !== ''));
      if (this.#waiting.length > MOST_WAITING) socket.pause();
      if (!this.#isServing) this.#serve().catch((error: Error) => this.#fail(error));
    });
    socket.once('end', () => {
      this.#hasEnded = true;
      if (!this.#isServing) socket.end();
    });
  }

  send(lines: string): boolean {
    if (this.#socket.destroyed || this.#hasEnded || this.#socket.writableLength > BEHIND_BYTES) return false;
    this.#socket.write(lines);
    return true;
  }

  onClosed(callback: () => void): void {
    this.#socket.once('end', callback);
    this.#socket.once('close', callback);
  }

  /** Closes it behind what was sent. */
  end(): void {
    this.#hasEnded = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (;;) {
      const line = this.#waiting.shift();
      if (line === undefined) break;
      await this.pace.turn();
      if (this.#socket.destroyed) break;
      await this.#take(line);
      if (this.#waiting.length === 0) this.#socket.resume();
    }
    this.#isServing = false;
    if (this.#hasEnded) this.#socket.end();
  }

  async #take(line: string): Promise<void> {
    const beganMs = performance.now();
    const request = parseRequest(line);
    const answering = request.type === 'request' ? this.#answer(request) : request;
    this.pace.took(performance.now() - beganMs);
    const result = await answering;
    if (request.id !== undefined) this.#write(formatReply(request.id, result));
  }

  async #answer(request: Parameters<typeof dispatch>[1]): Promise<unknown> {
    try {
      this.caller = callerOf(this.uid, this.#parts.own);
      return await dispatch(this.#parts.methods, request, this);
    } catch (error) {
      if (error instanceof NssError) return controlFault('unavailable', error.message);
      this.#parts.log('error', 'internal-error', { why: (error as Error).stack });
      return controlFault('internal', 'internal error');
    }
  }

  #fail(error: Error): void {
    this.#parts.log('error', 'internal-error', { why: error.stack });
    this.#socket.destroy();
  }

  #write(line: string): void {
    if (this.#socket.writableLength > CUT_BYTES) this.#socket.destroy();
    else if (!this.#socket.destroyed) this.#socket.write(line);
  }
}
