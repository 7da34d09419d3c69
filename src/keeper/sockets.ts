// The sockets of a server, opened for it (DESIGN §5): those of Listen, all or none, and the control socket.

import { chmodSync, unlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { clearControlPath } from '../control/socket-place.ts';
import { withoutZone } from '../transport/address.ts';
import { expandListen, type ListenAddress } from '../transport/listen-address.ts';
import { cannotListen, ListenFault, unwantedSocket, wildcardMayPass } from '../transport/listen-fault.ts';
import { bindDatagramSocket, WANTED_ROOM_BYTES } from '../unix/datagram-socket.ts';
import { describeSocket, type InheritedSocket } from '../unix/inherited-sockets.ts';
import { libc } from '../unix/libc.ts';
import { listenPath, listenStream } from '../unix/stream-socket.ts';

/** Opens every socket that `listen` asks for, or takes the one that is there; why not, and then leaves none open. */
export function openSockets(
  listen: readonly ListenAddress[],
  inherited: readonly InheritedSocket[],
): InheritedSocket[] | string {
  const left = [...inherited];
  const opened: InheritedSocket[] = [];
  try {
    for (const wanted of expandListen(listen, networkInterfaces())) {
      const { transport } = wanted.listen;
      const at = left.findIndex(
        (each) =>
          each.transport === transport &&
          each.port === wanted.port &&
          each.address === withoutZone(wanted.address),
      );
      if (at >= 0) {
        opened.push(...left.splice(at, 1));
        continue;
      }
      try {
        const { address, port } = wanted;
        // As it is asked for: port 0 is any.
        opened.push({ ...describeSocket(bind(transport, address, port)), port });
      } catch (error) {
        // The server tries those again, as addresses come and go.
        if (!(wanted.wildcard && wildcardMayPass(error))) throw cannotListen(wanted, error);
      }
    }
    if (opened.length === 0) throw new ListenFault('Listen: this host has no address to listen on');
    if (left[0] !== undefined) throw unwantedSocket(left[0]);
    return opened;
  } catch (error) {
    for (const { fd } of opened) if (!inherited.some((each) => each.fd === fd)) libc().close(fd);
    if (error instanceof ListenFault) return error.message;
    throw error;
  }
}

function bind(transport: 'udp' | 'tcp', address: string, port: number): number {
  return transport === 'udp'
    ? bindDatagramSocket(address, port, WANTED_ROOM_BYTES).fd
    : listenStream(address, port);
}

/** Opens the control socket; resolves to why not where it can't be had. */
export async function openControl(path: string): Promise<number | string> {
  const why = await clearControlPath(path, undefined);
  if (why !== undefined) return why;
  try {
    const fd = listenPath(path);
    // Who may do what is decided by the peer's uid.
    chmodSync(path, 0o666);
    return fd;
  } catch (error) {
    return `ControlSocket: ${path}: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Takes the control socket away. */
export function removeControl(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, and its directory perhaps.
  }
}
