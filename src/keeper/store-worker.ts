// What every worker of the keeper does that has a store: it gets requests over descriptor 3, and with the word `direct` from the
// server over descriptor 5, has the store serve those of one frame together and answers. What it begins is seen by descriptor
// 4. It ends with its keeper.
//
// In:  `settings JSON`, `ID USER JSON`.  Out: `ID JSON`, `fault TEXT`, `opened JSON`.

import { Socket } from 'node:net';
import { type Channel, openChannel, parseJson } from '../store/channel.ts';
import type { Operation, Store } from '../store/store.ts';
import { warmThreadPool } from '../unix/as-user.ts';
import { hardenProcess } from '../unix/process-hardening.ts';
import { progressWriter } from './progress.ts';
import { operationsOf } from './requests.ts';

/** What a store may say while it works. */
export interface WorkerEvents {
  /** A fault of somebody's file. */
  readonly onFault: (text: string) => void;
  /** What comes next is about this user, and may take as long as his home does. */
  readonly onServe: (user: string) => void;
  /** The store was opened: an answer to the keeper, JSON. */
  readonly onOpened: (answer: unknown) => void;
}

const CHANNEL_FD = 3;
const PROGRESS_FD = 4;
const DIRECT_FD = 5;
const NO_REQUEST = JSON.stringify([{ type: 'failed', why: 'not a request' }]);

/** What a worker has its requests done by. */
export interface Requests<O> {
  /** The operations of a request; undefined: they are none. */
  operationsOf(json: string): readonly O[] | undefined;
  /** Does them; one answer each. */
  run(user: string, operations: readonly O[]): Promise<readonly unknown[]>;
  close(): void;
}

/** Serves a store, for settings as they come. */
export function serveStore<T>(open: (settings: T, events: WorkerEvents) => Store): Promise<void> {
  return serveRequests<T, Operation>((settings, events) => ({ ...open(settings, events), operationsOf }));
}

/** Serves what `open` opens, for settings as they come. */
export async function serveRequests<T, O = never>(
  open: (settings: T, events: WorkerEvents) => Requests<O>,
): Promise<void> {
  let busy = 0;
  let store: Requests<O> | undefined;
  hardenProcess();
  // A signal to all of the server's processes is for the keeper, which may have requests left.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  await warmThreadPool();
  const onServe = progressWriter(PROGRESS_FD);
  const channel = openChannel(new Socket({ fd: CHANNEL_FD }), {
    onLines(lines) {
      for (const line of lines) {
        if (line.startsWith('settings ')) {
          store?.close();
          store = open(parseJson(line.slice('settings '.length)) as T, events);
        } else if (store !== undefined) serve(channel, store, line);
      }
    },
    onEnd: () => process.exit(),
  });
  const events: WorkerEvents = {
    onServe,
    onFault: (text) => channel.send(`fault ${text.replaceAll('\n', ' ')}`),
    onOpened: (answer) => channel.send(`opened ${JSON.stringify(answer)}`),
  };

  function serve(from: Channel, by: Requests<O>, line: string): void {
    const idEnds = line.indexOf(' ');
    const userEnds = line.indexOf(' ', idEnds + 1);
    const id = line.slice(0, idEnds);
    const user = decodeURIComponent(line.slice(idEnds + 1, userEnds));
    const operations = by.operationsOf(line.slice(userEnds + 1));
    if (operations === undefined) {
      from.send(`${id} ${NO_REQUEST}`);
      return;
    }
    busy++;
    by.run(user, operations).then(
      (answers) => {
        if (--busy === 0) onServe('');
        from.send(`${id} ${JSON.stringify(answers)}`);
      },
      // Nothing is known of the state this process is in.
      (error: Error) => {
        console.error(error.stack);
        process.exit(1);
      },
    );
  }

  if (process.argv.includes('direct')) {
    const direct = openChannel(new Socket({ fd: DIRECT_FD }), {
      onLines(lines) {
        if (store !== undefined) for (const line of lines) serve(direct, store, line);
      },
      // Without it there is no server.
      onEnd() {},
    });
  }
}
