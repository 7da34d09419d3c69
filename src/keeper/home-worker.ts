// The process that works in homes: it gets requests from its keeper over descriptor 3, and with the word `direct` from the
// server over descriptor 5, serves those of one frame together (store/unix-store.ts) and answers. What it begins is seen by
// descriptor 4. It ends with its keeper.
//
// In:  `settings JSON`, `ID USER JSON`.  Out: `ID JSON`, `fault TEXT`.

import { Socket } from 'node:net';
import { type Channel, openChannel, parseJson } from '../store/channel.ts';
import type { Store } from '../store/store.ts';
import { createUnixStore, type UnixStoreSettings } from '../store/unix-store.ts';
import { warmThreadPool } from '../unix/as-user.ts';
import { hardenProcess } from '../unix/process-hardening.ts';
import { progressWriter } from './progress.ts';
import { operationsOf } from './requests.ts';

const CHANNEL_FD = 3;
const PROGRESS_FD = 4;
const DIRECT_FD = 5;
const NO_REQUEST = JSON.stringify([{ type: 'failed', why: 'not a request' }]);

/** Of the store, what travels. */
export type HomeSettings = Omit<UnixStoreSettings, 'own' | 'onFault' | 'onServe'>;

function serve(channel: Channel, store: Store, line: string): void {
  const idEnds = line.indexOf(' ');
  const userEnds = line.indexOf(' ', idEnds + 1);
  const id = line.slice(0, idEnds);
  const user = decodeURIComponent(line.slice(idEnds + 1, userEnds));
  const operations = operationsOf(line.slice(userEnds + 1));
  if (operations === undefined) {
    channel.send(`${id} ${NO_REQUEST}`);
    return;
  }
  busy++;
  store.run(user, operations).then(
    (answers) => {
      if (--busy === 0) onServe('');
      channel.send(`${id} ${JSON.stringify(answers)}`);
    },
    // Nothing is known of the state this process is in.
    (error: Error) => {
      console.error(error.stack);
      process.exit(1);
    },
  );
}

hardenProcess();
// A signal to all of the server's processes is for the keeper, which may have requests left.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
await warmThreadPool();
const onServe = progressWriter(PROGRESS_FD);
let busy = 0;
let store: Store | undefined;
const channel = openChannel(new Socket({ fd: CHANNEL_FD }), {
  onLines(lines) {
    for (const line of lines) {
      if (line.startsWith('settings ')) {
        store?.close();
        const settings = parseJson(line.slice('settings '.length)) as HomeSettings;
        const onFault = (text: string) => channel.send(`fault ${text.replaceAll('\n', ' ')}`);
        store = createUnixStore({ ...settings, own: undefined, onFault, onServe });
      } else if (store !== undefined) serve(channel, store, line);
    }
  },
  onEnd: () => process.exit(),
});
if (process.argv.includes('direct')) {
  const direct = openChannel(new Socket({ fd: DIRECT_FD }), {
    onLines(lines) {
      if (store !== undefined) for (const line of lines) serve(direct, store, line);
    },
    // Without it there is no server.
    onEnd() {},
  });
}
