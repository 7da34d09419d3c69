// Why a `Listen` of the server's configuration cannot be had, in one line for the administrator. Pure.

import type { InheritedSocket } from '../unix/inherited-sockets.ts';
import { formatHostPort } from './address.ts';
import { formatListen, type WantedSocket } from './listen-address.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'no such address on this host',
  EACCES: 'permission denied',
  EAFNOSUPPORT: 'this host has no such address family',
  EINVAL: 'not an address to listen on',
};

/** Thrown where sockets are not as Listen says; the message is `Listen udp:10.0.0.1:5060: address in use`. */
export class ListenFault extends Error {
  override readonly name = 'ListenFault';
}

/** Why a socket cannot be opened. */
export function cannotListen(wanted: WantedSocket, cause: unknown): ListenFault {
  const code = codeOf(cause);
  const asked = formatListen(wanted.listen);
  const exact = formatHostPort(wanted.address, wanted.port);
  const why = reasons[code] ?? (code === '' ? String(cause) : code);
  return new ListenFault(`Listen ${asked}: ${wanted.wildcard ? `${exact}: ` : ''}${why}`, { cause });
}

/** What to do with a socket that was handed over and that nobody asked for. */
export function unwantedSocket({ fd, transport, address, port }: InheritedSocket): ListenFault {
  const name = transport === undefined ? `descriptor ${fd}` : `${transport}:${formatHostPort(address, port)}`;
  const why =
    transport === undefined ? 'no UDP socket and none that listens for TCP' : 'no Listen asks for it';
  return new ListenFault(`LISTEN_FDS: ${name}: ${why}: take it out of the socket unit, or write a Listen`);
}

/** Of `*`: an address that cannot be bound yet (it is still being checked, or just went) is tried again later. */
export function wildcardMayPass(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
