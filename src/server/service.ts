// What serving a request needs: one object made at start and changed as a whole by a reload. Shapes only.

import type { Authenticator } from '../auth/authenticate.ts';
import type { HmacKey } from '../digest/hash.ts';
import type { ParsedConfig, Settings } from '../home/config.ts';
import type { Binding } from '../home/usrloc.ts';
import type { RtpEngine } from '../media/rtpengine.ts';
import type { SipUri } from '../message/uri.ts';
import type { CallingRules } from '../proxy/calling-rights.ts';
import type { RegistrarLimits } from '../registrar/register.ts';
import type { AliasLookup } from '../store/aliases-file.ts';
import type { Store } from '../store/store.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import type { Timers } from '../transaction/timers.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { Locator } from '../transport/locate.ts';
import type { Transport } from '../transport/transport.ts';
import type { Bans } from './bans.ts';
import type { CallAccounts } from './call-accounts.ts';
import type { CallAttempts } from './call-attempts.ts';
import type { CallSettings } from './callee.ts';
import type { Compaction } from './compaction.ts';
import type { Counters } from './counters.ts';
import type { FailureAnswers } from './failure-answers.ts';
import type { Gateways } from './gateways.ts';
import type { Keepalive } from './keepalive.ts';
import type { LocalDomains } from './local-domains.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions.ts';
import type { SourceLimits } from './source-limits.ts';
import type { Tracer } from './trace.ts';
import type { User, Users } from './users.ts';

/** The parts of a running server. */
export interface Service {
  readonly log: Log;
  readonly counters: Counters;
  readonly tracer: Tracer;
  readonly store: Store;
  readonly users: Users;
  readonly domains: LocalDomains;
  readonly authenticator: Authenticator;
  readonly transactions: TransactionLayer;
  readonly failures: FailureAnswers;
  readonly bans: Bans;
  readonly compaction: Compaction;
  readonly keepalive: Keepalive;
  readonly sessions: Sessions;
  /** The registrar's limits for a user: the server's, narrowed by his own config. */
  limitsOf(user: User): RegistrarLimits;
  /** Why a contact may not point there, or undefined. */
  refuseContact(uri: SipUri, sourceAddress: string): string | undefined;
  /** Why nothing may be sent there for a request from that address, or undefined. */
  refuseHop(uri: SipUri, sourceAddress: string): string | undefined;
  /** The keywords in effect. */
  readonly keywords: Settings;
  /** The layers of keywords behind a user's own; without blocks all users without a config have `keywords`. */
  readonly layers: readonly ParsedConfig[];
  readonly hasBlocks: boolean;
  readonly transport: Transport;
  readonly locator: Locator;
  /** Timer C, BranchTimeout, NoAnswerTimeout. */
  readonly timers: Timers;
  /** Signs what our Record-Route says of a dialog. */
  readonly dialogKey: HmacKey;
  /** Nobody else can make a hash that stops a request as a loop. */
  readonly loopSecret: string;
  readonly callingRules: CallingRules;
  /** The host itself and trusted peers: no limit of requests, no bans. */
  isLimitless(address: string): boolean;
  /** RateLimit; undefined for a source that has none. */
  limitsOfSource(address: string): SourceLimits | undefined;
  /** Calls of each user that are being set up. */
  readonly callAttempts: CallAttempts;
  /** Calls and what is written of them. */
  readonly calls: CallAccounts;
  /** Whether more is asked about homes than gets done. */
  readonly isBehind: () => boolean;
  /** Counts a request that was refused for overload. */
  refusedByOverload(): void;
  /** Whether the server is about to stop, and takes nothing new. */
  isDraining(): boolean;
  /** What holds for calls to users without a config of their own. */
  readonly everybody: CallSettings;
  /** TrustedPeers, and the gateways whose requests are trusted. */
  isTrustedPeer(address: string): boolean;
  readonly gateways: Gateways;
  /** Relays media across NAT; undefined: none does. */
  readonly rtpEngine: RtpEngine | undefined;
  /** /etc/sr/aliases as it is now. */
  readonly aliases: AliasLookup;
  /** Milliseconds since 1970, for Match time. */
  now(): number;
  /** The MAC over what the server says of how a contact is reached. */
  signRoute(user: string, binding: Omit<Binding, 'mac'>): string;
}

/** A flow's peer as the log names it: `192.0.2.1:5060`. */
export function sourceOf(flow: Flow): string {
  return formatHostPort(flow.remoteAddress, flow.remotePort);
}

/** A flow's own end as usrloc names it: `udp:192.0.2.1:5060`. */
export function socketOf(flow: Flow): string {
  return `${flow.transport}:${formatHostPort(flow.localAddress, flow.localPort)}`;
}
