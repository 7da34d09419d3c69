// Options and names of sockets by descriptor (getsockopt(2), setsockopt(2), getsockname(2)).

import { libc } from './libc.ts';
import { copySockaddr, type Sockaddr } from './sockaddr.ts';

export const SOL_SOCKET = 1;
const NAME_BYTES = 32;

/** Sets an option that is a number; less than 0: it was refused, errno says why. */
export function setSocketOption(fd: number, level: number, option: number, value: number): number {
  const room = Buffer.from(Int32Array.of(value).buffer);
  return libc().setsockopt(fd, level, option, room, room.length);
}

/** An option that is a number; undefined: it was refused. */
export function socketOption(fd: number, level: number, option: number): number | undefined {
  const value = new Int32Array(1);
  const length = Buffer.from(Uint32Array.of(4).buffer);
  return libc().getsockopt(fd, level, option, Buffer.from(value.buffer), length) < 0 ? undefined : value[0];
}

/** Our end of an IP socket; undefined: errno says why there is none. */
export function socketName(fd: number): Sockaddr | undefined {
  const name = Buffer.alloc(NAME_BYTES);
  const length = Buffer.from(Uint32Array.of(NAME_BYTES).buffer);
  return libc().getsockname(fd, name, length) < 0 ? undefined : copySockaddr(name);
}
