// The host of a server without privileges: everything is asked of its keeper, over a channel (DESIGN §5). Work in homes is asked
// of the keeper's worker itself, which spares each message two changes of process; what that does not answer, because it was
// lost or its user is served apart, is asked of the keeper.

import type { Duplex } from 'node:stream';

import type { Fault } from '../home/fault.ts';
import type { GatewayCredentials } from '../home/gateway-credentials.ts';
import type { Unwritten } from '../unix/login-log.ts';
import type { Trouble } from '../unix/trouble.ts';
import { type Channel, openChannel, parseJson } from './channel.ts';
import type { Host, KeptFile } from './host.ts';
import { hostFiles } from './host-files.ts';
import type { KeptName, Question } from './keeper-messages.ts';
import { type Answer, type Operation, type Store, whole } from './store.ts';

/** A host, and what its keeper answers. */
export interface KeeperHost extends Host {
  /** Takes `ID JSON`. */
  answered(line: string): void;
  /** Has the keeper read the configuration again; resolves to its faults. */
  reload(): Promise<readonly string[]>;
  /** A fault of a user's file, found by the keeper. */
  fault(text: string): void;
  /** Has work in homes done by the worker at the other end. */
  useWorker(stream: Duplex): void;
  /** Whether a user is served apart from the others: by the keeper. */
  serveApart(user: string, isApart: boolean): void;
}

/** Asked of the worker, and not answered. */
interface Work {
  readonly user: string;
  readonly operations: readonly Operation[];
  readonly resolve: (answers: Answer[]) => void;
  readonly sinceMs: number;
}

/** The worker is behind when so much waits for it, and the first of that for long: a home that hangs is no such thing. */
const BEHIND_WORKS = 100;

/** Makes the host; `wtmp` is the path of the log of logins, if any; `behindMs`: how long work waits that is not behind. */
export function createKeeperHost(
  channel: Channel,
  keyFile: string | undefined,
  wtmp: string | undefined,
  behindMs: number,
): KeeperHost {
  const asked = new Map<number, (answer: unknown) => void>();
  let works = new Map<number, Work>();
  let worker: Channel | undefined;
  const apart = new Set<string>();
  let nextId = 0;
  let onFault: (text: string) => void = () => {};
  const { truth, calls, sessions, logins } = hostFiles(keyFile, undefined, wtmp);

  function expect(resolve: (answer: never) => void): number {
    asked.set(nextId, resolve as (answer: unknown) => void);
    return nextId++;
  }

  function ask<T>(question: Question): Promise<T> {
    return new Promise((resolve: (answer: T) => void) => {
      channel.send(`ask ${expect(resolve)} ${JSON.stringify(question)}`);
    });
  }

  const append = (file: KeptName, text: string, waitMs = 0) =>
    ask<Trouble | null>({ type: 'append', file, text, waitMs }).then(orUndefined);
  const replace = (file: KeptName, text: string) =>
    ask<Trouble | null>({ type: 'replace', file, text }).then(orUndefined);
  const read = (file: KeptName) => ask<string | Trouble | null>({ type: 'read', file }).then(orUndefined);

  const kept = (file: KeptName, path: string): KeptFile => ({
    path,
    read: () => read(file),
    tail: (bytes) => ask({ type: 'tail', file, bytes }),
    append: (text) => append(file, text),
    replace: (content) => replace(file, content),
  });

  function askKeeper({ user, operations, resolve }: Work): void {
    const id = expect((answers: Answer[]) => resolve(whole(answers, operations)));
    channel.send(`run ${id} ${encodeURIComponent(user)} ${JSON.stringify(operations)}`);
  }

  function askWorker(to: Channel, work: Work): void {
    const id = nextId++;
    works.set(id, work);
    to.send(`${id} ${encodeURIComponent(work.user)} ${JSON.stringify(work.operations)}`);
  }

  function worked(line: string): void {
    const ends = line.indexOf(' ');
    const id = Number(line.slice(0, ends));
    const work = works.get(id);
    works.delete(id);
    work?.resolve(whole(parseJson(line.slice(ends + 1)) as Answer[], work.operations));
  }

  /** What a worker that is gone did not answer it may have done. */
  function workerLost(lost: Channel | undefined): void {
    if (worker !== lost) return;
    worker = undefined;
    const left = works;
    works = new Map();
    for (const work of left.values()) askKeeper({ ...work, operations: work.operations.map(repeated) });
  }

  const store: Store = {
    run: (user, operations) =>
      new Promise((resolve: (answers: Answer[]) => void) => {
        const work = { user, operations, resolve, sinceMs: performance.now() };
        if (worker === undefined || apart.has(user)) askKeeper(work);
        else askWorker(worker, work);
      }),
    close() {},
  };

  return {
    openStore(_, faultOf) {
      onFault = faultOf;
      return store;
    },
    truth: truth === undefined ? undefined : kept('truth', truth.path),
    calls: kept('calls', calls.path),
    sessions: {
      path: sessions.path,
      read: () => read('sessions'),
      append: (text, waitMs) => append('sessions', text, waitMs),
      renew: (content) => replace('sessions', content),
    },
    // The log of logins is everybody's to read.
    logins:
      logins === undefined
        ? undefined
        : {
            isKept: logins.isKept,
            missing: logins.missing,
            write: (records) => ask<Unwritten | null>({ type: 'logins', records }).then(orUndefined),
          },
    credentialsOf: ({ name: gateway }) => ask<GatewayCredentials | Fault>({ type: 'credentials', gateway }),
    answered(line) {
      const ends = line.indexOf(' ');
      const id = Number(line.slice(0, ends));
      const resolve = asked.get(id);
      asked.delete(id);
      resolve?.(parseJson(line.slice(ends + 1)));
    },
    reload: () => ask({ type: 'reload' }),
    fault: (text) => onFault(text),
    useWorker(stream) {
      workerLost(worker);
      const opened: Channel = openChannel(stream, {
        onLines: (lines) => lines.forEach(worked),
        onEnd: () => workerLost(opened),
      });
      worker = opened;
    },
    serveApart(user, isApart) {
      if (isApart) apart.add(user);
      else apart.delete(user);
    },
    isBehind() {
      if (works.size < BEHIND_WORKS) return false;
      const [first] = works.values();
      return first !== undefined && performance.now() - first.sinceMs > behindMs;
    },
    close() {},
  };
}

function repeated(operation: Operation): Operation {
  return operation.type === 'appendCall' ? { ...operation, isRepeated: true } : operation;
}

function orUndefined<T>(answer: T | null): T | undefined {
  return answer ?? undefined;
}
