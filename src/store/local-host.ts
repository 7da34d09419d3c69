// The host of a server that asks nobody: it serves the account it runs as, or, run by root with --own, that one alone.

import type { Account } from '../unix/nss.ts';
import { readGatewayCredentials } from './gateway-credentials.ts';
import type { Host, KeptFile } from './host.ts';
import { hostFiles } from './host-files.ts';
import type { ServerFile } from './server-file.ts';
import type { SqlAccounts } from './sql/open.ts';
import { createUnixStore } from './unix-store.ts';

/**
 * Makes the host of an own server; `wtmp` is the path of the log of logins, if any. With `accounts` it serves those of a
 * database, which it closes.
 */
export function createLocalHost(
  keyFile: string | undefined,
  own: Account,
  wtmp: string | undefined,
  accounts: SqlAccounts | undefined,
): Host {
  const { truth, calls, sessions, logins, close } = hostFiles(keyFile, own, wtmp);
  return {
    openStore({ verify, access, strictModes, realm, database, keywords: { SyncUsrloc } }, onFault) {
      if (accounts !== undefined && database !== undefined)
        return accounts.openStore({ database, realm, verify, access });
      return createUnixStore({ verify, access, strictModes, syncUsrloc: SyncUsrloc, own, onFault });
    },
    truth: truth === undefined ? undefined : kept(truth),
    calls: kept(calls),
    sessions: {
      path: sessions.path,
      read: async () => sessions.read('current'),
      append: async (text, waitMs) => sessions.append(text, waitMs),
      renew: async (content) => sessions.renew(content),
    },
    logins:
      logins === undefined
        ? undefined
        : {
            isKept: logins.isKept,
            missing: logins.missing,
            write: async (records) => logins.write(records),
          },
    credentialsOf: async ({ credentials }) => readGatewayCredentials(credentials),
    // What is asked is done at the end of the turn.
    isBehind: () => false,
    close() {
      accounts?.close();
      close();
    },
  };
}

function kept(file: ServerFile): KeptFile {
  return {
    path: file.path,
    read: async () => file.read(),
    tail: async (bytes) => file.tail(bytes),
    append: async (text) => file.append(text),
    replace: async (content) => file.replace(content),
  };
}
