// Sockets that whoever started this process opened for it (sd_listen_fds(3), systemd's socket activation): descriptors from
// 3 on, as many as LISTEN_FDS says, where LISTEN_PID is this process.

import { libc } from './libc.ts';
import { addressOf, portOf } from './sockaddr.ts';
import { SOL_SOCKET, socketName, socketOption } from './socket-options.ts';

/** One of them. */
export interface InheritedSocket {
  readonly fd: number;
  /** A UDP socket that is bound, or a TCP socket that listens; undefined: anything else. */
  readonly transport: 'udp' | 'tcp' | undefined;
  /** Without zone; empty where it is anything else. */
  readonly address: string;
  readonly port: number;
}

const FIRST_FD = 3;
const MOST = 1000;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const SO_DOMAIN = 39;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** Takes them over: no child gets them, and the environment names them no more. */
export function takeInheritedSockets(env: NodeJS.ProcessEnv = process.env): InheritedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count ?? '')) return [];
  const fds = Array.from({ length: Math.min(Number(count), MOST) }, (_, index) => FIRST_FD + index);
  return fds.map((fd) => {
    libc().fcntl(fd, F_SETFD, FD_CLOEXEC);
    return describeSocket(fd);
  });
}

/** Says what socket a descriptor is. */
export function describeSocket(fd: number): InheritedSocket {
  const family = socketOption(fd, SOL_SOCKET, SO_DOMAIN);
  const type = socketOption(fd, SOL_SOCKET, SO_TYPE);
  const isListening = type === SOCK_STREAM && socketOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1;
  const isOurs = (family === AF_INET || family === AF_INET6) && (type === SOCK_DGRAM || isListening);
  const name = isOurs ? socketName(fd) : undefined;
  if (name === undefined) return { fd, transport: undefined, address: '', port: 0 };
  return { fd, transport: isListening ? 'tcp' : 'udp', address: addressOf(name), port: portOf(name) };
}
