// Why a `Listen` of the server's configuration cannot be had, in one line for the administrator. Pure.

import { formatHostPort } from './address.ts';
import { formatListen, type WantedSocket } from './listen-address.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'no such address on this host',
  EACCES: 'permission denied',
  EAFNOSUPPORT: 'this host has no such address family',
  EINVAL: 'not an address to listen on',
};

/** Thrown where a socket cannot be opened; the message is `Listen udp:10.0.0.1:5060: address in use`. */
export class ListenFault extends Error {
  override readonly name = 'ListenFault';
  /** The system's, such as EADDRINUSE; empty where it gave none. */
  readonly code: string;

  constructor(wanted: WantedSocket, cause: unknown) {
    const code = codeOf(cause);
    const asked = formatListen(wanted.listen);
    const exact = formatHostPort(wanted.address, wanted.port);
    const why = reasons[code] ?? (code === '' ? String(cause) : code);
    super(`Listen ${asked}: ${wanted.wildcard ? `${exact}: ` : ''}${why}`, { cause });
    this.code = code;
  }
}

/** Of `*`: an address that cannot be bound yet (it is still being checked, or just went) is tried again later. */
export function wildcardMayPass(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
