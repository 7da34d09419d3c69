// A server's life (DESIGN §3, §5): everything is opened or nothing is; then it serves until it is told to stop.

import { setTimeout } from 'node:timers/promises';
import { controlPath } from '../control/socket-path.ts';
import { hmac, hmacKey } from '../digest/hash.ts';
import { nonceKey } from '../digest/nonce.ts';
import { createNonceCounts } from '../digest/nonce-counts.ts';
import { formatFault } from '../home/fault.ts';
import type { Host } from '../store/host.ts';
import { createLocalHost } from '../store/local-host.ts';
import { readServerKey } from '../store/server-key.ts';
import type { ServerSettings } from '../store/server-settings.ts';
import { DATABASE_KEYWORDS } from '../store/sql/database-settings.ts';
import type { SqlAccounts } from '../store/sql/open.ts';
import { readDatabasePassword } from '../store/sql/password-file.ts';
import { createTransactionLayer } from '../transaction/layer.ts';
import { createTimers } from '../transaction/timers.ts';
import { formatHostPort } from '../transport/address.ts';
import { ListenFault } from '../transport/listen-fault.ts';
import { createLocator } from '../transport/locate.ts';
import { createTraffic } from '../transport/traffic.ts';
import { openTransport, type Transport } from '../transport/transport.ts';
import { warmThreadPool } from '../unix/as-user.ts';
import type { InheritedSocket } from '../unix/inherited-sockets.ts';
import type { Account } from '../unix/nss.ts';
import { createBans } from './bans.ts';
import { buildService } from './build-service.ts';
import { createCallAccounts } from './call-accounts.ts';
import { createCallAttempts } from './call-attempts.ts';
import { createControlMethods, type Operator } from './control-methods.ts';
import { openControlSocket } from './control-socket.ts';
import { createCounters } from './counters.ts';
import { createFailureAnswers } from './failure-answers.ts';
import type { RegistrationTiming } from './gateway-registration.ts';
import { createGateways } from './gateways.ts';
import { createKeepalive, type KeepaliveTiming } from './keepalive.ts';
import type { Log } from './log.ts';
import { openMetrics } from './metrics.ts';
import { createOverloadLog } from './overload.ts';
import { receive, refuseMalformed } from './receive.ts';
import { createRtpEngines } from './rtp-engines.ts';
import type { Service } from './service.ts';
import { createSessions, type SessionTiming } from './sessions.ts';
import { createStatistics } from './statistics.ts';
import { createTracer } from './trace.ts';

/** RFC 3261 §17.1.2.2, table 4. */
const T2_MS = 4000;
const T4_MS = 5000;
/** Nonces whose use is remembered, some 200 bytes each. */
const REMEMBERED_NONCES = 1 << 17;

/** What a reload cannot change. */
const NEED_A_RESTART = [
  ...(['Listen', 'ControlSocket', 'Metrics', 'ServerUser', 'KeyFile'] as const),
  ...DATABASE_KEYWORDS,
];

/** How often a server that is about to stop looks whether all is answered. */
const DRAIN_LOOK_MS = 20;

/** Why a server did not start: the system refused something. */
export interface StartFault {
  readonly type: 'start-fault';
  readonly why: string;
}

/** A server that serves. */
export interface RunningServer {
  readonly type: 'running';
  /** `udp:127.0.0.1:5060` for each socket. */
  readonly listening: readonly string[];
  /** Takes settings as far as they can change while it runs. */
  reload(settings: ServerSettings): void;
  /** Takes nothing new; resolves once all that was begun is answered, or at `enough`. */
  drain(enough: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** What is as it should be where it is not given. */
export interface StartOptions {
  /** Of keepalives. */
  readonly timing?: Partial<KeepaliveTiming> | undefined;
  /** Of registrations at gateways. */
  readonly registration?: Partial<RegistrationTiming> | undefined;
  /** How often calls whose end nobody says are looked at. */
  readonly sweepMs?: number | undefined;
  /** Of sessions. */
  readonly sessions?: Partial<SessionTiming> | undefined;
  /** The file of logins of an own server; by default there is none. */
  readonly wtmp?: string | undefined;
  /** The clock of Match time and of calls: milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds that nobody can set. */
  readonly steady?: () => number;
  /** Does what the control socket asks of the process; undefined: nobody does. */
  readonly operator?: Operator | undefined;
  /** Sockets that are open already. */
  readonly inherited?: readonly InheritedSocket[];
  /** What its keeper gave it; undefined: the server has none. */
  readonly kept?: Kept;
}

/** Of a keeper. */
export interface Kept {
  readonly host: Host;
  /** The secret behind nonces and routes. */
  readonly key: Buffer;
  /** The control socket, which listens. */
  readonly controlFd: number;
}

/**
 * Starts a server, or says why not; nothing stays open then. `own` is the only account served, with `--own`; without it there
 * is a keeper.
 */
export async function startServer(
  settings: ServerSettings,
  own: Account | undefined,
  log: Log,
  {
    timing,
    registration,
    sweepMs,
    sessions: sessionTiming,
    wtmp,
    now = Date.now,
    steady = () => process.uptime() * 1000,
    operator,
    inherited = [],
    kept,
  }: StartOptions = {},
): Promise<RunningServer | StartFault> {
  const opened = kept === undefined ? await openAccounts(settings) : undefined;
  if (typeof opened === 'string') return { type: 'start-fault', why: opened };
  const accounts = opened?.accounts;
  const key = kept?.key ?? opened?.key ?? readServerKey(settings.keywords.KeyFile, own);
  if (!Buffer.isBuffer(key)) return { type: 'start-fault', why: `${key.path}: ${key.text}` };
  const host = kept?.host ?? createLocalHost(settings.keywords.KeyFile, own as Account, wtmp, accounts);
  await warmThreadPool();

  let service: Service | undefined;
  let isDraining = false;
  /** Nothing is heard any more: what it would change could not be written. */
  let isOver = false;
  const counters = createCounters();
  const traffic = createTraffic();
  let transport: Transport;
  try {
    transport = await openTransport({
      listen: settings.keywords.Listen,
      onMessage: (octets, flow) => {
        if (service !== undefined && !isOver) receive(service, octets, flow);
      },
      onMalformed: (malformed, flow) => {
        if (service !== undefined && !isOver) refuseMalformed(service, malformed, flow, 0);
      },
      log,
      traffic,
      inherited,
    });
  } catch (error) {
    if (!(error instanceof ListenFault)) throw error;
    return { type: 'start-fault', why: error.message };
  }
  const tracer = createTracer(traffic, () => service);
  const statistics = createStatistics(counters, traffic, () => service);
  const control = await openControlSocket({
    path: controlPath(settings.keywords.ControlSocket, own),
    own,
    fd: kept?.controlFd,
    methods: createControlMethods({
      current: () => service,
      statistics,
      tracer,
      own,
      operator,
      startedMs: Date.now(),
    }),
    log,
  });
  if (typeof control === 'string') {
    statistics.close();
    await transport.close();
    return { type: 'start-fault', why: control };
  }
  const metrics = await openMetrics(settings.keywords.Metrics, statistics);
  if (typeof metrics === 'string') {
    statistics.close();
    await Promise.all([transport.close(), control.close()]);
    return { type: 'start-fault', why: metrics };
  }
  const transactions = createTransactionLayer({
    t1Ms: settings.keywords.TimerT1,
    t2Ms: T2_MS,
    t4Ms: T4_MS,
    onError: (error) => logSendError(log, error as NodeJS.ErrnoException),
  });
  const locator = createLocator({
    resolver: settings.keywords.Resolver,
    transports: transport.families,
  });
  const gateways = createGateways({
    log,
    locator,
    transport,
    transactions,
    credentialsOf: host.credentialsOf,
    contactKey: hmacKey(Buffer.from(hmac(key, 'gateway contact'), 'hex')),
    timing: registration,
  });
  const calls = createCallAccounts({
    log,
    now,
    steady,
    current: () => service,
    truth: host.truth,
    journal: host.calls,
    sweepMs,
  });
  const sessions = createSessions({
    file: host.sessions,
    logins: host.logins,
    log,
    current: () => service,
    timing: sessionTiming,
  });
  if (own !== undefined && accounts === undefined && settings.keywords.Accounting)
    log('notice', 'accounting', { why: 'calls are in ~/.sr/acct alone: one account is served' });
  const base = {
    own,
    host,
    key,
    log,
    counters,
    tracer,
    transport,
    transactions,
    keepalive: createKeepalive({ transport, transactions, log, current: () => service, timing }),
    sessions,
    locator,
    gateways,
    rtpEngines: createRtpEngines(log),
    timers: createTimers(),
    now,
    callAttempts: createCallAttempts(),
    calls,
    refusedByOverload: createOverloadLog((refused) => log('warning', 'overload', { refused })),
    isDraining: () => isDraining,
    failures: createFailureAnswers(),
    bans: createBans(() => {
      const { MaxAuthTries, BanTime } = (service as Service).keywords;
      return { tries: MaxAuthTries, banMs: BanTime * 1000 };
    }),
    nonceKey: nonceKey(key),
    nonceCounts: createNonceCounts({ places: REMEMBERED_NONCES }),
  };
  await sessions.takeOver();
  await calls.takeUp();
  service = buildService(settings, base);
  gateways.apply(settings.gateways);
  sessions.start();
  const listening = transport
    .addresses()
    .map((socket) => `${socket.transport}:${formatHostPort(socket.address, socket.port)}`);
  log('info', 'ready', { listen: listening.join(','), realm: settings.realm, own: own?.name });
  return {
    type: 'running',
    listening,
    reload(changed) {
      for (const name of NEED_A_RESTART)
        if (JSON.stringify(changed.keywords[name]) !== JSON.stringify(settings.keywords[name]))
          log('warning', 'reload', { why: `a changed ${name} needs a restart` });
      service?.store.close();
      gateways.apply(changed.gateways);
      service = buildService(changed, base);
      log.setLevel(changed.keywords.LogLevel);
      log('info', 'reloaded', { file: changed.path });
    },
    async drain(enough) {
      isDraining = true;
      while (transactions.unanswered() > 0 && !enough.aborted) await setTimeout(DRAIN_LOOK_MS);
    },
    async stop() {
      await gateways.close();
      await base.rtpEngines.close();
      isOver = true;
      const left = { transactions: transactions.size(), timers: base.timers.size() };
      base.failures.close();
      base.keepalive.close();
      await sessions.close();
      transactions.close();
      base.timers.close();
      await calls.close();
      base.locator.close();
      await transport.close();
      service?.store.close();
      host.close();
      await metrics.close();
      statistics.close();
      // Last of all: whoever asked for the stop sees the end of it.
      await control.close();
      log('info', 'stopped', left);
      log.flush();
    },
  };
}

/** The database that DbUrl names, or why it can't be had; undefined: it names none. */
async function openAccounts({
  realm,
  verify,
  access,
  database,
}: ServerSettings): Promise<{ accounts: SqlAccounts; key: Buffer } | string | undefined> {
  if (database === undefined) return undefined;
  const password = readDatabasePassword(database.passwordFile);
  if (typeof password === 'object') return formatFault(password);
  // Its libraries are for who needs them.
  const { openSqlAccounts } = await import('../store/sql/open.ts');
  const accounts = await openSqlAccounts({ database, realm, verify, access }, password);
  const key = await accounts.check({ database, realm, verify, access });
  if (!Array.isArray(key)) return { accounts, key };
  accounts.close();
  return key.join('\n');
}

/** The network's refusals are everyday; anything else is a fault of ours. */
function logSendError(log: Log, error: NodeJS.ErrnoException): void {
  if (error.code === undefined) log('error', 'internal-error', { why: error.stack });
  else log('debug', 'send-failed', { why: error.message });
}
