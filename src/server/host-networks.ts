// The host's own addresses and the networks it is in, looked at every ten seconds: addresses come and go.

import { networkInterfaces } from 'node:os';
import { canonicalAddress } from '../transport/address.ts';

const LOOK_EVERY_MS = 10_000;

/** What the host's interfaces say. */
interface HostNetworks {
  /** Its own addresses, in canonical form. */
  readonly addresses: ReadonlySet<string>;
  /** The last address of each IPv4 network. */
  readonly broadcasts: ReadonlySet<string>;
}

/** Makes a reader of the host's networks. */
export function createHostNetworks(): () => HostNetworks {
  let networks: HostNetworks | undefined;
  let lookedAtMs = 0;
  return () => {
    const nowMs = performance.now();
    if (networks !== undefined && nowMs - lookedAtMs < LOOK_EVERY_MS) return networks;
    lookedAtMs = nowMs;
    networks = look();
    return networks;
  };
}

function look(): HostNetworks {
  const infos = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const wide = infos.filter(({ family, netmask }) => family === 'IPv4' && netmask !== '255.255.255.255');
  return {
    addresses: new Set(infos.map(({ address }) => canonicalAddress(address) ?? address)),
    broadcasts: new Set(wide.map(({ address, netmask }) => broadcastOf(address, netmask))),
  };
}

function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, index) => Number(part) | (255 ^ (mask[index] as number)))
    .join('.');
}
