// What the service manager is told (sd_notify(3), systemd's Type=notify): datagrams of lines to the socket that
// NOTIFY_SOCKET names. Nothing waits for it, and what it does not take is its own loss.

import { endianness } from 'node:os';
import { libc, O_CLOEXEC } from './libc.ts';

/** Whoever started this process and wants to know how it is. */
export interface ServiceManager {
  /** How long it waits for a sign of life before it kills, in milliseconds; undefined: it does not wait for any. */
  readonly watchdogMs: number | undefined;
  /** Sends assignments of sd_notify(3) such as `READY=1`; of a text with line ends the first line. */
  tell(...assignments: readonly string[]): void;
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const FAMILY_BYTES = 2;
/** sun_path of unix(7). */
const PATH_BYTES = 108;

/**
 * Finds the service manager of this process; undefined where there is none. What it put into the environment is taken out:
 * children do not speak for this process.
 */
export function findServiceManager(env: NodeJS.ProcessEnv = process.env): ServiceManager | undefined {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  const address = path === undefined ? undefined : unixAddress(path);
  if (address === undefined) return undefined;
  const c = libc();
  const fd = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  if (c.connect(fd, address, address.length) < 0) {
    c.close(fd);
    return undefined;
  }
  const isWatched = /^[1-9]\d{0,14}$/.test(usec ?? '') && (pid === undefined || Number(pid) === process.pid);
  return {
    watchdogMs: isWatched ? Number(usec) / 1000 : undefined,
    tell(...assignments) {
      const lines = assignments.map((each) => each.split('\n', 1)[0]);
      const octets = Buffer.from(lines.join('\n'), 'utf8');
      c.write(fd, octets, octets.length);
    },
    close: () => {
      c.close(fd);
    },
  };
}

/** Microseconds of the clock that RELOADING=1 is to be told with. */
export function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** A struct sockaddr_un; `@` begins a name that is in no file system. Undefined: it is no address. */
function unixAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path, 'utf8');
  const isAbstract = path.startsWith('@');
  if (!(isAbstract || path.startsWith('/')) || name.length >= PATH_BYTES || name.includes(0))
    return undefined;
  if (isAbstract) name[0] = 0;
  const address = Buffer.alloc(FAMILY_BYTES + name.length + (isAbstract ? 0 : 1));
  if (endianness() === 'LE') address.writeUInt16LE(AF_UNIX, 0);
  else address.writeUInt16BE(AF_UNIX, 0);
  name.copy(address, FAMILY_BYTES);
  return address;
}
