// A REGISTER on its way (DESIGN §4.2 to §4.6, RFC 3261 §10.3): domain, credentials, owner, authorization, bindings.

import { accountOf, authorize, unavailable } from '../auth/authorize.ts';
import { type Rejection, reject } from '../auth/rejection.ts';
import { createResponse } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { type Registered, register } from '../registrar/register.ts';
import { registrationFields } from '../registrar/registration-response.ts';
import type { Answer, Operation, Version } from '../store/store.ts';
import { newTag } from '../transaction/random-token.ts';
import { appending, contactsAppended, loadContacts } from './contact-operations.ts';
import { type Exchange, refuse, refuseIn } from './exchange.ts';
import { type Identified, identify } from './identify.ts';
import { type Service, socketOf, sourceOf } from './service.ts';
import type { User } from './users.ts';

/** How often a decision is made again because somebody else wrote the contacts meanwhile. */
const MAX_DECISIONS = 10;
/** How many requests of one user wait for their turn at once. */
const MAX_WAITING = 64;

/** Serves one REGISTER; undefined when it was answered without asking the store. */
export function serveRegister(service: Service, exchange: Exchange): Promise<void> | undefined {
  const aor = addressOfRecord(service, exchange);
  if (typeof aor !== 'string') return refuse(service, exchange, aor);
  let ahead: Registered | undefined;
  return identify(
    service,
    exchange,
    'www',
    (user, isFresh) => {
      const config: Operation = { type: 'loadConfig', known: user.configVersion };
      if (user.name === aor && isFresh && user.waiting === 0) ahead = decideAhead(service, exchange, user);
      return [config, ahead === undefined ? loadContacts(user) : appending(user, ahead.lines)];
    },
    (identified) => {
      const { identity, transaction, user, account, answers } = identified;
      const [config, contacts] = answers as [Answer, Answer];
      const refusal = authorize(identity.user, aor, account) ?? unavailable(config) ?? unavailable(contacts);
      if (refusal !== undefined) return refuseIn(service, exchange, transaction, refusal);
      service.users.admitted(user, account);
      if (ahead !== undefined && contacts.type === 'written')
        return confirm(service, exchange, identified, ahead, contacts.version);
      service.users.configLoaded(user, config);
      return bindInTurn(service, exchange, identified);
    },
  );
}

/** The account the To header field names; 403 for another domain, 400 for what is no address of ours to be. */
function addressOfRecord(service: Service, { request, target, head }: Exchange): string | Rejection {
  if (target?.type !== 'sip' || !service.domains.isLocal(target.host))
    return foreignDomain(target?.type === 'sip' ? target.host : request.requestUri);
  const to = parseUri(head.to.uri);
  if (to === undefined || (to.type !== 'sip' && to.type !== 'sips'))
    return reject(400, `To ${head.to.uri}`, { reason: 'Bad To' });
  if (!service.domains.isLocal(to.host)) return foreignDomain(to.host);
  return accountOf(to) ?? reject(400, `To ${head.to.uri}`, { reason: 'Bad To' });
}

function foreignDomain(host: string): Rejection {
  return reject(403, `REGISTER for ${host}: to serve it, add \`Domain ${host}\` to /etc/sr/config`, {
    reason: 'Domain Not Served Here',
  });
}

/**
 * What the request does to the contacts as they were last seen, for the store to write if it finds the credentials right
 * and the files unchanged: then one request to the store does it all. Undefined where that can't be said yet.
 */
function decideAhead(service: Service, exchange: Exchange, user: User): Registered | undefined {
  if (user.contactsVersion === undefined || user.configVersion === undefined) return undefined;
  const outcome = decide(service, exchange, user);
  return outcome.type === 'registered' && outcome.lines.length > 0 ? outcome : undefined;
}

function decide(service: Service, { request, head, flow, nowMs }: Exchange, user: User) {
  return register({
    request,
    head,
    existing: user.contacts,
    limits: service.limitsOf(user),
    source: {
      address: flow.remoteAddress,
      port: flow.remotePort,
      transport: flow.transport,
      socket: socketOf(flow),
    },
    nowMs,
    refuseContact: service.refuseContact,
    sign: (binding) => service.signRoute(user.name, binding),
  });
}

/** Those that could not be decided ahead go one behind the other, as they came. */
function bindInTurn(service: Service, exchange: Exchange, identified: Identified): Promise<void> | void {
  const { transaction, user } = identified;
  if (user.waiting >= MAX_WAITING)
    return refuseIn(service, exchange, transaction, reject(500, `more than ${MAX_WAITING} requests wait`));
  user.waiting++;
  const done = user.turn
    .then(() => bind(service, exchange, identified))
    .finally(() => {
      user.waiting--;
    });
  user.turn = done.catch(() => {});
  return done;
}

/** Decides on the contacts as the file has them and writes what that asks for; again if others changed them meanwhile. */
async function bind(service: Service, exchange: Exchange, identified: Identified): Promise<void> {
  const { transaction, user } = identified;
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
    const known = decisions === 0 ? user.contactsVersion : undefined;
    const [loaded] = await service.store.run(user.name, [{ type: 'loadContacts', known }]);
    const unread = unavailable(loaded);
    if (unread !== undefined) return refuseIn(service, exchange, transaction, unread);
    service.users.contactsLoaded(user, loaded as Answer);
    const outcome = decide(service, exchange, user);
    if (outcome.type === 'rejection') return refuseIn(service, exchange, transaction, outcome);
    const after = user.contactsVersion as Version;
    if (outcome.lines.length === 0) return confirm(service, exchange, identified, outcome, after);
    const [written] = await service.store.run(user.name, [appending(user, outcome.lines)]);
    if (written?.type === 'written') return confirm(service, exchange, identified, outcome, written.version);
    const unwritten = unavailable(written);
    if (unwritten !== undefined) return refuseIn(service, exchange, transaction, unwritten);
  }
  const why = 'contacts are changed by others all the time';
  return refuseIn(service, exchange, transaction, reject(500, why));
}

/** Answers 200 with the bindings that hold now: they are written, or nothing was to be. */
function confirm(
  service: Service,
  exchange: Exchange,
  { identity, transaction, user }: Identified,
  outcome: Registered,
  version: Version,
): void {
  const { request, nowMs } = exchange;
  contactsAppended(user, outcome.lines, outcome.meanings, version);
  const fields = registrationFields(request, outcome.bindings, nowMs);
  if (identity.info !== undefined) fields.push(identity.info);
  transaction.respond(createResponse(request, 200, { toTag: newTag(), fields }));
  service.counters.confirmed++;
  service.counters.contactsAdded += outcome.added.length;
  service.counters.contactsRemoved += outcome.removed.length;
  logRegistration(service, exchange, user, outcome);
  service.sessions.registered(user, outcome, exchange.flow.remoteAddress);
  service.compaction.consider(user);
  service.keepalive.observe(user);
}

/** The first and the last of a contact's life are events; a refresh is not. */
function logRegistration(service: Service, { flow }: Exchange, user: User, outcome: Registered): void {
  const src = sourceOf(flow);
  for (const { uri } of outcome.added)
    service.log('info', 'registered', { src, user: user.name, contact: uri });
  for (const { uri } of outcome.removed)
    service.log('info', 'unregistered', { src, user: user.name, contact: uri });
}
