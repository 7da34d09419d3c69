// The database server: connections in, each served one message after the other.

import { createServer, type Server, type Socket } from 'node:net';
import type { ScramVerifier } from '../digest/scram.ts';
import type { DatabaseAccess, DatabaseRules } from '../store/database-messages.ts';
import { peerCredentials } from '../unix/peer-credentials.ts';
import { createHomes, type Perform } from './homes-client.ts';
import { createSession } from './session.ts';
import { openTables, SERVER_VERSION } from './tables/all.ts';
import { errorResponse, SqlError } from './wire.ts';

/** What a database server is made of. */
export interface DatabaseServerParts {
  readonly perform: Perform;
  readonly rules: DatabaseRules;
  readonly access: DatabaseAccess;
  readonly verifier: ScramVerifier | undefined;
  /** A descriptor that listens, or where to. */
  readonly at:
    | { readonly fd: number }
    | { readonly path: string }
    | { readonly host: string; readonly port: number };
  readonly log: (text: string) => void;
}

/** A database server that serves. */
export interface DatabaseServer {
  /** Takes no more connections, and ends those there are. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 200;
/** Refused statements that are in the log, and for how long each is there once. */
const MOST_SAID = 50;
const SAID_MS = 60_000;
/** How long a stranger may take to say who he is. */
const STRANGER_MS = 10_000;
/** What a client does not read is not kept for ever. */
const MOST_UNSENT = 64 * 1024 * 1024;

/** Starts it; resolves when it listens. */
export async function startDatabaseServer(parts: DatabaseServerParts): Promise<DatabaseServer> {
  const tables = await openTables(createHomes(parts.perform), parts.rules);
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= MOST_CONNECTIONS) {
      socket.on('error', () => {});
      socket.end(errorResponse(new SqlError('53300', 'too many connections'), true));
      return;
    }
    sockets.add(socket);
    serve(socket);
  });

  /** What was said of refused statements lately. */
  let said = new Set<string>();
  const timer = setInterval(() => {
    said = new Set();
  }, SAID_MS).unref();

  function onRefused({ code, message: why }: SqlError, template: string): void {
    const text = `SQL error ${code}: ${why}${template === '' ? '' : ` in: ${template.slice(0, 500)}`}`;
    if (said.size >= MOST_SAID || said.has(text)) return;
    said.add(text);
    parts.log(text);
  }

  function serve(socket: Socket): void {
    const uid = peerCredentials(socket)?.uid;
    let isIn = false;
    const patience = setTimeout(() => socket.destroy(), STRANGER_MS);
    const session = createSession({
      database: tables,
      serverVersion: SERVER_VERSION,
      isPeerAdmitted: uid !== undefined && parts.access.peerUids.includes(uid),
      verifierOf: (user) => (user === parts.access.user ? parts.verifier : undefined),
      onWelcome() {
        isIn = true;
        clearTimeout(patience);
      },
      send(octets) {
        socket.write(octets);
        if (socket.writableLength > MOST_UNSENT) socket.destroy();
      },
      end: () => socket.end(),
      onRefused,
      onFailure: (error) => parts.log(error.stack ?? error.message),
    });
    // One message after the other: what comes meanwhile waits in the kernel.
    socket.on('data', (octets) => {
      socket.pause();
      void session.take(octets).then(() => socket.resume());
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(patience);
      sockets.delete(socket);
      if (!isIn)
        parts.log(
          `a connection of ${uid === undefined ? socket.remoteAddress : `uid ${uid}`} was not let in`,
        );
    });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.at, resolve);
  });
  return {
    async close() {
      clearInterval(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) {
        socket.end(errorResponse(new SqlError('57P01', 'the server is shut down'), true));
        socket.destroySoon();
      }
      await closed;
    },
  };
}
