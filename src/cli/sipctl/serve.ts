// sipctl serve: checks (-t), shows (-T), or runs the server until a signal ends it.

import { realpathSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { formatSetting } from '../../home/config.ts';
import { formatFault } from '../../home/fault.ts';
import { formatGateway } from '../../home/gateway.ts';
import { type KeywordName, keywordEntry } from '../../home/keywords.ts';
import { type Level, openLog } from '../../server/log.ts';
import type { LogEvent } from '../../server/log-events.ts';
import { type RunningServer, startServer } from '../../server/start.ts';
import { readServerSettings, type ServerSettings } from '../../store/server-settings.ts';
import { takeInheritedSockets } from '../../unix/inherited-sockets.ts';
import { type Account, findAccountByUid } from '../../unix/nss.ts';
import { hardenProcess } from '../../unix/process-hardening.ts';
import {
  findServiceManager,
  monotonicMicroseconds,
  type ServiceManager,
} from '../../unix/service-manager.ts';
import { openSyslog } from '../../unix/syslog.ts';
import { type Context, isSet, listOption, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { firstPassword } from './first-password.ts';

/** Runs the server; resolves when it has stopped. */
export async function run(context: Context): Promise<number> {
  hardenProcess();
  const manager = findServiceManager();
  const inherited = takeInheritedSockets();
  const { report } = context;
  const isRoot = process.geteuid?.() === 0;
  const own = isSet(context, 'own') || !isRoot ? findAccountByUid(process.getuid?.() ?? 0) : undefined;
  if (own === undefined && (!isRoot || isSet(context, 'own'))) {
    report.error(`no account has uid ${process.getuid?.()}`);
    return sysExit.EX_NOUSER.code;
  }
  const overrides = listOption(context, 'o');
  // The global part comes first: -o may begin a block.
  const read = (more: readonly string[] = []) =>
    readServerSettings({ file: textOption(context, 'f'), overrides: [...more, ...overrides], own });
  let { settings, faults } = read();
  for (const fault of faults) report.fault(fault);
  if (faults.length > 0) return sysExit.EX_CONFIG.code;
  warnLater(context, settings);
  const loopbackOnly = own !== undefined && isRoot && !says(settings, 'Listen') ? LOOPBACK : [];
  if (loopbackOnly.length > 0) ({ settings, faults } = read(loopbackOnly));
  if (isSet(context, 'T')) return showSettings(context, settings);
  if (isSet(context, 't')) return sysExit.EX_OK.code;

  const log = openLog(settings.keywords.LogLevel, syslogOf(settings));
  if (own === undefined)
    log('warning', 'unseparated', {
      why: 'serving as root in one process: privilege separation is not in this version',
    });
  let running: RunningServer | undefined;
  let status = 'starting';
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const operator = { reload: () => reload(), stop: () => stop() };
  const server = await startServer(settings, own, log, { operator, inherited, pamWorker: pamWorker() });
  if (server.type === 'start-fault') {
    log.flush();
    manager?.tell(`STATUS=${server.lines[0]}`);
    for (const line of server.lines) report.error(line);
    return server.kind === 'configuration' ? sysExit.EX_CONFIG.code : sysExit.EX_OSERR.code;
  }
  running = server;
  status = `serving ${settings.realm} at ${server.listening.join(', ')}`;
  if (own !== undefined) {
    const password = firstPassword(own, settings.realm);
    if (typeof password === 'object') {
      report.fault(password);
      await server.stop();
      return sysExit.EX_CANTCREAT.code;
    }
    introduce(context, own, settings, server.listening, password, loopbackOnly.length > 0);
  }
  function reload(): readonly string[] {
    manager?.tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`);
    const again = read(loopbackOnly);
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

/** The process that asks PAM: it is built beside us, wherever the command's name is a link to. */
function pamWorker(): readonly string[] {
  const bin = dirname(realpathSync(process.argv[1] as string));
  return [process.execPath, join(bin, '../dist/pam-worker.js')];
}

/** How long a server that is to stop waits for answers to what was asked. */
const DRAIN_MS = 5000;

/** Tells the service manager in half its time that the event loop turns. */
function keepAlive(manager: ServiceManager | undefined): NodeJS.Timeout | undefined {
  if (manager?.watchdogMs === undefined) return undefined;
  return setInterval(() => manager.tell('WATCHDOG=1'), manager.watchdogMs / 2);
}

const LOOPBACK = ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'].map((socket) => `Listen ${socket}`);

function says(settings: ServerSettings, name: KeywordName): boolean {
  return settings.layers.some((layer) => layer.global.some(({ keyword }) => keyword === name));
}

/** With SyslogFacility in the configuration the log goes to syslog too: authentication to authpriv, as sshd's does. */
function syslogOf(settings: ServerSettings) {
  if (!says(settings, 'SyslogFacility')) return undefined;
  const daemon = openSyslog('sipctl', settings.keywords.SyslogFacility);
  const auth = openSyslog('sipctl', 'authpriv');
  return (level: Level, event: LogEvent, text: string) =>
    (event.startsWith('auth-') ? auth : daemon)?.write(level === 'error' ? 'err' : level, text);
}

/** Keywords this version takes but does not act on are said once. */
function warnLater(context: Context, settings: ServerSettings): void {
  for (const { path, global } of settings.layers)
    for (const { keyword, line } of global)
      if (!keywordEntry(keyword).inForce)
        context.report.warning(formatFault({ path, line, text: `${keyword}: not in force in this version` }));
}

/** Prints every keyword and gateway in effect, as a configuration file has them. */
function showSettings({ report }: Context, settings: ServerSettings): number {
  const keywords = { ...settings.keywords, Realm: settings.realm, AllowGroups: settings.access.allowGroups };
  if (report.json) report.value({ ...keywords, Gateway: settings.gateways });
  else {
    for (const [name, value] of Object.entries(keywords))
      for (const line of formatSetting(name as KeywordName, value)) report.print(line);
    for (const gateway of settings.gateways) for (const line of formatGateway(gateway)) report.print(line);
  }
  return sysExit.EX_OK.code;
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
