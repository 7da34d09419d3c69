// Where the control socket of a server is (keyword ControlSocket), for the server and for those who look for it.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../unix/nss.ts';

/** The control socket of the host's server. */
const hostControlPath = '/run/sr/control.sock';

/** The path that the keyword says, or the default: the host's, or that of a server for `own` alone. */
export function controlPath(keyword: string | undefined, own: Account | undefined): string {
  if (keyword !== undefined) return own === undefined ? keyword : keyword.replace(/^%h(?=\/)/, own.home);
  if (own === undefined) return hostControlPath;
  return join(runtimeDirectory(own) ?? join(own.home, '.sr'), 'control.sock');
}

/** `sr` in the directory that the session has for its sockets; undefined: it has none, or it is somebody else's. */
function runtimeDirectory(own: Account): string | undefined {
  const { XDG_RUNTIME_DIR: directory } = process.env;
  if (directory === undefined || !directory.startsWith('/')) return undefined;
  const there = statSync(directory, { throwIfNoEntry: false });
  return there?.isDirectory() && there.uid === own.uid ? join(directory, 'sr') : undefined;
}
