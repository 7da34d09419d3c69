// sipctl serve for one account: the server is this process, run by the account itself or by root with --own.

import { networkInterfaces } from 'node:os';
import { formatFault } from '../../home/fault.ts';
import { openServerLog } from '../../server/server-log.ts';
import { type RunningServer, startServer } from '../../server/start.ts';
import { readServerSettings, type ServerSettings, type SettingsSource } from '../../store/server-settings.ts';
import type { InheritedSocket } from '../../unix/inherited-sockets.ts';
import type { Account } from '../../unix/nss.ts';
import { monotonicMicroseconds, type ServiceManager } from '../../unix/service-manager.ts';
import type { Context } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { firstPassword } from './first-password.ts';

interface OwnParts {
  readonly source: SettingsSource;
  /** What the source says now. */
  readonly settings: ServerSettings;
  readonly inherited: readonly InheritedSocket[];
  readonly manager: ServiceManager | undefined;
  /** Nobody said where to listen. */
  readonly isLoopbackOnly: boolean;
}

/** Serves one account; resolves when the server has stopped. */
export async function serveOwn(context: Context, own: Account, parts: OwnParts): Promise<number> {
  const { source, settings, inherited, manager, isLoopbackOnly } = parts;
  const { report } = context;
  const log = openServerLog(settings);
  let running: RunningServer | undefined;
  let status = 'starting';
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const operator = { pid: process.pid, reload: () => reload(), stop: () => stop() };
  const server = await startServer(settings, own, log, { operator, inherited });
  if (server.type === 'start-fault') {
    log.flush();
    manager?.tell(`STATUS=${server.why}`);
    report.error(server.why);
    return sysExit.EX_OSERR.code;
  }
  running = server;
  status = `serving ${settings.realm} at ${server.listening.join(', ')}`;
  const isUnix = settings.database === undefined;
  const password = isUnix ? firstPassword(own, settings.realm) : undefined;
  if (typeof password === 'object') {
    report.fault(password);
    await server.stop();
    return sysExit.EX_CANTCREAT.code;
  }
  if (isUnix) introduce(context, own, settings, server.listening, password, isLoopbackOnly);
  else report.print(`Serving the accounts of ${settings.keywords.DbUrl} at ${server.listening.join(', ')}`);
  function reload(): readonly string[] {
    manager?.tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`);
    const again = readServerSettings(source);
    const texts = again.faults.map(formatFault);
    for (const text of texts) log('error', 'fault', { text });
    if (texts.length === 0) running?.reload(again.settings);
    else log('error', 'reload', { why: 'nothing changed: the configuration has faults' });
    manager?.tell('READY=1', `STATUS=${texts[0] ?? status}`);
    return texts;
  }
  process.on('SIGHUP', reload);
  const enough = new AbortController();
  stopped.then(() => {
    stop = () => enough.abort();
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop());
  manager?.tell('READY=1', `STATUS=${status}`);
  const alive = keepAlive(manager);
  await stopped;
  manager?.tell('STOPPING=1');
  const patience = setTimeout(() => enough.abort(), DRAIN_MS);
  await server.drain(enough.signal);
  clearTimeout(patience);
  await server.stop();
  clearInterval(alive);
  manager?.close();
  return sysExit.EX_OK.code;
}

/** How long a server that is to stop waits for answers to what was asked. */
const DRAIN_MS = 5000;

/** Tells the service manager in half its time that the event loop turns. */
function keepAlive(manager: ServiceManager | undefined): NodeJS.Timeout | undefined {
  if (manager?.watchdogMs === undefined) return undefined;
  return setInterval(() => manager.tell('WATCHDOG=1'), manager.watchdogMs / 2);
}

/** Says what to type into a phone; a new password is shown this once. */
function introduce(
  { report }: Context,
  own: Account,
  settings: ServerSettings,
  listening: readonly string[],
  password: string | undefined,
  loopbackOnly: boolean,
): void {
  report.print('Type this into a phone:');
  report.print(`  user name  ${own.name}`);
  report.print(`  password   ${password ?? 'the one you have; sippasswd sets another'}`);
  report.print(`  domain     ${settings.realm}`);
  report.print(`  server     ${reachable(listening).join(', or ')}`);
  if (password !== undefined) report.print('The password is shown this once; sippasswd sets another.');
  if (loopbackOnly)
    report.print('Run by root for itself it listens on loopback only; -o "Listen udp:*:5060" opens it.');
}

/** Where phones find us: addresses others can reach first, loopback if there is no other. */
function reachable(listening: readonly string[]): string[] {
  const loopback = new Set(
    Object.values(networkInterfaces()).flatMap((infos) =>
      (infos ?? []).filter(({ internal }) => internal).map(({ address }) => address),
    ),
  );
  const sockets = [...new Set(listening.map((socket) => socket.replace(/^\w+:/, '')))];
  const outside = sockets.filter((socket) => ![...loopback].some((address) => socket.includes(address)));
  return outside.length > 0 ? outside : sockets;
}
