// Puts a server's parts together from its settings. Wiring only.

import { hmac, hmacKey } from '../digest/hash.ts';
import type { NonceKey } from '../digest/nonce.ts';
import type { NonceCounts } from '../digest/nonce-counts.ts';
import { createRangeTest } from '../home/address-range.ts';
import { effectiveSettings } from '../home/config.ts';
import { formatFault } from '../home/fault.ts';
import { addressKind, refusalOfContact } from '../registrar/contact-address.ts';
import { signRoute } from '../registrar/route-mac.ts';
import { openAliases } from '../store/aliases-file.ts';
import type { Host } from '../store/host.ts';
import type { ServerSettings } from '../store/server-settings.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import type { Timers } from '../transaction/timers.ts';
import { canonicalAddress } from '../transport/address.ts';
import type { Locator } from '../transport/locate.ts';
import type { Transport } from '../transport/transport.ts';
import type { Account } from '../unix/nss.ts';
import type { Bans } from './bans.ts';
import type { CallAccounts } from './call-accounts.ts';
import type { CallAttempts } from './call-attempts.ts';
import { settingsOfEverybody } from './callee.ts';
import { createCompaction } from './compaction.ts';
import type { Counters } from './counters.ts';
import type { FailureAnswers } from './failure-answers.ts';
import type { Gateways } from './gateways.ts';
import { createHostNetworks } from './host-networks.ts';
import type { Keepalive } from './keepalive.ts';
import { createLocalDomains } from './local-domains.ts';
import type { Log } from './log.ts';
import type { RtpEngines } from './rtp-engines.ts';
import type { Service } from './service.ts';
import type { Sessions } from './sessions.ts';
import { createSourceLimits } from './source-limits.ts';
import type { Tracer } from './trace.ts';
import { createUsers } from './users.ts';

/** Users kept in memory; each takes a few kilobytes. */
const MAX_USERS = 20_000;

/** Sources whose requests are counted, some 100 bytes each. */
const MAX_SOURCES = 50_000;

/** What outlives a reload. */
export interface ServiceBase {
  readonly own: Account | undefined;
  readonly host: Host;
  readonly key: Buffer;
  readonly log: Log;
  readonly counters: Counters;
  readonly tracer: Tracer;
  readonly transport: Transport;
  readonly transactions: TransactionLayer;
  readonly failures: FailureAnswers;
  readonly bans: Bans;
  readonly keepalive: Keepalive;
  readonly sessions: Sessions;
  readonly locator: Locator;
  readonly gateways: Gateways;
  readonly rtpEngines: RtpEngines;
  readonly timers: Timers;
  readonly now: () => number;
  readonly refusedByOverload: () => void;
  readonly isDraining: () => boolean;
  readonly callAttempts: CallAttempts;
  readonly calls: CallAccounts;
  readonly nonceKey: NonceKey;
  /** What was used stays used. */
  readonly nonceCounts: NonceCounts;
}

/** Builds what serves requests under these settings. */
export function buildService(settings: ServerSettings, base: ServiceBase): Service {
  const { own, key, log, transport, transactions } = base;
  const { keywords, realm, algorithms } = settings;
  const faultOnce = createFaultLog(log);
  const store = base.host.openStore(settings, faultOnce);
  const users = createUsers(MAX_USERS, {
    onFault: (fault) => faultOnce(formatFault(fault)),
    onContacts: base.sessions.contactsRead,
  });
  const domains = createLocalDomains({
    realm,
    domains: keywords.Domain,
    advertised: keywords.Listen.flatMap(({ advertise }) => (advertise === undefined ? [] : [advertise.host])),
    addresses: () => transport.addresses().map(({ address }) => address),
  });
  const removalMemoryMs = 64 * keywords.TimerT1;
  const limits = {
    minExpires: keywords.MinExpires,
    defaultExpires: Math.min(keywords.DefaultExpires, keywords.MaxExpires),
    maxExpires: keywords.MaxExpires,
    maxContacts: keywords.MaxContacts,
    maxContactsPolicy: keywords.MaxContactsPolicy,
    removalMemoryMs,
  };
  const { gateways } = base;
  const isInTrustedPeers = createRangeTest(keywords.TrustedPeers);
  const hostNetworks = createHostNetworks();
  const isTrustedPeer = (address: string) => gateways.isTrusted(address) || isInTrustedPeers(address);
  const sourceLimits = createSourceLimits(keywords.RateLimit, MAX_SOURCES);
  // Who is on this host could load it without us.
  const isThisHost = (address: string) =>
    addressKind(address) === 'loopback' || hostNetworks().addresses.has(address);
  const isLimitless = (address: string) => isTrustedPeer(address) || isThisHost(address);
  const routeKey = hmacKey(Buffer.from(hmac(key, 'route'), 'hex'));
  const hostFacts = {
    isOwnSocket: (host: string, port: number) =>
      transport.isOwn(host, port) || (domains.isLocal(host) && transport.isOwnPort(port)),
    isBroadcast: (address: string) => hostNetworks().broadcasts.has(address),
  };
  return {
    log,
    counters: base.counters,
    tracer: base.tracer,
    store,
    users,
    domains,
    transactions,
    authenticator: {
      realm,
      algorithms,
      nonceLifetimeMs: keywords.NonceLifetime * 1000,
      key: base.nonceKey,
      counts: base.nonceCounts,
      isLocal: domains.isLocal,
    },
    failures: base.failures,
    bans: base.bans,
    keepalive: base.keepalive,
    sessions: base.sessions,
    compaction: createCompaction(store, users, removalMemoryMs, log),
    keywords,
    layers: settings.layers,
    hasBlocks: settings.layers.some(({ blocks }) => blocks.some(({ type }) => type === 'match')),
    everybody: settingsOfEverybody(keywords, settings.layers),
    transport,
    locator: base.locator,
    timers: base.timers,
    dialogKey: hmacKey(Buffer.from(hmac(key, 'dialog'), 'hex')),
    loopSecret: hmac(key, 'loop'),
    callingRules: { allowForeign: keywords.AllowForeign, groups: keywords.CallingGroup },
    isLimitless,
    limitsOfSource: (address) => (isLimitless(address) ? undefined : sourceLimits),
    callAttempts: base.callAttempts,
    calls: base.calls,
    isBehind: base.host.isBehind,
    refusedByOverload: base.refusedByOverload,
    isDraining: base.isDraining,
    isTrustedPeer,
    gateways,
    rtpEngine: base.rtpEngines.use(keywords.RtpEngine),
    aliases: own === undefined ? openAliases(faultOnce) : () => undefined,
    now: base.now,
    limitsOf(user) {
      if (user.config.global.length === 0 && user.config.blocks.length === 0) return limits;
      const { MaxContacts } = effectiveSettings([user.config, ...settings.layers]);
      return { ...limits, maxContacts: MaxContacts };
    },
    refuseHop: createHopRefusals((uri, sourceAddress) => refusalOfContact(uri, sourceAddress, hostFacts)),
    refuseContact: (uri, sourceAddress) =>
      gateways.isGateway(canonicalAddress(uri.host) ?? uri.host) && !gateways.isGateway(sourceAddress)
        ? 'the address of a gateway'
        : refusalOfContact(uri, sourceAddress, hostFacts),
    signRoute: (user, binding) => signRoute(routeKey, user, binding),
  };
}

/** Files whose faults are remembered, and lines a minute that one file gets. */
const MAX_FAULTY_FILES = 10_000;
const FAULTS_A_MINUTE = 20;

/** A fault is logged when it is first seen, and again after a minute at the earliest; a file has a budget of lines. */
function createFaultLog(log: Log): (text: string) => void {
  const files = new Map<string, { readonly sinceMs: number; readonly texts: Set<string> }>();
  return (text) => {
    const path = text.slice(0, text.indexOf(':'));
    const nowMs = Date.now();
    let file = files.get(path);
    if (file === undefined || nowMs - file.sinceMs >= 60_000) {
      file = { sinceMs: nowMs, texts: new Set() };
      files.delete(path);
      if (files.size >= MAX_FAULTY_FILES) files.delete(files.keys().next().value as string);
      files.set(path, file);
    }
    if (file.texts.size >= FAULTS_A_MINUTE || file.texts.has(text)) return;
    file.texts.add(text);
    log('warning', 'fault', { text });
  };
}

type Refusal = Service['refuseHop'];

/** What was found of an address holds for a second: in that time it is sent to by the hundred. */
function createHopRefusals(refuse: Refusal): Refusal {
  const known = new Map<string, string | undefined>();
  let sinceMs = 0;
  return (uri, sourceAddress) => {
    const nowMs = performance.now();
    if (nowMs - sinceMs > 1000 || known.size > 1000) {
      known.clear();
      sinceMs = nowMs;
    }
    const key = `${uri.host} ${uri.port} ${sourceAddress}`;
    if (!known.has(key)) known.set(key, refuse(uri, sourceAddress));
    return known.get(key);
  };
}
