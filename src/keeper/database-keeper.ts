// The keeper of `sipctl db serve` (DESIGN §7): root's part, with a list of operations of its own (store/home-tables.ts). It opens
// the socket, starts the process that speaks to clients without privileges, and a worker in homes.

import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { clearControlPath } from '../control/socket-place.ts';
import { createVerifier } from '../digest/scram.ts';
import { formatFault } from '../home/fault.ts';
import { fromOctets } from '../message/octets.ts';
import { openChannel } from '../store/channel.ts';
import type { DatabaseStart } from '../store/database-messages.ts';
import { readGatewayCredentials } from '../store/gateway-credentials.ts';
import { type HomeTablesSettings, tableOperationOf } from '../store/home-tables.ts';
import type { ServerSettings } from '../store/server-settings.ts';
import { restoreGroups, warmThreadPool } from '../unix/as-user.ts';
import { libc } from '../unix/libc.ts';
import { findAccount } from '../unix/nss.ts';
import { listenPath, listenStream } from '../unix/stream-socket.ts';
import { createHomeWorkers } from './home-workers.ts';
import {
  builtFile,
  childEnvironment,
  HOME_CAPABILITIES,
  launchFault,
  serverArgv,
  workerArgv,
} from './launch.ts';
import { removeControl } from './sockets.ts';

/** Where clients find it. */
export type DatabasePlace = { readonly path: string } | { readonly host: string; readonly port: number };

const CHANNEL_FD = 3;
const HOMES = { stallMs: 500, deadlineMs: 3000, apart: 4, mostWaiting: 10_000 };
const STOP_MS = 10_000;
/** How long the server may outlive its channel. */
const LAST_MS = 1000;
const ID = /^\d{1,16}$/;
const NOT_A_REQUEST = JSON.stringify([{ type: 'failed', why: 'not a request' }]);

/** Serves until a signal ends it; answers why it could not, or ended otherwise. */
export async function keepDatabase(
  settings: ServerSettings,
  place: DatabasePlace,
  { complain, onReady }: { readonly complain: (line: string) => void; readonly onReady: () => void },
): Promise<'stopped' | 'configuration' | 'system' | 'died'> {
  await warmThreadPool();
  const { ServerUser } = settings.keywords;
  const account = findAccount(ServerUser);
  const start = startOf(settings);
  const wrong =
    account === undefined
      ? `ServerUser: no account ${ServerUser} on this host: useradd --system --no-create-home ${ServerUser}`
      : account.uid === 0
        ? `ServerUser: ${ServerUser} is root`
        : typeof start === 'string'
          ? start
          : undefined;
  if (account === undefined || wrong !== undefined || typeof start === 'string') {
    complain(wrong ?? '');
    return 'configuration';
  }
  const listening = launchFault(account) ?? (await open(place));
  if (typeof listening === 'string') {
    complain(listening);
    return 'system';
  }
  const homes = createHomeWorkers({
    ...HOMES,
    argv: workerArgv(builtFile('tables-worker.js'), HOME_CAPABILITIES),
    env: childEnvironment(),
    homes: tablesSettings(settings),
    isDirect: false,
    onFault: complain,
    onStall: (user, why) => complain(`the home of ${user || 'somebody'}: ${why}`),
    onWell() {},
    onOpened() {},
    onHopeless(why) {
      complain(`no worker can be kept: ${why}`);
      server.kill('SIGKILL');
    },
    onDirect: (fd) => void libc().close(fd),
  });
  restoreGroups();
  const [program, ...rest] = serverArgv(account, builtFile('database-server.js')) as [string, ...string[]];
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe', listening] as const;
  const server = spawn(program, rest, { stdio: [...stdio], env: childEnvironment() });
  libc().close(listening);
  const channel = openChannel(server.stdio[CHANNEL_FD] as Duplex, {
    onLines(lines) {
      for (const line of lines) take(line);
      homes.flush();
    },
    onEnd: () => void setTimeout(() => server.kill('SIGKILL'), LAST_MS).unref(),
  });

  /** `run ID USER JSON`, and `ready`. */
  function take(line: string): void {
    if (line.startsWith('ready')) onReady();
    const [word, id = '', user = ''] = line.split(' ', 3);
    if (word !== 'run' || !ID.test(id)) return;
    const json = line.slice(word.length + id.length + user.length + 3);
    const answer = (answers: string) => channel.send(`${id} ${answers}`);
    const name = decoded(user);
    if (name === undefined || tableOperationOf(json) === undefined) answer(NOT_A_REQUEST);
    else homes.run(name, json, answer);
  }

  let isStopping = false;
  let patience: NodeJS.Timeout | undefined;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    if ('path' in place) removeControl(place.path);
    patience = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    channel.send('stop ');
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  channel.send(`start ${JSON.stringify(start)}`);
  const code = await new Promise<number | null>((resolve) => {
    server.once('error', () => resolve(null));
    server.once('exit', (exitCode) => resolve(exitCode));
  });
  clearTimeout(patience);
  if ('path' in place && !isStopping) removeControl(place.path);
  homes.close();
  if (code === 0) return 'stopped';
  complain(`the database server ended: ${code ?? 'by a signal'}`);
  return 'died';
}

/** What is served, and who may come in; or what is wrong with the configuration. */
export function startOf({ realm, keywords }: ServerSettings): DatabaseStart | string {
  const { Domain, DbReadHashes, DbWrite, DbPeers, DbCredentials } = keywords;
  const rules = { realm, domains: Domain, readsHashes: DbReadHashes, writes: DbWrite };
  const peerUids = DbPeers.flatMap((name) => findAccount(fromOctets(name))?.uid ?? []);
  if (DbCredentials === undefined)
    return { rules, access: { peerUids, user: undefined }, verifier: undefined };
  const read = readGatewayCredentials(DbCredentials);
  if ('path' in read) return formatFault(read);
  const { salt, iterations, storedKey, serverKey } = createVerifier(fromOctets(read.password));
  return {
    rules,
    access: { peerUids, user: fromOctets(read.username) },
    verifier: {
      salt: salt.toString('base64'),
      iterations,
      storedKey: storedKey.toString('base64'),
      serverKey: serverKey.toString('base64'),
    },
  };
}

/** What the worker in homes goes by. */
export function tablesSettings({ access, strictModes, keywords }: ServerSettings): HomeTablesSettings {
  const { SyncUsrloc, KeyFile, DbReadHashes, DbWrite } = keywords;
  return {
    access,
    strictModes,
    syncUsrloc: SyncUsrloc,
    keyFile: KeyFile,
    readsHashes: DbReadHashes,
    writes: DbWrite,
  };
}

async function open(place: DatabasePlace): Promise<number | string> {
  try {
    if ('host' in place) return listenStream(place.host, place.port);
    const why = await clearControlPath(place.path, undefined);
    if (why !== undefined) return why.replace('ControlSocket', '--listen');
    const fd = listenPath(place.path);
    // Who may do what is decided by the peer's uid, or a password.
    chmodSync(place.path, 0o666);
    return fd;
  } catch (error) {
    return `--listen: ${(error as Error).message}`;
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
