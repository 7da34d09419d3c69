// Who is at the other end of a UNIX socket (unix(7), SO_PEERCRED): the kernel's word, taken when the connection was made.

import type { Socket } from 'node:net';
import { libc } from './libc.ts';

/** The process at the other end, as it was when it connected, or when it began to listen. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid of 32 bits each. */
const UCRED_BYTES = 12;

/** Asks for the credentials of a connected UNIX socket; undefined where there are none, or the socket is closed. */
export function peerCredentials(socket: Socket): PeerCredentials | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } };
  const fd = handle?.fd ?? -1;
  if (fd < 0) return undefined;
  const value = Buffer.from(new Uint32Array(UCRED_BYTES / 4).buffer);
  const length = Buffer.from(Uint32Array.of(UCRED_BYTES).buffer);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) < 0) return undefined;
  const [pid = 0, uid = 0, gid = 0] = new Uint32Array(value.buffer, value.byteOffset, UCRED_BYTES / 4);
  // A socket that is no UNIX socket has pid 0 and nobody's ids.
  return pid === 0 ? undefined : { pid, uid, gid };
}
