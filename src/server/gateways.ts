// Gateways (DESIGN §3): which calls leave through which, whose requests are trusted, whom a call that comes in is for.

import { type HmacKey, hmac } from '../digest/hash.ts';
import { type Gateway, gatewayTarget } from '../home/gateway.ts';
import { matchesUriGlob } from '../home/glob.ts';
import { bracketHost } from '../message/host.ts';
import { escapeUser, formatUri, type SipUri, unescapeUser } from '../message/uri.ts';
import type { Host } from '../store/host.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { Locator } from '../transport/locate.ts';
import type { Transport } from '../transport/transport.ts';
import type { Target } from './branch.ts';
import { locateTarget } from './gateway-address.ts';
import { createGatewayAnswers, type GatewayAnswers } from './gateway-answer.ts';
import {
  createGatewayRegistration,
  type GatewayRegistration,
  type RegistrationTiming,
} from './gateway-registration.ts';
import type { Log } from './log.ts';

/** The gateways of a server; they outlive a reload. */
export interface Gateways {
  readonly answer: GatewayAnswers['answer'];
  /** Where a call to a URI leaves, in the order to try. */
  targetsFor(uri: SipUri): readonly Target[];
  /** Whether an address is that of a gateway whose requests are trusted. */
  isTrusted(address: string): boolean;
  /** Whether an address is that of one gateway. */
  isAt(gateway: Gateway, address: string): boolean;
  /** Whether an address is that of any gateway: no contact may point there. */
  isGateway(address: string): boolean;
  /** The gateway at the other end of a flow. */
  at(flow: Pick<Flow, 'remoteAddress' | 'remotePort'>): Gateway | undefined;
  /** The gateway that was told to call this URI, whoever sends it: nobody else knows the user part. */
  registeredAs(uri: SipUri): Gateway | undefined;
  /** The gateway that a request came from by its address, the first with InboundTo of several. */
  from(address: string): Gateway | undefined;
  /** Takes what the configuration says now; a gateway that stays as it was stays registered. */
  apply(gateways: readonly Gateway[]): void;
  /** Unregisters, within two seconds. */
  close(): Promise<void>;
}

/** What gateways are made of. */
export interface GatewayParts {
  readonly log: Log;
  readonly locator: Locator;
  readonly transport: Transport;
  readonly transactions: TransactionLayer;
  readonly credentialsOf: Host['credentialsOf'];
  /** Makes the user parts that we register. */
  readonly contactKey: HmacKey;
  readonly timing?: Partial<RegistrationTiming> | undefined;
}

interface Known {
  readonly gateway: Gateway;
  /** What we register as, without escapes; undefined: we don't. */
  readonly contactUser: string | undefined;
  /** Where it is, IP literals. */
  addresses: ReadonlySet<string>;
  /** The same with ports: `ADDRESS PORT`. */
  ends: ReadonlySet<string>;
  registration?: GatewayRegistration | undefined;
}

/** How often the addresses of gateways that are names are looked up again. */
const LOCATE_AGAIN_MS = 60_000;
/** 64 bits: nobody guesses them. */
const CONTACT_DIGITS = 16;

/** Looks after gateways; there are none until `apply`. */
export function createGateways(parts: GatewayParts): Gateways {
  const { locator, contactKey } = parts;
  const answers = createGatewayAnswers(parts.log, parts.credentialsOf);
  let known: readonly Known[] = [];
  let isClosed = false;

  async function locate(each: Known): Promise<void> {
    const hops = await locator.locate(locateTarget(each.gateway));
    if (hops.length === 0) return;
    each.addresses = new Set(hops.map(({ address }) => address));
    each.ends = new Set(hops.map(({ address, port }) => `${address} ${port}`));
  }

  function know(gateway: Gateway): Known {
    const literal = canonicalAddress(gateway.address.host);
    const each: Known = {
      gateway,
      contactUser: gateway.register ? contactUserOf(gateway) : undefined,
      addresses: new Set(literal === undefined ? [] : [literal]),
      ends: new Set(),
    };
    void locate(each);
    return each;
  }

  const timer = setInterval(() => {
    for (const each of known)
      if (canonicalAddress(each.gateway.address.host) === undefined) void locate(each);
  }, LOCATE_AGAIN_MS);
  timer.unref();

  const contactUserOf = ({ name }: Gateway): string =>
    `${name}-${hmac(contactKey, name).slice(0, CONTACT_DIGITS)}`;

  function startRegistration(each: Known): void {
    const { gateway, contactUser } = each;
    if (isClosed || contactUser === undefined || !known.includes(each)) return;
    each.registration = createGatewayRegistration(gateway, contactUser, {
      ...parts,
      answers,
    });
  }

  return {
    answer: answers.answer,
    targetsFor(uri) {
      if (known.length === 0) return [];
      const text = formatUri({ ...uri, parameters: [], headers: undefined });
      return known
        .filter(({ gateway }) => gateway.patterns.some((pattern) => matchesUriGlob(pattern, text)))
        .map(({ gateway }) => targetOf(gateway, uri));
    },
    isTrusted: (address) => known.some(({ gateway, addresses }) => gateway.trusted && addresses.has(address)),
    isAt: (gateway, address) => known.some((each) => each.gateway === gateway && each.addresses.has(address)),
    isGateway: (address) => known.some(({ addresses }) => addresses.has(address)),
    at: ({ remoteAddress, remotePort }) =>
      known.find(({ ends }) => ends.has(`${remoteAddress} ${remotePort}`))?.gateway,
    registeredAs({ user }) {
      if (user === undefined) return undefined;
      const name = unescapeUser(user);
      return known.find(({ contactUser }) => contactUser === name)?.gateway;
    },
    from(address) {
      const there = known.filter(({ addresses }) => addresses.has(address));
      return (there.find(({ gateway }) => gateway.inboundTo !== undefined) ?? there[0])?.gateway;
    },
    apply(gateways) {
      const before = new Map(known.map((each) => [identityOf(each.gateway), each]));
      known = gateways.map((gateway) => before.get(identityOf(gateway)) ?? know(gateway));
      const left = [...before.values()].filter((each) => !known.includes(each));
      const added = known.filter(({ registration }) => registration === undefined);
      // What leaves unregisters first: it may be the same contact at the same place.
      const leaving = left.flatMap(({ registration }) => registration?.stop() ?? []);
      if (leaving.length === 0) for (const each of added) startRegistration(each);
      else
        void Promise.all(leaving).then(() => {
          for (const each of added) startRegistration(each);
        });
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await Promise.all(known.map(({ registration }) => registration?.stop()));
    },
  };
}

/** What makes it another gateway when it changes: all but the place in the file. */
function identityOf(gateway: Gateway): string {
  return JSON.stringify({ ...gateway, line: 0 });
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
    mayBeGateway: true,
    gateway,
  };
}
