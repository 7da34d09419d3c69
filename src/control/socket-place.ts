// The place of the control socket: a directory that nobody else can write to, and no living server's socket in it.

import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Account } from '../unix/nss.ts';
import { peerCredentials } from '../unix/peer-credentials.ts';
import { openRootDirectory } from '../unix/root-file.ts';
import { shellWord } from '../unix/trouble.ts';
import { closeUserDirectory, openUserDirectory } from '../unix/trusted-directory.ts';

/** The longest path a UNIX socket can have, in bytes (unix(7)). */
const MOST_BYTES = 107;

/** Makes the place of a socket, and takes a dead server's away; why it can't be had, or undefined. */
export async function clearControlPath(path: string, own: Account | undefined): Promise<string | undefined> {
  if (Buffer.byteLength(path) > MOST_BYTES)
    return `ControlSocket: ${path}: a socket's path has at most ${MOST_BYTES} bytes`;
  const isInHome = own !== undefined && dirname(path) === join(own.home, '.sr');
  const directory = isInHome
    ? openUserDirectory(own, { strictModes: true, create: true })
    : openRootDirectory(dirname(path), {
        uid: process.geteuid?.() ?? 0,
        createMode: own === undefined ? 0o755 : 0o700,
      });
  if (directory.type === 'trouble') {
    const { why, mend } = directory;
    return `ControlSocket: ${directory.path}: ${why}${mend === undefined ? '' : `: ${mend}`}`;
  }
  closeUserDirectory(directory);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return undefined;
  if (!there.isSocket()) return `ControlSocket: ${path}: is no socket: rm ${shellWord(path)}`;
  const holder = await holderOf(path);
  if (holder !== undefined) return `ControlSocket: ${path}: another server has it: ${holder}`;
  unlinkSync(path);
  return undefined;
}

/** The process that listens on a socket; undefined: none does, its server died. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      resolve(`pid ${peerCredentials(socket)?.pid ?? 'unknown'}`);
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? undefined : (error.code ?? '')),
    );
  });
}
