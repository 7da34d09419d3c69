// The server without privileges (DESIGN §5): its keeper started it with the sockets as descriptors, and tells it over
// descriptor 3 what to serve with. It ends with its keeper.

import { Socket } from 'node:net';
import { openChannel, parseJson } from '../store/channel.ts';
import { createKeeperHost, type KeeperHost } from '../store/keeper-host.ts';
import type { Ordered, Told } from '../store/keeper-messages.ts';
import { settingsOf } from '../store/server-settings.ts';
import { receiveDescriptor } from '../unix/pass-descriptor.ts';
import { hardenProcess } from '../unix/process-hardening.ts';
import type { Log } from './log.ts';
import { openServerLog } from './server-log.ts';
import { type RunningServer, startServer } from './start.ts';

const CHANNEL_FD = 3;
/** Descriptors come over it. */
const PASSING_FD = 4;
/** How long it waits for answers to what was asked, when it is to stop. */
const DRAIN_MS = 5000;
/** How long work waits where all is well: homes are on this host, a database is a few questions away. */
const BEHIND_MS = { homes: 40, database: 500 };

hardenProcess();
// A signal to all of the server's processes is for the keeper, which tells what to do.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

let host: KeeperHost | undefined;
let log: Log | undefined;
let running: RunningServer | undefined;
/** Told to stop; aborted when told so again. */
let enough: AbortController | undefined;

const channel = openChannel(new Socket({ fd: CHANNEL_FD }), {
  onLines(lines) {
    for (const line of lines)
      if (line.startsWith('tell ')) ordered(parseJson(line.slice('tell '.length)) as Ordered);
      else host?.answered(line);
  },
  // Without its keeper nothing can be done any more.
  onEnd: () => process.exit(process.exitCode ?? 1),
});

function tell(what: Told): void {
  channel.send(`tell ${JSON.stringify(what)}`);
}

function ordered(what: Ordered): void {
  switch (what.type) {
    case 'start':
      void start(what);
      break;
    case 'reload': {
      const { settings } = settingsOf(what.settings, undefined);
      running?.reload(settings);
      break;
    }
    case 'reload-refused':
      for (const text of what.faults) log?.('error', 'fault', { text });
      log?.('error', 'reload', { why: 'nothing changed: the configuration has faults' });
      break;
    case 'fault':
      host?.fault(what.text);
      break;
    case 'worker': {
      const fd = receiveDescriptor(PASSING_FD);
      if (fd !== undefined) host?.useWorker(new Socket({ fd }));
      break;
    }
    case 'stalled': {
      const { user, why } = what;
      log?.('error', 'home-stalled', { user: user === '' ? undefined : user, why });
      if (user !== '') host?.serveApart(user, true);
      break;
    }
    case 'well':
      host?.serveApart(what.user, false);
      break;
    case 'stop':
      if (enough === undefined) void stop();
      else enough.abort();
  }
}

async function start(what: Ordered & { type: 'start' }): Promise<void> {
  const { settings: text, key, sockets, controlFd, wtmp, aliveMs } = what;
  const { settings } = settingsOf(text, undefined);
  const kept = createKeeperHost(
    channel,
    settings.keywords.KeyFile,
    wtmp,
    settings.database === undefined ? BEHIND_MS.homes : BEHIND_MS.database,
  );
  host = kept;
  log = openServerLog(settings);
  const started = await startServer(settings, undefined, log, {
    inherited: sockets,
    kept: { host: kept, key: Buffer.from(key, 'hex'), controlFd },
    operator: { pid: process.ppid, reload: () => kept.reload(), stop: () => tell({ type: 'stop' }) },
  });
  if (started.type === 'start-fault') {
    log.flush();
    tell({ type: 'fault', why: started.why });
    leave(1);
    return;
  }
  running = started;
  tell({ type: 'ready', status: `serving ${settings.realm} at ${started.listening.join(', ')}` });
  if (aliveMs !== undefined) setInterval(() => tell({ type: 'alive' }), aliveMs).unref();
  if (enough !== undefined) await end(enough);
}

async function stop(): Promise<void> {
  enough = new AbortController();
  if (running !== undefined) await end(enough);
}

async function end(patience: AbortController): Promise<void> {
  const timer = setTimeout(() => patience.abort(), DRAIN_MS);
  await running?.drain(patience.signal);
  clearTimeout(timer);
  await running?.stop();
  leave(0);
}

/** What was said is on its way when the process ends. */
function leave(code: number): void {
  process.exitCode = code;
  channel.end();
}
