// The process that asks PAM, and nothing else: modules may block, keep memory and change the process as they like. It gets
// [service, user, remoteHost] over descriptor 3 and answers with a PamVerdict, one at a time; it ends with the channel.

import { Socket } from 'node:net';
import { openChannel, parseJson } from '../store/channel.ts';
import { type PamVerdict, pamAccount } from '../unix/pam.ts';
import { hardenProcess } from '../unix/process-hardening.ts';

const CHANNEL_FD = 3;

function verdictOf(question: unknown): PamVerdict {
  const [service, user, remoteHost] = question as [string, string, string];
  try {
    return pamAccount(service, user, remoteHost);
  } catch (error) {
    return { type: 'failed', code: -1, why: (error as Error).message };
  }
}

hardenProcess();
// A signal to all of the server's processes is for the server, which may have questions left.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
const channel = openChannel(new Socket({ fd: CHANNEL_FD }), {
  onLines(lines) {
    for (const line of lines) channel.send(JSON.stringify(verdictOf(parseJson(line))));
  },
  onEnd: () => process.exit(),
});
