// What the control socket does with a user's contacts: shows them, takes them away, asks whether they are there.

import { type ControlFault, controlFault } from '../control/protocol.ts';
import { equalText } from '../digest/response.ts';
import { UNIX_URL } from '../home/database-url.ts';
import { type Binding, formatRemoval } from '../home/usrloc.ts';
import { fromOctets, toOctets } from '../message/octets.ts';
import { hasParameter } from '../message/parameters.ts';
import { parseUri, type SipUri, sameUri } from '../message/uri.ts';
import { FLOW_PARAMETER } from '../proxy/flow-route.ts';
import type { Flow } from '../transport/flow.ts';
import { type Account, findAccount } from '../unix/nss.ts';
import { appending, contactsAppended, loadContacts } from './contact-operations.ts';
import { contactWay } from './contact-way.ts';
import { type Hop, nextHops } from './next-hop.ts';
import { sendOptions } from './ping.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** How often a removal is decided on again because somebody else wrote the contacts meanwhile. */
const MOST_DECISIONS = 10;
/** Contacts that are asked at once: a file may have a thousand. */
const MOST_PINGED = 20;
/** An answer of a contact comes in so long, or not at all. */
const ANSWER_MS = 4000;
/** Whoever asks over the control socket is on this host, and reaches its loopback addresses himself. */
const ASKED_FROM = '127.0.0.1';

/** One contact that was asked; `rtt` in milliseconds, or why there is none. */
export interface Pinged {
  readonly contact: string;
  readonly rtt: number | null;
  readonly why?: string;
}

/** Takes a contact of a user away, or all of them; answers their URIs. Throws NssError. */
export async function dropContacts(
  service: Service,
  own: Account | undefined,
  name: string,
  contact: string | undefined,
): Promise<readonly string[] | ControlFault> {
  const user = findUser(service, own, name);
  if ('type' in user) return user;
  for (let decisions = 0; decisions < MOST_DECISIONS; decisions++) {
    const unread = await load(service, user);
    if (unread !== undefined) return unread;
    const dropped = meant(user.contacts.bindings, contact);
    if (dropped.length === 0)
      return contact === undefined ? [] : controlFault('notFound', `${name} has no contact ${contact}`);
    const lines = dropped.map((binding) => formatRemoval(binding, { at: Date.now() }));
    const [written] = await service.store.run(user.name, [appending(user, lines)]);
    if (written?.type === 'written') {
      contactsAppended(
        user,
        lines,
        lines.map(() => undefined),
        written.version,
      );
      service.counters.contactsRemoved += dropped.length;
      service.keepalive.observe(user);
      service.sessions.contactsRead(user);
      for (const { uri } of dropped) service.log('info', 'dropped', { user: name, contact: uri });
      return dropped.map(({ uri }) => fromOctets(uri));
    }
    if (written?.type === 'failed') return controlFault('unavailable', written.why);
  }
  return controlFault('unavailable', `the contacts of ${name} are changed by others all the time`);
}

/** Asks a contact of a user, or all of them, for a sign of life. Throws NssError. */
export async function pingContacts(
  service: Service,
  own: Account | undefined,
  name: string,
  contact: string | undefined,
): Promise<readonly Pinged[] | ControlFault> {
  const user = findUser(service, own, name);
  if ('type' in user) return user;
  const unread = await load(service, user);
  if (unread !== undefined) return unread;
  const live = meant(user.contacts.bindings, contact).filter(
    ({ expiresAt }) => expiresAt === undefined || expiresAt > Date.now(),
  );
  if (live.length === 0)
    return controlFault(
      'notFound',
      contact === undefined ? `${name} has no contact` : `${name} has no contact ${contact}`,
    );
  return Promise.all(live.slice(0, MOST_PINGED).map((binding) => pingContact(service, user, binding)));
}

function findUser(service: Service, own: Account | undefined, name: string): User | ControlFault {
  // One whom the database does not have has no contacts.
  if (service.keywords.DbUrl !== UNIX_URL) return service.users.claimed(name);
  const account = own === undefined ? findAccount(name) : own.name === name ? own : undefined;
  if (account === undefined)
    return controlFault(
      'notFound',
      own === undefined ? `user ${name} does not exist` : `${name} is not served here`,
    );
  const user = service.users.proved(service.users.claimed(name));
  if (user.home === '') user.home = account.home;
  return user;
}

async function load(service: Service, user: User): Promise<ControlFault | undefined> {
  const [loaded] = await service.store.run(user.name, [loadContacts(user)]);
  if (loaded?.type === 'failed' || loaded?.type === 'refused' || loaded?.type === 'no')
    return controlFault('unavailable', loaded.why);
  if (loaded !== undefined) service.users.contactsLoaded(user, loaded);
  return undefined;
}

/** The contact whose URI it is, or is equal to it (RFC 3261 §19.1.4); all without one. */
function meant(bindings: readonly Binding[], contact: string | undefined): readonly Binding[] {
  if (contact === undefined) return bindings;
  const octets = toOctets(contact);
  const wanted = parseUri(octets);
  return bindings.filter(({ uri }) => {
    const bound = parseUri(uri);
    return uri === octets || (wanted !== undefined && bound !== undefined && sameUri(wanted, bound));
  });
}

async function pingContact(service: Service, user: User, binding: Binding): Promise<Pinged> {
  const contact = fromOctets(binding.uri);
  const uri = parseUri(binding.uri);
  if (uri === undefined || 'rest' in uri) return { contact, rtt: null, why: 'is no SIP URI' };
  const isSigned = equalText(binding.mac ?? '', service.signRoute(user.name, binding));
  const route = contactWay(service, binding, uri, isSigned);
  if (route.type === 'unusable') return { contact, rtt: null, why: route.why };
  if (route.type === 'uri' && hasParameter(route.uri.parameters, FLOW_PARAMETER))
    return { contact, rtt: null, why: `registered at another server: ${route.uri.host}` };
  const [hop] = await nextHops(service, route, (at) => service.refuseContact(at, ASKED_FROM));
  const flow = await openHop(hop);
  if (typeof flow === 'string') return { contact, rtt: null, why: flow };
  const rtt = await roundTrip(service, flow, uri);
  return rtt === undefined
    ? { contact, rtt: null, why: `no answer in ${ANSWER_MS / 1000} s` }
    : { contact, rtt };
}

async function openHop(hop: Hop | undefined): Promise<Flow | string> {
  if (hop === undefined) return 'there is no way to it';
  try {
    return (await hop.open()) ?? 'there is no way to it';
  } catch (error) {
    return (error as Error).message;
  }
}

function roundTrip(service: Service, flow: Flow, uri: SipUri): Promise<number | undefined> {
  const sentMs = performance.now();
  return new Promise((resolve) => {
    const giveUp = () => {
      takeBack();
      resolve(undefined);
    };
    const timer = service.timers.start(ANSWER_MS, giveUp, undefined);
    const takeBack = sendOptions(service.transactions, flow, uri, () => {
      service.timers.stop(timer);
      resolve(performance.now() - sentMs);
    });
  });
}
