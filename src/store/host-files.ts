// The files and the log of logins that a host's server keeps (DESIGN §2), and those of a user's own server.

import { dirname } from 'node:path';
import { type LoginLog, openLoginLog } from '../unix/login-log.ts';
import type { Account } from '../unix/nss.ts';
import { createServerFile, type ServerFile } from './server-file.ts';
import { hostKeyPath } from './server-key.ts';
import { type SessionFile, sessionFile } from './session-file.ts';

/** Every call, once. */
const truthPlace = { directory: '/var/log/sr', name: 'acct', mode: 0o640, directoryMode: 0o755 };
/** Calls that are not over, beside the key. */
const callsPlace = { name: 'calls', mode: 0o600, directoryMode: 0o700 };

/** All of them. */
export interface HostFiles {
  /** Undefined: one account is served. */
  readonly truth: ServerFile | undefined;
  readonly calls: ServerFile;
  readonly sessions: SessionFile;
  /** Undefined: nobody is told of logins. */
  readonly logins: LoginLog | undefined;
  close(): void;
}

/** Opens nothing yet. `wtmp` is the path of the log of logins. */
export function hostFiles(
  keyFile: string | undefined,
  own: Account | undefined,
  wtmp: string | undefined,
): HostFiles {
  const truth = own === undefined ? createServerFile({ ...truthPlace, own }) : undefined;
  const calls = createServerFile({ ...callsPlace, own, directory: dirname(keyFile ?? hostKeyPath) });
  return {
    truth,
    calls,
    sessions: sessionFile(keyFile, own),
    logins: wtmp === undefined ? undefined : openLoginLog(wtmp),
    close() {
      truth?.close();
      calls.close();
    },
  };
}
