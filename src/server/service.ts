// What serving a request needs: one object made at start and changed as a whole by a reload. Shapes only.

import type { Authenticator } from '../auth/authenticate.ts';
import type { Binding } from '../home/usrloc.ts';
import type { SipUri } from '../message/uri.ts';
import type { RegistrarLimits } from '../registrar/register.ts';
import type { Store } from '../store/store.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { Compaction } from './compaction.ts';
import type { FailureAnswers } from './failure-answers.ts';
import type { Keepalive } from './keepalive.ts';
import type { LocalDomains } from './local-domains.ts';
import type { Log } from './log.ts';
import type { User, Users } from './users.ts';

/** The parts of a running server. */
export interface Service {
  readonly log: Log;
  readonly store: Store;
  readonly users: Users;
  readonly domains: LocalDomains;
  readonly authenticator: Authenticator;
  readonly transactions: TransactionLayer;
  readonly failures: FailureAnswers;
  readonly compaction: Compaction;
  readonly keepalive: Keepalive;
  /** The registrar's limits for a user: the server's, narrowed by his own config. */
  limitsOf(user: User): RegistrarLimits;
  /** Why a contact may not point there, or undefined. */
  refuseContact(uri: SipUri, sourceAddress: string): string | undefined;
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
