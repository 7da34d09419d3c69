// The keeper (DESIGN §5): stays root, has no network socket, parses no SIP. It starts the server without privileges and does
// for it what only root can, and no more: what the server asks is taken for an attacker's (requests.ts). If one of the two ends,
// so does the other.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { controlPath } from '../control/socket-path.ts';
import { formatFault } from '../home/fault.ts';
import { ALIASES } from '../store/aliases-file.ts';
import { type Channel, openChannel, parseJson } from '../store/channel.ts';
import { readGatewayCredentials } from '../store/gateway-credentials.ts';
import { hostFiles } from '../store/host-files.ts';
import type { Ordered, Question, Told } from '../store/keeper-messages.ts';
import { readServerKey } from '../store/server-key.ts';
import {
  readSettingsText,
  type ServerSettings,
  type SettingsSource,
  type SettingsText,
  settingsOf,
} from '../store/server-settings.ts';
import type { DatabaseSettings } from '../store/sql/database-settings.ts';
import { readDatabasePassword } from '../store/sql/password-file.ts';
import { type Answer, type Store, whole } from '../store/store.ts';
import { restoreGroups, warmThreadPool } from '../unix/as-user.ts';
import type { InheritedSocket } from '../unix/inherited-sockets.ts';
import { libc } from '../unix/libc.ts';
import { type Account, findAccount, groupExists } from '../unix/nss.ts';
import { hasPamService } from '../unix/pam.ts';
import { sendDescriptor, socketPair } from '../unix/pass-descriptor.ts';
import { monotonicMicroseconds, type ServiceManager } from '../unix/service-manager.ts';
import { WTMP } from '../unix/wtmp.ts';
import type { DatabaseOpened, DatabaseWorkerSettings } from './database-worker.ts';
import type { HomeSettings } from './home-worker.ts';
import { createHomeWorkers, type HomeWorkers } from './home-workers.ts';
import {
  builtFile,
  childEnvironment,
  firstUnreadable,
  HOME_CAPABILITIES,
  launchFault,
  serverArgv,
  workerArgv,
} from './launch.ts';
import { createPamStore } from './pam-store.ts';
import { createPamWorkers, type PamWorkers } from './pam-workers.ts';
import { operationsOf, questionOf } from './requests.ts';
import { openControl, openSockets, removeControl } from './sockets.ts';

/** What a keeper is started with. */
export interface KeeperParts {
  readonly source: SettingsSource;
  /** What the source says now, and the settings that makes, without fault. */
  readonly text: SettingsText;
  readonly settings: ServerSettings;
  readonly inherited: readonly InheritedSocket[];
  readonly manager: ServiceManager | undefined;
  /** Says a line to whoever started us. */
  readonly complain: (line: string) => void;
}

/** How a server that was kept ended. */
export type KeeperEnd = 'stopped' | 'configuration' | 'system' | 'died';

const CHANNEL_FD = 3;
const HOMES = { stallMs: 500, deadlineMs: 3000, apart: 4, mostWaiting: 50_000 };
const PAM = { workers: 4, deadlineMs: 10_000, mostWaiting: 200 };
/** How long a server that was told to stop may take. */
const STOP_MS = 10_000;
/** How long a port or the control socket may be another's when we start. */
const PATIENCE_MS = 1000;
/** How long a server may outlive its channel. */
const LAST_MS = 1000;
const ID = /^\d{1,16}$/;
const NOT_A_REQUEST = { type: 'failed', why: 'not a request' };

/** Starts a server and keeps it; resolves when it has ended. */
export async function keepServer(parts: KeeperParts): Promise<KeeperEnd> {
  const { source, manager, complain, text: readText } = parts;
  await warmThreadPool();
  const account = findAccount(parts.settings.keywords.ServerUser);
  const faults = configurationFaults(parts.settings, account);
  if (account === undefined || faults.length > 0) return refuse('configuration', faults);
  const { KeyFile, Listen, ControlSocket } = parts.settings.keywords;
  let key = readServerKey(KeyFile, undefined);
  if (!Buffer.isBuffer(key)) return refuse('system', [formatFault(key)]);
  const cannot = launchFault(account);
  if (cannot !== undefined) return refuse('system', [cannot]);
  const path = controlPath(ControlSocket, undefined);
  const sockets = await patiently(() => openSockets(Listen, parts.inherited));
  if (typeof sockets === 'string') return refuse('system', [sockets]);
  const control = await patiently(() => openControl(path));
  if (typeof control === 'string') return refuse('system', [control]);

  const [passing, passed] = socketPair();
  /** What is ordered before there is a server, for when there is one. */
  const ordered: string[] = [];
  let channel: Channel | undefined;
  let server: ChildProcess | undefined;
  let settings = parts.settings;
  const files = hostFiles(KeyFile, undefined, WTMP);
  const env = childEnvironment();
  const { database } = settings;
  const password = readDatabasePassword(database?.passwordFile);
  if (typeof password === 'object') return refuse('configuration', [formatFault(password)]);
  /** A server has one database for its life. */
  const storeSettings = (now: ServerSettings) =>
    database === undefined ? homeSettings(now) : databaseSettings(now, database, password);
  let onOpened: (answer: DatabaseOpened) => void = () => {};
  const opened = new Promise<DatabaseOpened>((resolve) => {
    onOpened = resolve;
  });
  const homes = createHomeWorkers({
    ...HOMES,
    argv:
      database === undefined
        ? workerArgv(builtFile('home-worker.js'), HOME_CAPABILITIES)
        : workerArgv(builtFile('database-worker.js'), []),
    env,
    homes: storeSettings(settings),
    isDirect: isDirect(settings),
    onOpened: (answer) => onOpened(answer as DatabaseOpened),
    onFault: (text) => order({ type: 'fault', text }),
    onStall: (user, why) => order({ type: 'stalled', user, why }),
    onWell: (user) => order({ type: 'well', user }),
    onHopeless(why) {
      complain(`no worker can be kept: ${why}`);
      onOpened({ faults: [] });
      server?.kill('SIGKILL');
    },
    onDirect(fd) {
      if (sendDescriptor(passing, fd)) order({ type: 'worker' });
      libc().close(fd);
    },
  });
  const pam = createPamWorkers({ ...PAM, argv: [process.execPath, builtFile('pam-worker.js')], env });
  let pamStore = storeWithPam(homes, pam, settings);

  if (database !== undefined) {
    const { key: shared, faults: wrong = [] } = await opened;
    if (shared === undefined) {
      homes.close();
      removeControl(path);
      return refuse('system', wrong);
    }
    key = Buffer.from(shared, 'hex');
  }
  restoreGroups();
  const [program, ...rest] = serverArgv(account, builtFile('server.js')) as [string, ...string[]];
  const given = [passed, control, ...sockets.map(({ fd }) => fd)];
  server = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...given], env });
  for (const fd of given) libc().close(fd);
  channel = openChannel(server.stdio[CHANNEL_FD] as Duplex, {
    onLines(lines) {
      for (const line of lines) takeLine(line);
      homes.flush();
    },
    onEnd: (why) => {
      if (why !== undefined) complain(`the channel to the server ended: ${why}`);
      setTimeout(() => server?.kill('SIGKILL'), LAST_MS).unref();
    },
  });

  let end: KeeperEnd = 'died';
  let status = 'starting';
  let isStopping = false;
  let patience: NodeJS.Timeout | undefined;

  function order(what: Ordered): void {
    const line = `tell ${JSON.stringify(what)}`;
    if (channel === undefined) ordered.push(line);
    else channel.send(line);
  }

  /** `run ID USER JSON`, `ask ID JSON`, `tell JSON`; what is none of these is passed over. */
  function takeLine(line: string): void {
    const kindEnds = line.indexOf(' ');
    const kind = line.slice(0, kindEnds);
    if (kind === 'tell') {
      told(parseJson(line.slice(kindEnds + 1)) as Told | null | undefined);
      return;
    }
    const idEnds = line.indexOf(' ', kindEnds + 1);
    const id = line.slice(kindEnds + 1, idEnds);
    if (!ID.test(id)) return;
    if (kind === 'run') run(id, line, idEnds + 1);
    else if (kind === 'ask') {
      const question = questionOf(line.slice(idEnds + 1));
      const answer = question === undefined ? NOT_A_REQUEST : answerTo(question);
      channel?.send(`${id} ${JSON.stringify(answer ?? null)}`);
    }
  }

  function run(id: string, line: string, at: number): void {
    const userEnds = line.indexOf(' ', at);
    const user = decoded(line.slice(at, userEnds));
    const json = line.slice(userEnds + 1);
    const answer = (answers: string) => channel?.send(`${id} ${answers}`);
    if (user === undefined) answer(JSON.stringify([NOT_A_REQUEST]));
    else if (pamStore === undefined) homes.run(user, json, answer);
    else {
      const operations = operationsOf(json);
      if (operations === undefined) answer(JSON.stringify([NOT_A_REQUEST]));
      else void pamStore.run(user, operations).then((answers) => answer(JSON.stringify(answers)));
    }
  }

  function answerTo(question: Question): unknown {
    switch (question.type) {
      case 'read':
        return question.file === 'sessions' ? files.sessions.read('current') : fileOf(question.file)?.read();
      case 'tail':
        return question.file === 'sessions' ? '' : fileOf(question.file)?.tail(question.bytes);
      case 'append':
        return question.file === 'sessions'
          ? files.sessions.append(question.text, question.waitMs)
          : fileOf(question.file)?.append(question.text);
      case 'replace':
        return question.file === 'sessions'
          ? files.sessions.renew(question.text)
          : fileOf(question.file)?.replace(question.text);
      case 'logins':
        return files.logins?.write(question.records);
      case 'credentials': {
        const gateway = settings.gateways.find(({ name }) => name === question.gateway);
        if (gateway?.credentials !== undefined) return readGatewayCredentials(gateway.credentials);
        return { path: settings.path ?? '', line: 0, text: 'no such gateway' };
      }
      case 'reload':
        return reload();
    }
  }

  function fileOf(name: 'truth' | 'calls') {
    return name === 'truth' ? files.truth : files.calls;
  }

  function told(what: Told | null | undefined): void {
    switch (what?.type) {
      case 'ready':
        status = printable(what.status);
        manager?.tell('READY=1', `STATUS=${status}`);
        break;
      case 'fault':
        end = 'system';
        manager?.tell(`STATUS=${printable(what.why)}`);
        complain(printable(what.why));
        break;
      case 'alive':
        manager?.tell('WATCHDOG=1');
        break;
      case 'stop':
        stop();
    }
  }

  /** All or nothing; answers what is wrong. */
  function reload(): readonly string[] {
    manager?.tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`);
    const text = readSettingsText(source);
    const read = settingsOf(text, undefined);
    const faults = [...read.faults.map(formatFault), ...missingPamService(read.settings)];
    if (faults.length > 0) order({ type: 'reload-refused', faults });
    else {
      settings = read.settings;
      homes.apply(storeSettings(settings), isDirect(settings));
      pamStore = storeWithPam(homes, pam, settings);
      order({ type: 'reload', settings: text });
    }
    manager?.tell('READY=1', `STATUS=${faults[0] ?? status}`);
    return faults;
  }

  function stop(): void {
    if (!isStopping) {
      isStopping = true;
      manager?.tell('STOPPING=1');
      // Before the server ends: who waits for that finds it gone.
      removeControl(path);
      patience = setTimeout(() => server?.kill('SIGKILL'), STOP_MS);
    }
    order({ type: 'stop' });
  }

  process.on('SIGHUP', reload);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  const watchdogMs = manager?.watchdogMs;
  order({
    type: 'start',
    settings: readText,
    key: key.toString('hex'),
    sockets: sockets.map((socket, index) => ({ ...socket, fd: CHANNEL_FD + 3 + index })),
    controlFd: CHANNEL_FD + 2,
    wtmp: WTMP,
    aliveMs: watchdogMs === undefined ? undefined : watchdogMs / 2,
  });
  for (const line of ordered) channel.send(line);
  const how = await ended(server);
  clearTimeout(patience);
  if (end === 'died' && how === 0) end = 'stopped';
  if (end === 'died') complain(`the server ended: ${how}`);
  if (!isStopping) removeControl(path);
  homes.close();
  pam.close();
  files.close();
  libc().close(passing);
  return end;

  function refuse(why: 'configuration' | 'system', lines: readonly string[]): KeeperEnd {
    manager?.tell(`STATUS=${lines[0]}`);
    for (const line of lines) complain(line);
    return why;
  }
}

/** Opens something, again for a moment: the server of a keeper that was killed has to notice that first. */
async function patiently<T>(open: () => T | string | Promise<T | string>): Promise<T | string> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const opened = await open();
    if (typeof opened !== 'string' || performance.now() > untilMs) return opened;
    await delay(PATIENCE_MS / 20);
  }
}

/** Resolves to the exit code of a process, or the signal that ended it. */
function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
}

/** What the server says, for a terminal. */
function printable(text: unknown): string {
  return String(text).replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** With UsePAM each request of the server passes the keeper, who asks PAM. */
function isDirect({ keywords }: ServerSettings): boolean {
  return !keywords.UsePAM;
}

function databaseSettings(
  { realm, verify, access, database: now }: ServerSettings,
  database: DatabaseSettings,
  password: string | undefined,
): DatabaseWorkerSettings {
  const cacheMs = now?.cacheMs ?? database.cacheMs;
  return { database: { ...database, cacheMs }, realm, verify, access, password };
}

function homeSettings({ verify, access, strictModes, keywords }: ServerSettings): HomeSettings {
  return { verify, access, strictModes, syncUsrloc: keywords.SyncUsrloc };
}

/** With `UsePAM yes`; undefined: nobody is asked. */
function storeWithPam(homes: HomeWorkers, pam: PamWorkers, { keywords }: ServerSettings): Store | undefined {
  if (!keywords.UsePAM) return undefined;
  const store: Store = {
    run: (user, operations) =>
      new Promise((resolve) => {
        homes.run(user, JSON.stringify(operations), (answers) => {
          resolve(whole(JSON.parse(answers) as Answer[], operations));
        });
      }),
    close() {},
  };
  return createPamStore(store, pam, keywords.PAMService);
}

/** What must be there before anything is opened. */
function configurationFaults(settings: ServerSettings, account: Account | undefined): string[] {
  const { ServerUser } = settings.keywords;
  const missing =
    account === undefined
      ? [`ServerUser: no account ${ServerUser} on this host: useradd --system --no-create-home ${ServerUser}`]
      : account.uid === 0
        ? [`ServerUser: ${ServerUser} is root`]
        : hiddenAliases(account);
  return [...missingGroups(settings), ...missingPamService(settings), ...missing];
}

function hiddenAliases(account: Account): string[] {
  if (firstUnreadable(account, [ALIASES]) === undefined) return [];
  return [
    `${ALIASES}: ServerUser ${account.name} may not read it: chmod a+rx /etc/sr && chmod a+r ${ALIASES}`,
  ];
}

function missingPamService({ keywords }: ServerSettings): string[] {
  const { UsePAM, PAMService } = keywords;
  if (!UsePAM || hasPamService(PAMService)) return [];
  return [`PAMService: /etc/pam.d/${PAMService} is missing: copy etc/pam.d/sip of unixsip there`];
}

/** A rule that names no group of this host admits nobody. */
function missingGroups({ access, database }: ServerSettings): string[] {
  if (database !== undefined) return [];
  const named = access.allowGroups.filter((group) => !/[*?]/.test(group));
  if (named.length === 0 || named.some((group) => groupExists(group))) return [];
  return [`AllowGroups: no group ${named.join(' ')} on this host: groupadd --system ${named[0]}`];
}
