// What this host says of a contact that is added on it: not our own socket, not everybody (DESIGN §4.6).

import { networkInterfaces } from 'node:os';
import type { ListenValue } from '../../home/keyword-values.ts';
import type { SipUri } from '../../message/uri.ts';
import { refusalOfContact } from '../../registrar/contact-address.ts';
import { canonicalAddress } from '../../transport/address.ts';

/** Makes the question why a URI may not be a contact. A contact added here may be on this host: it came from it. */
export function refuseHere(listen: readonly ListenValue[]): (uri: SipUri) => string | undefined {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = new Set(interfaces.map(({ address }) => address));
  const broadcast = new Set(
    interfaces
      .filter(({ family }) => family === 'IPv4')
      .map(({ address, netmask }) => broadcastOf(address, netmask)),
  );
  return (uri) =>
    refusalOfContact(uri, uri.host, {
      isOwnSocket(host, port) {
        const address = canonicalAddress(host);
        return (
          address !== undefined &&
          own.has(address) &&
          listen.some((socket) => socket.port === port && (socket.host === '*' || socket.host === address))
        );
      },
      isBroadcast: (address) => broadcast.has(address),
    });
}

/** The broadcast address of an IPv4 network; a network of one or two addresses has none. */
function broadcastOf(address: string, netmask: string): string | undefined {
  const mask = netmask.split('.').map(Number);
  if ((mask[3] as number) >= 254) return undefined;
  return address
    .split('.')
    .map((octet, at) => Number(octet) | (~(mask[at] as number) & 255))
    .join('.');
}
