// Stream sockets that listen, by descriptor, for a process that gets them from another.

import { systemError } from './datagram-socket.ts';
import { errno, libc, O_CLOEXEC } from './libc.ts';
import { createSockaddr, isIPv6Sockaddr, unixSockaddr } from './sockaddr.ts';
import { SOL_SOCKET, setSocketOption } from './socket-options.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SO_REUSEADDR = 2;
const BACKLOG = 511;

/** Listens for TCP at an IP literal, perhaps with a zone; the descriptor. Throws the system's error, with its `code`. */
export function listenStream(address: string, port: number): number {
  const sockaddr = createSockaddr(address, port);
  const isV6 = isIPv6Sockaddr(sockaddr);
  return listenAt(isV6 ? AF_INET6 : AF_INET, sockaddr.octets, `${address}:${port}`, (fd) => {
    setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (isV6) setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  });
}

/** Listens at the path of a UNIX socket, which must not be there; the descriptor. Throws the system's error. */
export function listenPath(path: string): number {
  return listenAt(AF_UNIX, unixSockaddr(path), path, () => {});
}

function listenAt(family: number, name: Buffer, where: string, prepare: (fd: number) => void): number {
  const c = libc();
  const fd = c.socket(family, SOCK_STREAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) throw systemError('socket', c.errno(), where);
  prepare(fd);
  const failed = c.bind(fd, name, name.length) < 0 || c.listen(fd, BACKLOG) < 0 ? c.errno() || errno.EIO : 0;
  if (failed === 0) return fd;
  c.close(fd);
  throw systemError('listen', failed, where);
}
