// Work in homes is done by processes, for a home can hang: a mount that does not answer holds a system call for ever. One
// worker serves everybody, many users in one turn. Where it stands still it is killed, the request it stood at is that of a
// user who is served apart from then on, in one of a few workers of their own, one user in one at a time, until his home
// answers again; what the others asked is asked again. So a home that hangs delays the others once, by STALL_MS and a start.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { type Channel, openChannel, parseJson } from '../store/channel.ts';
import { restoreGroups } from '../unix/as-user.ts';
import { libc } from '../unix/libc.ts';
import { socketPair } from '../unix/pass-descriptor.ts';
import { createProgress, readProgress } from './progress.ts';

/** How it is done. */
export interface HomeWorkersSettings {
  /** The argv of a worker: home-worker.ts, built. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The settings of its store, a plain value. */
  readonly homes: object;
  /** A worker that is at one request for so long, and does not run, stands still; milliseconds. */
  readonly stallMs: number;
  /** How long a request of a user who is served apart may take. */
  readonly deadlineMs: number;
  /** Workers for users who are served apart. */
  readonly apart: number;
  /** Whether the server asks the common worker itself. */
  readonly isDirect: boolean;
  /** Requests that may wait, of all users. */
  readonly mostWaiting: number;
  /** Gets faults of users' files. */
  readonly onFault: (text: string) => void;
  /** Gets who is served apart from now on, and why; nobody where a worker was lost otherwise. */
  readonly onStall: (user: string, why: string) => void;
  /** Gets who is served with the others again. */
  readonly onWell: (user: string) => void;
  /** Called when no worker lives long enough to do anything: nothing can be served. */
  readonly onHopeless: (why: string) => void;
  /** Gets what a worker says of having opened its store. */
  readonly onOpened: (answer: unknown) => void;
  /** Gets the server's end of a new common worker's socket, to be closed. */
  readonly onDirect: (fd: number) => void;
}

/** Work in homes. */
export interface HomeWorkers {
  /** Has operations done, JSON of a valid list; `answer` gets JSON of a list of as many answers. */
  run(user: string, operations: string, answer: (answers: string) => void): void;
  /** From now on these settings hold. */
  apply(homes: object, isDirect: boolean): void;
  /** Sends what waits for the end of the turn. */
  flush(): void;
  close(): void;
}

interface Request {
  readonly user: string;
  readonly operations: string;
  readonly answer: (answers: string) => void;
  readonly sinceMs: number;
  /** Workers that were lost with it. */
  losses: number;
}

interface Worker {
  readonly process: ChildProcess;
  readonly channel: Channel;
  readonly progressFd: number;
  readonly requests: Map<number, Request>;
  /** The count of its progress when it was looked at last, and since when it is that. */
  count: number;
  sinceMs: number;
}

const CHANNEL_FD = 3;
const LOOK_MS = 100;
const MOST_LOSSES = 2;
/** Common workers lost one behind the other that had begun nothing. */
const MOST_BARREN = 5;
/** Requests of one user who is served apart that wait. */
const MOST_APART = 16;
/** A home that answers within so long hangs no more. */
const WELL_MS = 100;
const REPEATED = '"isRepeated":false';

/** Starts one worker at once. */
export function createHomeWorkers(settings: HomeWorkersSettings): HomeWorkers {
  let { homes, isDirect } = settings;
  let isClosed = false;
  let nextId = 0;
  let waiting = 0;
  let barren = 0;
  let common = startCommon();
  /** Users who are served apart: what they ask and is not asked of a worker yet. */
  const apart = new Map<string, Request[]>();
  const apartWorkers = new Map<Worker, string | undefined>();
  /** Killed, and not gone: a system call that nothing ends. */
  const undead = new Set<ChildProcess>();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();

  function startCommon(): Worker {
    if (!isDirect) return start();
    const [ours, its] = socketPair();
    const worker = start(its);
    libc().close(its);
    settings.onDirect(ours);
    return worker;
  }

  function start(directFd?: number): Worker {
    const [program, ...rest] = settings.argv as [string, ...string[]];
    restoreGroups();
    const progressFd = createProgress();
    const [fds, words] = directFd === undefined ? [[], []] : [[directFd], ['direct']];
    const child = spawn(program, [...rest, ...words], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe', progressFd, ...fds],
      env: settings.env,
    });
    const worker: Worker = {
      process: child,
      channel: openChannel(child.stdio[CHANNEL_FD] as Duplex, {
        onLines: (lines) => take(worker, lines),
        onEnd: (why) => lose(worker, why ?? 'its process ended'),
      }),
      progressFd,
      requests: new Map(),
      count: 0,
      sinceMs: performance.now(),
    };
    child.on('error', (error) => lose(worker, error.message));
    worker.channel.send(`settings ${JSON.stringify(homes)}`);
    return worker;
  }

  function ask(worker: Worker, request: Request): void {
    const id = nextId++;
    worker.requests.set(id, request);
    // What a lost worker may have done is said to be done again.
    const { operations, losses } = request;
    const text = losses === 0 ? operations : operations.replaceAll(REPEATED, '"isRepeated":true');
    worker.channel.send(`${id} ${encodeURIComponent(request.user)} ${text}`);
  }

  function take(worker: Worker, lines: readonly string[]): void {
    for (const line of lines) {
      const ends = line.indexOf(' ');
      const head = line.slice(0, ends);
      if (head === 'fault') {
        settings.onFault(line.slice(ends + 1));
        continue;
      }
      if (head === 'opened') {
        settings.onOpened(parseJson(line.slice(ends + 1)));
        continue;
      }
      const id = Number(head);
      const request = worker.requests.get(id);
      if (request === undefined) continue;
      worker.requests.delete(id);
      settle(request, line.slice(ends + 1));
      if (worker !== common) answeredApart(worker, request);
    }
  }

  function settle(request: Request, answers: string): void {
    waiting--;
    request.answer(answers);
  }

  function fail(request: Request, why: string): void {
    settle(request, JSON.stringify([{ type: 'failed', why }]));
  }

  function answeredApart(worker: Worker, { user }: Request): void {
    const isWell = performance.now() - worker.sinceMs < WELL_MS;
    apartWorkers.set(worker, undefined);
    const left = apart.get(user) ?? [];
    if (isWell) {
      apart.delete(user);
      settings.onWell(user);
      for (const request of left) ask(common, request);
    }
    nextApart();
  }

  /** Gives free workers what waits apart, one user in one. */
  function nextApart(): void {
    const busy = new Set(apartWorkers.values());
    for (const [user, requests] of apart) {
      if (requests.length === 0 || busy.has(user)) continue;
      const free = [...apartWorkers].find(([, of]) => of === undefined)?.[0] ?? startApart();
      if (free === undefined) return;
      apartWorkers.set(free, user);
      free.sinceMs = performance.now();
      ask(free, requests.shift() as Request);
    }
  }

  function startApart(): Worker | undefined {
    if (apartWorkers.size + undead.size >= settings.apart) return undefined;
    const worker = start();
    apartWorkers.set(worker, undefined);
    return worker;
  }

  function look(): void {
    const nowMs = performance.now();
    const { count, user: isAt } = readProgress(common.progressFd);
    if (count !== common.count || isAt === '') Object.assign(common, { count, sinceMs: nowMs });
    else if (nowMs - common.sinceMs > settings.stallMs && !isRunning(common))
      lose(common, `a home or NSS does not answer for ${settings.stallMs} ms`, true);
    const isLate = ({ sinceMs }: Request) => nowMs - sinceMs > settings.deadlineMs;
    for (const [user, requests] of apart) {
      const late = requests.filter(isLate);
      if (late.length === 0) continue;
      apart.set(
        user,
        requests.filter((request) => !late.includes(request)),
      );
      for (const request of late) fail(request, 'the home does not answer');
    }
    // From when it was asked for, not from when its turn came: nobody waits for those before him and himself.
    for (const worker of [...apartWorkers.keys()])
      if ([...worker.requests.values()].some(isLate))
        lose(worker, `the home does not answer within ${settings.deadlineMs} ms`);
  }

  /** A worker that hangs, or is gone, is none any more. */
  function lose(worker: Worker, why: string, isStalled = false): void {
    const wasCommon = worker === common;
    const userOf = apartWorkers.get(worker);
    if (isClosed || !(wasCommon || apartWorkers.delete(worker))) return;
    const { user, count } = readProgress(worker.progressFd);
    const requests = [...worker.requests.values()];
    worker.requests.clear();
    discard(worker);
    if (!wasCommon) {
      for (const request of requests) fail(request, `${why}`);
      if (userOf !== undefined) settings.onStall(userOf, why);
      nextApart();
      return;
    }
    if (isStalled) {
      if (!apart.has(user)) apart.set(user, []);
      settings.onStall(user, why);
    } else settings.onStall('', `a worker was lost: ${why}`);
    barren = count > 0 ? 0 : barren + 1;
    if (barren >= MOST_BARREN) {
      settings.onHopeless(why);
      return;
    }
    common = startCommon();
    for (const request of requests) {
      request.losses++;
      if (request.losses > MOST_LOSSES) fail(request, `lost with its worker: ${why}`);
      else if (apart.has(request.user)) (apart.get(request.user) as Request[]).push(request);
      else ask(common, request);
    }
    nextApart();
  }

  function discard({ process: child, channel, progressFd }: Worker): void {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      undead.add(child);
      child.once('exit', () => {
        undead.delete(child);
        nextApart();
      });
      child.kill('SIGKILL');
    }
    channel.end();
    libc().close(progressFd);
  }

  return {
    run(user, operations, answer) {
      const request = { user, operations, answer, sinceMs: performance.now(), losses: 0 };
      waiting++;
      if (isClosed || waiting > settings.mostWaiting) {
        fail(request, 'too many requests wait');
        return;
      }
      const left = apart.get(user);
      if (left === undefined) ask(common, request);
      else if (left.length >= MOST_APART) fail(request, 'the home does not answer');
      else {
        left.push(request);
        nextApart();
      }
    },
    apply(changed, willBeDirect) {
      homes = changed;
      if (willBeDirect !== isDirect) {
        isDirect = willBeDirect;
        lose(common, 'the configuration changed');
      }
      for (const { channel } of [common, ...apartWorkers.keys()])
        channel.send(`settings ${JSON.stringify(homes)}`);
    },
    flush: () => common.channel.flush(),
    close() {
      isClosed = true;
      clearInterval(timer);
      // One that is at nothing ends with its channel.
      for (const worker of [common, ...apartWorkers.keys()])
        if (worker.requests.size > 0) discard(worker);
        else worker.channel.end();
    },
  };
}

/** Whether a process has the processor, or wants it: it does not wait for a file. */
function isRunning({ process: { pid } }: Worker): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] === 'R';
  } catch {
    return false;
  }
}
