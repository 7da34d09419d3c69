// Gateways (DESIGN §3): which calls leave through which, and whose requests are trusted.

import { type Gateway, gatewayTarget } from '../home/gateway.ts';
import { matchesUriGlob } from '../home/glob.ts';
import { bracketHost } from '../message/host.ts';
import { escapeUser, formatUri, type SipUri, unescapeUser } from '../message/uri.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { Locator } from '../transport/locate.ts';
import type { Target } from './branch.ts';

/** The gateways of a server. */
export interface Gateways {
  /** Where a call to a URI leaves through one; undefined: through none. */
  targetFor(uri: SipUri): Target | undefined;
  /** Whether an address is that of a gateway whose requests are trusted. */
  isTrusted(address: string): boolean;
  /** Whether an address is that of any gateway: no contact may point there. */
  isGateway(address: string): boolean;
  close(): void;
}

/** How often the addresses of gateways that are names are looked up again. */
const LOCATE_AGAIN_MS = 60_000;

/** Starts to look after gateways. */
export function createGateways(gateways: readonly Gateway[], locator: Locator): Gateways {
  const addresses = new Map<Gateway, ReadonlySet<string>>();

  async function locate(gateway: Gateway): Promise<void> {
    const { host, port, transport } = gateway.address;
    const target = { host: bracketHost(host), transport, ...(port === undefined ? {} : { port }) };
    const hops = await locator.locate(target);
    if (hops.length > 0) addresses.set(gateway, new Set(hops.map(({ address }) => address)));
  }

  function locateAll(): void {
    for (const gateway of gateways) void locate(gateway);
  }

  for (const gateway of gateways) {
    const literal = canonicalAddress(gateway.address.host);
    if (literal !== undefined) addresses.set(gateway, new Set([literal]));
  }
  const names = gateways.filter(({ address }) => canonicalAddress(address.host) === undefined);
  const timer = names.length === 0 ? undefined : setInterval(locateAll, LOCATE_AGAIN_MS);
  timer?.unref();
  if (names.length > 0) locateAll();

  return {
    targetFor(uri) {
      const text = formatUri({ ...uri, parameters: [], headers: undefined });
      const gateway = gateways.find(({ patterns }) => patterns.some((each) => matchesUriGlob(each, text)));
      return gateway === undefined ? undefined : targetOf(gateway, uri);
    },
    isTrusted: (address) =>
      gateways.some((each) => each.trusted && addresses.get(each)?.has(address) === true),
    isGateway: (address) => gateways.some((each) => addresses.get(each)?.has(address) === true),
    close: () => clearInterval(timer),
  };
}

function targetOf(gateway: Gateway, uri: SipUri): Target {
  const { host, port, transport } = gateway.address;
  const user =
    uri.user === undefined ? undefined : escapeUser(gatewayTarget(gateway, unescapeUser(uri.user) ?? ''));
  const parameters = transport === undefined ? [] : [{ name: 'transport', value: transport }];
  const at: SipUri = { type: 'sip', host: bracketHost(host), port, parameters };
  return {
    requestUri: formatUri({ ...at, user, parameters: [] }),
    route: { type: 'uri', uri: at, path: [] },
    isPhone: false,
    gateway,
  };
}
