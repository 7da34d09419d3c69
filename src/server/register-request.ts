// A REGISTER on its way (DESIGN §4.2 to §4.6, RFC 3261 §10.3): domain, credentials, owner, authorization, bindings.

import { type Rejection, reject } from '../auth/rejection.ts';
import { fromOctets } from '../message/octets.ts';
import { createResponse } from '../message/response.ts';
import { parseUri, unescapeUser } from '../message/uri.ts';
import { type Registered, register } from '../registrar/register.ts';
import { registrationFields } from '../registrar/registration-response.ts';
import type { Answer } from '../store/store.ts';
import { newTag } from '../transaction/random-token.ts';
import { type Exchange, refuse, refuseIn } from './exchange.ts';
import { type Identified, identify } from './identify.ts';
import { type Service, socketOf, sourceOf } from './service.ts';
import type { User } from './users.ts';

/** Serves one REGISTER; undefined when it was answered without asking the store. */
export function serveRegister(service: Service, exchange: Exchange): Promise<void> | undefined {
  const aor = addressOfRecord(service, exchange);
  if (typeof aor !== 'string') return refuse(service, exchange, aor);
  return identify(
    service,
    exchange,
    'www',
    (user) => [
      { type: 'loadConfig', known: user.configVersion },
      { type: 'loadContacts', known: user.contactsVersion },
    ],
    (identified) => {
      const { identity, transaction, user, account, answers } = identified;
      const [config, contacts] = answers as [Answer, Answer];
      const refusal = authorize(identity.user, aor, account) ?? unavailable(config) ?? unavailable(contacts);
      if (refusal !== undefined) return refuseIn(service, exchange, transaction, refusal);
      if (account.type === 'admitted') user.home = account.home;
      service.users.configLoaded(user, config);
      service.users.contactsLoaded(user, contacts);
      return bind(service, exchange, identified);
    },
  );
}

/** The account the To header field names; 403 for another domain, 400 for what is no address of ours to be. */
function addressOfRecord(service: Service, { request, head }: Exchange): string | Rejection {
  const target = parseUri(request.requestUri);
  if (target?.type !== 'sip' || !service.domains.isLocal(target.host))
    return foreignDomain(target?.type === 'sip' ? target.host : request.requestUri);
  const to = parseUri(head.to.uri);
  if (to === undefined || (to.type !== 'sip' && to.type !== 'sips'))
    return reject(400, `To ${head.to.uri}`, { reason: 'Bad To' });
  if (!service.domains.isLocal(to.host)) return foreignDomain(to.host);
  const user = to.user === undefined ? undefined : unescapeUser(to.user);
  if (user === undefined || user === '') return reject(400, `To ${head.to.uri}`, { reason: 'Bad To' });
  return fromOctets(user);
}

function foreignDomain(host: string): Rejection {
  return reject(403, `REGISTER for ${host}: to serve it, add \`Domain ${host}\` to /etc/sr/config`, {
    reason: 'Domain Not Served Here',
  });
}

/** Who may: the owner of the address-of-record, as far as root's rules admit his account. */
function authorize(user: string, aor: string, account: Answer): Rejection | undefined {
  if (user !== aor) return reject(403, `${user} registers for ${aor}`);
  if (account.type === 'refused') return reject(403, account.why);
  return unavailable(account);
}

function unavailable(answer: Answer): Rejection | undefined {
  return answer.type === 'failed' ? reject(500, answer.why) : undefined;
}

/** Decides on the bindings as they are known now, writes them, then answers: the 200 OK never comes first. */
async function bind(
  service: Service,
  exchange: Exchange,
  { identity, transaction, user }: Identified,
): Promise<void> {
  const { request, head, flow, nowMs } = exchange;
  const outcome = register({
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
  if (outcome.type === 'rejection') return refuseIn(service, exchange, transaction, outcome);
  const { lines } = outcome;
  if (lines.length > 0) {
    service.users.writing(user, lines);
    const [written] = (await service.store.run(user.name, [
      { type: 'appendContacts', lines, after: user.contactsVersion },
    ])) as [Answer];
    if (!service.users.written(user, lines, written)) {
      const why = written.type === 'failed' ? written.why : `store answered ${written.type}`;
      return refuseIn(service, exchange, transaction, reject(500, why));
    }
  }
  const fields = registrationFields(request, outcome.bindings, nowMs);
  if (identity.info !== undefined) fields.push(identity.info);
  transaction.respond(createResponse(request, 200, { toTag: newTag(), fields }));
  logRegistration(service, exchange, user, outcome);
  service.compaction.consider(user);
}

/** The first and the last of a contact's life are events; a refresh is not. */
function logRegistration(service: Service, { flow }: Exchange, user: User, outcome: Registered): void {
  const src = sourceOf(flow);
  for (const { uri } of outcome.added)
    service.log('info', 'registered', { user: user.name, src, contact: uri });
  for (const { uri } of outcome.removed)
    service.log('info', 'unregistered', { user: user.name, src, contact: uri });
}
