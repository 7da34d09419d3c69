// Where a request goes (RFC 3261 §16.5): to accounts of ours and their phones, through a gateway, or to another domain; and
// who may send it there (DESIGN §4.7).

import { accountOf } from '../auth/authorize.ts';
import { type Rejection, reject } from '../auth/rejection.ts';
import type { Gateway } from '../home/gateway.ts';
import { splitSubaddress } from '../home/subaddress.ts';
import { expandTokens } from '../home/tokens.ts';
import type { Binding } from '../home/usrloc.ts';
import { fromOctets, toOctets } from '../message/octets.ts';
import { parameterValue } from '../message/parameters.ts';
import { formatUri, parseUri, type SipUri } from '../message/uri.ts';
import { type Forward, screenCall } from '../proxy/callee-policy.ts';
import { groupThatMayCall, refuseForeignCall } from '../proxy/calling-rights.ts';
import type { Retargeting } from '../proxy/retargeting.ts';
import { sharesOf, targetSet, withinBreadth } from '../proxy/target-set.ts';
import type { Target } from './branch.ts';
import { callSettings, loadCallee } from './callee.ts';
import { addressOf } from './caller.ts';
import { contactWay } from './contact-way.ts';
import { type Forwarding, fail, openSearch, perform, ring, type Search } from './forwarding.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** The most forwards of one call, whoever they are of. */
const MAX_FORWARDS = 10;

/** Sends the request to a URI. `search` is open and gets its targets, or is ended with a refusal. */
export function seek(forwarding: Forwarding, search: Search, uri: SipUri): void {
  const { service } = forwarding;
  const { gateway } = search;
  if (!isLocalTarget(service, uri)) {
    if (gateway !== undefined && service.gateways.targetsFor(uri).length > 0)
      fail(forwarding, search, reject(403, `gateway ${gateway.name} calls ${formatUri(uri)} by a gateway`));
    else seekElsewhere(forwarding, search, uri);
    return;
  }
  const name = accountOf(uri);
  if (gateway !== undefined && service.gateways.registeredAs(uri) === gateway)
    seekInbound(forwarding, search, gateway);
  else if (name !== undefined) seekLocal(forwarding, search, name, uri);
  else if (gateway?.inboundTo !== undefined) seekInbound(forwarding, search, gateway);
  else fail(forwarding, search, reject(484, `no user in ${formatUri(uri)}`));
}

/** A call from a gateway that names nobody of ours, or us as we registered there. */
function seekInbound(forwarding: Forwarding, search: Search, { name, inboundTo }: Gateway): void {
  const { service } = forwarding;
  search.gateway = undefined;
  const uri = inboundTo === undefined ? undefined : targetUri(service, inboundTo);
  if (inboundTo === undefined || uri === undefined)
    fail(forwarding, search, reject(404, `gateway ${name} has no InboundTo`));
  else seekLocal(forwarding, search, fromOctets(inboundTo), uri);
}

/** Whether a URI is for an account of ours. One whose address and port are a phone's, not ours, is that phone (DESIGN §3). */
export function isLocalTarget(service: Service, { host, port }: SipUri): boolean {
  if (!service.domains.isLocal(host)) return false;
  return port === undefined || !service.domains.isOwnAddress(host) || service.transport.isOwnPort(port);
}

function seekLocal(forwarding: Forwarding, search: Search, name: string, uri: SipUri): void {
  const { service } = forwarding;
  const expanded = service.aliases(toOctets(name));
  if (expanded === undefined) {
    guard(forwarding, search, seekAccount(forwarding, search, name, uri));
    return;
  }
  search.gateway = undefined;
  if (expanded.leftOut !== undefined) service.log('warning', 'alias', { name, why: expanded.leftOut });
  const shares = sharesOf(search.breadth, expanded.targets.length);
  const searches = shares.map((breadth, index) =>
    index === 0 ? search : sibling(forwarding, search, breadth),
  );
  search.breadth = shares[0] ?? search.breadth;
  if (expanded.targets.length === 0) fail(forwarding, search, reject(404, `alias ${name} leads nowhere`));
  for (const [index, target] of expanded.targets.entries()) {
    const to = targetUri(service, target);
    const its = searches[index] as Search;
    if (its.breadth === 0) fail(forwarding, its, reject(440, `alias ${name}: too many targets`));
    else if (to === undefined) fail(forwarding, its, reject(404, `alias ${name}: ${target} is no address`));
    else if (isLocalTarget(service, to) && accountOf(to) !== undefined)
      guard(forwarding, its, seekAccount(forwarding, its, accountOf(to) as string, to));
    else seekElsewhere(forwarding, its, to);
  }
}

function sibling(forwarding: Forwarding, { chargedTo, retargetings }: Search, breadth: number): Search {
  return openSearch(forwarding, { chargedTo, retargetings, breadth });
}

/** A user name, a number or a URI, as configuration files have them. */
function targetUri({ authenticator }: Service, target: string): SipUri | undefined {
  const uri = /^[a-z][a-z0-9+.-]*:/i.test(target)
    ? parseUri(target)
    : parseUri(target.includes('@') ? `sip:${target}` : `sip:${target}@${authenticator.realm}`);
  if (uri === undefined) return undefined;
  if ('host' in uri) return uri.type === 'sip' ? uri : undefined;
  const number = uri.type === 'tel' ? uri.rest.replace(/;.*/s, '').replace(/[-.()]/g, '') : '';
  return number === '' ? undefined : { type: 'sip', user: number, host: authenticator.realm, parameters: [] };
}

/** A fault of ours costs the search only. */
function guard(forwarding: Forwarding, search: Search, seeking: Promise<void>): void {
  seeking.catch((error: Error) => {
    forwarding.service.log('error', 'internal-error', { why: error.stack ?? error.message });
    fail(forwarding, search, reject(500, 'internal error'));
  });
}

/** The phones of an account, as its owner's config has it now. */
async function seekAccount(forwarding: Forwarding, search: Search, name: string, uri: SipUri): Promise<void> {
  const { service, inbound, visited } = forwarding;
  const plain = splitSubaddress(name).user;
  const loaded = await loadCallee(service, name, plain === name ? undefined : plain);
  if (loaded.type === 'rejection') {
    const { gateway } = search;
    if (loaded.status === 404 && gateway?.inboundTo !== undefined) seekInbound(forwarding, search, gateway);
    else if (loaded.status === 404 && gateway === undefined && service.gateways.targetsFor(uri).length > 0)
      seekElsewhere(forwarding, search, uri);
    else if (gateway !== undefined && loaded.status === 404)
      fail(forwarding, search, reject(404, `${loaded.why}, from gateway ${gateway.name}`));
    else fail(forwarding, search, loaded);
    return;
  }
  if (visited.has(loaded.name)) {
    fail(forwarding, search, reject(482, `${loaded.name} was asked before`));
    return;
  }
  visited.add(loaded.name);
  const { settings, rules } = await callSettings(service, loaded, inbound);
  // A URI of one phone alone (RFC 5627 §6.1): the others do not ring, and the call goes nowhere else.
  const device = parameterValue(uri.parameters, 'gr');
  const obeyed = device === undefined ? settings : { ...settings, ...NO_FORWARDS };
  search.callee = { user: loaded, settings: obeyed, uri: addressOf(service, loaded.name) };
  if (inbound.call !== undefined) service.calls.called(inbound.call, loaded, settings.Accounting);
  const verdict = screenCall(obeyed, rules, inbound.caller.facts, inbound.request.method);
  if (verdict?.type === 'rejection') fail(forwarding, search, verdict);
  else if (verdict?.type === 'forward') redirectTo(forwarding, search, verdict);
  else if (obeyed.DoNotDisturb && inbound.request.method === 'INVITE') {
    const { ForwardBusy } = obeyed;
    if (ForwardBusy === undefined) fail(forwarding, search, reject(486, 'DoNotDisturb'));
    else redirectTo(forwarding, search, { type: 'forward', reason: 'user-busy', target: ForwardBusy });
  } else {
    search.groups = phonesOf(service, loaded, inbound.exchange.nowMs, search.breadth, device);
    ring(forwarding, search);
  }
}

/** What was found of contacts that are as they were: the host's addresses, which it depends on, change seldom. */
const waysTo = new WeakMap<
  Binding,
  { readonly service: Service; readonly atMs: number; readonly target: Target | undefined }
>();
const WAY_MS = 10_000;

const NO_FORWARDS = {
  ForwardAlways: undefined,
  ForwardBusy: undefined,
  ForwardNoAnswer: undefined,
  ForwardUnreachable: undefined,
};

/**
 * The target set (§16.5): contacts that may be used, at most MaxContacts; the others are in the log. With `device` only
 * those of that instance (RFC 5626 §4.1).
 */
function phonesOf(
  service: Service,
  user: User,
  nowMs: number,
  breadth: number,
  device: string | undefined,
): Target[][] {
  const groups: Target[][] = [];
  let left = service.limitsOf(user).maxContacts;
  for (const bindings of targetSet(user.contacts.bindings, nowMs)) {
    const targets: Target[] = [];
    for (const binding of bindings) {
      if (left === 0) break;
      if (device !== undefined && !isInstance(binding, device)) continue;
      const target = wayTo(service, user, binding, nowMs);
      if (target === undefined) continue;
      targets.push(target);
      left--;
    }
    if (targets.length > 0) groups.push(targets);
  }
  return withinBreadth(groups, breadth);
}

/** `+sip.instance` is a quoted URN in angle brackets. */
function isInstance({ instance = '' }: Binding, device: string): boolean {
  return instance.replace(/^<|>$/g, '').toLowerCase() === device.toLowerCase();
}

/** The target of a contact, as it was found lately; undefined of one that cannot be used. */
function wayTo(service: Service, user: User, binding: Binding, nowMs: number): Target | undefined {
  const known = waysTo.get(binding);
  if (known !== undefined && known.service === service && nowMs - known.atMs < WAY_MS) return known.target;
  const target = findWay(service, user, binding);
  waysTo.set(binding, { service, atMs: nowMs, target });
  return target;
}

/** What cannot be used is in the log with the reason. */
function findWay(service: Service, user: User, binding: Binding): Target | undefined {
  const uri = parseUri(binding.uri);
  const isSigned = binding.mac !== undefined && binding.mac === service.signRoute(user.name, binding);
  const why = uri?.type === 'sip' ? refusalAtUse(service, uri, isSigned) : 'no sip URI';
  const route =
    why === undefined
      ? contactWay(service, binding, uri as SipUri, isSigned)
      : { type: 'unusable' as const, why };
  if (route.type !== 'unusable')
    return { requestUri: binding.uri, route, isPhone: true, mayBeGateway: false };
  service.log('info', 'contact-skipped', { user: user.name, contact: binding.uri, why: route.why });
  return undefined;
}

/** What was registered was looked at then; what somebody wrote into the file was not. */
function refusalAtUse(service: Service, uri: SipUri, isSigned: boolean): string | undefined {
  if (isLocalTarget(service, uri) && (uri.port === undefined || service.transport.isOwnPort(uri.port)))
    return 'it leads back here';
  return service.refuseContact(uri, isSigned ? uri.host : '');
}

/**
 * A gateway, or another domain, by way of `route` where there is one: the right to it is the caller's, of a forwarded call
 * the callee's.
 */
export function seekElsewhere(forwarding: Forwarding, search: Search, uri: SipUri, route?: SipUri): void {
  const { service, inbound } = forwarding;
  const text = formatUri(uri);
  const gateways = route === undefined ? service.gateways.targetsFor(uri) : [];
  const go = (groups: readonly string[]) => {
    const refusal = refusalOf(forwarding, search, text, gateways, groups);
    if (refusal !== undefined) {
      fail(forwarding, search, refusal);
      return;
    }
    search.groups =
      gateways.length > 0
        ? gateways.map((each) => [each])
        : [[foreignTarget(uri, route, user === '' && inbound.caller.type === 'peer')]];
    ring(forwarding, search);
  };
  const user = chargedUser(search, inbound.caller.name);
  if (user === '' || groupThatMayCall(service.callingRules, text) === undefined) go([]);
  else
    guard(
      forwarding,
      search,
      service.store.run(user, [{ type: 'groups' }]).then(([answer]) => {
        go(answer?.type === 'groups' ? answer.names : []);
      }),
    );
}

function chargedUser({ chargedTo }: Search, caller: string): string {
  return chargedTo ?? caller;
}

function refusalOf(
  { service, inbound }: Forwarding,
  search: Search,
  uri: string,
  gateways: readonly Target[],
  groups: readonly string[],
): Rejection | undefined {
  const user = chargedUser(search, inbound.caller.name);
  if (user !== '') {
    const refusal = refuseForeignCall(service.callingRules, user, uri, gateways.length > 0, groups);
    // The caller did nothing that he may not: to him the callee is not there.
    return refusal === undefined || search.chargedTo === undefined ? refusal : reject(480, refusal.why);
  }
  // What comes from a gateway does not go back there: it would come again, a new call each time.
  const source = inbound.exchange.flow.remoteAddress;
  const back = gateways.find(
    ({ gateway }) => gateway !== undefined && service.gateways.isAt(gateway, source),
  );
  if (back !== undefined) return reject(404, `${uri} came from ${back.gateway?.name}, where it would go`);
  // A peer reaches our users; what it sends elsewhere it may send there itself, or root said so with a Route.
  if (inbound.caller.type === 'peer') return undefined;
  return reject(403, `a stranger calls ${uri}`);
}

function foreignTarget(uri: SipUri, route: SipUri | undefined, mayBeGateway: boolean): Target {
  return {
    requestUri: formatUri(uri),
    route: { type: 'uri', uri: route ?? uri, path: [] },
    isPhone: false,
    mayBeGateway,
  };
}

function redirectTo(forwarding: Forwarding, search: Search, { reason, target }: Forward): void {
  const from = search.callee?.uri ?? '';
  redirect(forwarding, search, target, { from, reason });
}

/**
 * Goes on with a call where the callee's config sends it: as his own call, with his rights. What comes of it takes the
 * place of what his phones said.
 */
export function redirect(forwarding: Forwarding, search: Search, target: string, by: Retargeting): void {
  const { service, inbound } = forwarding;
  const { callee } = search;
  const name = callee?.user.name ?? '';
  const expanded = expandFor(service, callee?.user, target);
  const uri = expanded === undefined ? undefined : targetUri(service, expanded);
  const src = inbound.caller.facts.uri;
  if (uri === undefined) {
    fail(forwarding, search, reject(480, `${name} forwards to ${fromOctets(target)}, which is no address`));
    return;
  }
  if (search.retargetings.length >= MAX_FORWARDS) {
    fail(forwarding, search, reject(483, `more than ${MAX_FORWARDS} forwards`));
    return;
  }
  service.log('info', 'forwarded', {
    user: name,
    from: fromOctets(src),
    to: fromOctets(formatUri(uri)),
    reason: by.reason,
  });
  const next = openSearch(forwarding, {
    chargedTo: name,
    retargetings: [...search.retargetings, by],
    breadth: search.breadth,
  });
  seek(forwarding, next, uri);
  endRedirected(forwarding, search);
}

/** The search is over; what his phones said counts on, but for the 487 of those that rang in vain. */
function endRedirected(forwarding: Forwarding, search: Search): void {
  perform(forwarding, forwarding.context.endSearch(search.id, search.hasRungOut ? 'nothing' : undefined));
}

/** The tokens of a value of the callee's config, which is octets as it is; undefined for one that there is not. */
function expandFor(service: Service, user: User | undefined, target: string): string | undefined {
  if (!target.includes('%') || user === undefined) return target;
  const { name, home, uid } = user;
  const domain = service.authenticator.realm;
  return expandTokens(target, { user: toOctets(name), home: toOctets(home), uid, domain });
}
