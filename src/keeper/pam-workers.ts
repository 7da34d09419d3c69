// A few processes that ask PAM for us: one question at a time each, and one user in one of them at a time. A process that is
// past its deadline is killed and replaced, and its user's question failed.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { type Channel, openChannel, parseJson } from '../store/channel.ts';
import { restoreGroups } from '../unix/as-user.ts';
import type { PamVerdict } from '../unix/pam.ts';

/** How it is done. */
export interface PamWorkersSettings {
  /** The argv of a worker: pam-worker.ts, built. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workers: number;
  /** How long a question may take, in milliseconds. */
  readonly deadlineMs: number;
  /** How many questions may wait. */
  readonly mostWaiting: number;
}

/** Asks PAM. */
export interface PamWorkers {
  /** Never rejects: what can't be asked is `failed`. */
  ask(service: string, user: string, remoteHost: string): Promise<PamVerdict>;
  /** Ends the workers; what they were asked is `failed`. */
  close(): void;
}

interface Question {
  readonly user: string;
  readonly words: readonly [service: string, user: string, remoteHost: string];
  readonly answer: (verdict: PamVerdict) => void;
}

interface Worker {
  readonly process: ChildProcess;
  readonly channel: Channel;
  asked: Question | undefined;
  timer: NodeJS.Timeout | undefined;
}

const CHANNEL_FD = 3;
const TYPES: ReadonlySet<unknown> = new Set(['allowed', 'refused', 'password-expired', 'failed']);

/** Starts no process before the first question. */
export function createPamWorkers(settings: PamWorkersSettings): PamWorkers {
  const workers = new Set<Worker>();
  let waiting: Question[] = [];
  let isClosed = false;

  function start(): Worker {
    const [program, ...rest] = settings.argv as [string, ...string[]];
    restoreGroups();
    const process = spawn(program, rest, {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      env: settings.env,
    });
    const worker: Worker = {
      process,
      channel: openChannel(process.stdio[CHANNEL_FD] as Duplex, {
        onLines: (lines) => {
          for (const line of lines) take(worker, parseJson(line));
        },
        onEnd: (why) => lose(worker, why ?? 'its process ended'),
      }),
      asked: undefined,
      timer: undefined,
    };
    process.on('error', (error) => lose(worker, error.message));
    workers.add(worker);
    return worker;
  }

  /** Gives free workers what waits, in its order; a user whose question is asked already waits for its answer. */
  function next(): void {
    for (let index = 0; index < waiting.length; ) {
      const question = waiting[index] as Question;
      const isAsked = [...workers].some(({ asked }) => asked?.user === question.user);
      const free = isAsked ? undefined : freeWorker();
      if (free === undefined) {
        if (!isAsked) return;
        index++;
        continue;
      }
      waiting.splice(index, 1);
      free.asked = question;
      free.timer = setTimeout(
        () => lose(free, `no answer within ${settings.deadlineMs} ms`),
        settings.deadlineMs,
      );
      free.channel.send(JSON.stringify(question.words));
    }
  }

  function freeWorker(): Worker | undefined {
    for (const worker of workers) if (worker.asked === undefined) return worker;
    return workers.size < settings.workers ? start() : undefined;
  }

  function take(worker: Worker, message: unknown): void {
    const { asked } = worker;
    if (asked === undefined || !isVerdict(message)) {
      lose(worker, 'an answer that is none');
      return;
    }
    clearTimeout(worker.timer);
    worker.asked = undefined;
    asked.answer(message);
    next();
  }

  /** A worker that hangs, or is gone, is none any more. */
  function lose(worker: Worker, why: string): void {
    if (!workers.delete(worker)) return;
    clearTimeout(worker.timer);
    worker.process.kill('SIGKILL');
    worker.asked?.answer({ type: 'failed', code: -1, why: `PAM: ${why}` });
    if (!isClosed) next();
  }

  return {
    ask: (service, user, remoteHost) =>
      new Promise((answer) => {
        if (isClosed || waiting.length >= settings.mostWaiting) {
          answer({ type: 'failed', code: -1, why: 'PAM: too many questions wait' });
          return;
        }
        waiting.push({ user, words: [service, user, remoteHost], answer });
        next();
      }),
    close() {
      isClosed = true;
      for (const { answer } of waiting) answer({ type: 'failed', code: -1, why: 'PAM: the server stops' });
      waiting = [];
      for (const worker of [...workers]) lose(worker, 'the server stops');
    },
  };
}

function isVerdict(message: unknown): message is PamVerdict {
  return typeof message === 'object' && message !== null && TYPES.has((message as { type?: unknown }).type);
}
