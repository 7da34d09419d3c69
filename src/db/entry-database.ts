// The process of `sipctl db serve` without privileges: it reads what clients send, and has its keeper do in homes what that asks
// for. It ends with its keeper.

import { Socket } from 'node:net';
import { openChannel, parseJson } from '../store/channel.ts';
import type { DatabaseStart } from '../store/database-messages.ts';
import type { TableAnswer } from '../store/home-tables.ts';
import { hardenProcess } from '../unix/process-hardening.ts';
import { type DatabaseServer, startDatabaseServer } from './server.ts';

const CHANNEL_FD = 3;
const LISTEN_FD = 4;

hardenProcess();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

const asked = new Map<number, (answer: TableAnswer) => void>();
let nextId = 0;
let server: DatabaseServer | undefined;

const channel = openChannel(new Socket({ fd: CHANNEL_FD }), {
  onLines(lines) {
    for (const line of lines) {
      const ends = line.indexOf(' ');
      const word = line.slice(0, ends);
      const rest = line.slice(ends + 1);
      if (word === 'start') void start(parseJson(rest) as DatabaseStart);
      else if (word === 'stop') void stop();
      else answered(Number(word), rest);
    }
  },
  onEnd: () => process.exit(process.exitCode ?? 1),
});

function answered(id: number, json: string): void {
  const [answer] = parseJson(json) as TableAnswer[];
  asked.get(id)?.(answer ?? { type: 'failed', why: 'not answered' });
  asked.delete(id);
}

async function start({ rules, access, verifier }: DatabaseStart): Promise<void> {
  server = await startDatabaseServer({
    perform: (user, operation) =>
      new Promise((resolve) => {
        asked.set(nextId, resolve);
        channel.send(`run ${nextId++} ${encodeURIComponent(user)} ${JSON.stringify([operation])}`);
      }),
    rules,
    access,
    verifier: verifier && {
      salt: Buffer.from(verifier.salt, 'base64'),
      iterations: verifier.iterations,
      storedKey: Buffer.from(verifier.storedKey, 'base64'),
      serverKey: Buffer.from(verifier.serverKey, 'base64'),
    },
    at: { fd: LISTEN_FD },
    log: (text) => console.error(text),
  });
  channel.send('ready ');
}

async function stop(): Promise<void> {
  await server?.close();
  process.exitCode = 0;
  channel.end();
}
