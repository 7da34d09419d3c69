// What can be asked over the control socket, and by whom. Wiring only.

import { type Call, type Method, type Methods, textParam, userOf } from '../control/dispatch.ts';
import { controlFault, isControlFault, type Params } from '../control/protocol.ts';
import { fromOctets } from '../message/octets.ts';
import { canonicalAddress, formatHostPort } from '../transport/address.ts';
import type { Account } from '../unix/nss.ts';
import { listCalls } from './control-calls.ts';
import { dropContacts, pingContacts } from './control-contacts.ts';
import { isLevel } from './log.ts';
import type { Service } from './service.ts';
import type { StatisticsTaker } from './statistics.ts';
import type { TraceFilter, Tracer } from './trace.ts';

/** What the process that runs the server does for it. */
export interface Operator {
  /** The process that signals are for. */
  readonly pid: number;
  /** Reads the configuration again and takes it; the faults that kept it from that. */
  reload(): readonly string[] | Promise<readonly string[]>;
  /** Stops the server, after this turn. */
  stop(): void;
}

/** What the methods need of the server. */
export interface ControlParts {
  /** The service as it is now; undefined while the server starts. */
  readonly current: () => Service | undefined;
  readonly statistics: StatisticsTaker;
  readonly tracer: Tracer;
  /** The only account served, with `--own`. */
  readonly own: Account | undefined;
  readonly operator: Operator | undefined;
  /** When the server started, in milliseconds since 1970. */
  readonly startedMs: number;
}

type Run = Method['run'];

/** All methods. */
export function createControlMethods(parts: ControlParts): Methods {
  const everybody = (run: Run): Method => ({ isFor: 'everybody', run });
  const administrators = (run: Run): Method => ({ isFor: 'administrators', run });
  return new Map<string, Method>([
    ['ping', everybody((params, call) => ping(parts, params, call))],
    ['status', everybody(() => status(parts))],
    ['drop', everybody((params, call) => onContacts(parts, params, call, dropContacts))],
    ['calls', everybody((params, call) => calls(parts, params, call))],
    ['trace', everybody((params, call) => trace(parts, params, call))],
    ['bans', everybody((_, call) => listBans(parts, call))],
    ['stats', administrators(() => parts.statistics.take())],
    ['reload', administrators(() => reload(parts))],
    ['stop', administrators(() => parts.operator?.stop() ?? {})],
    ['log', administrators((params) => setLevel(parts, params))],
    ['unban', administrators((params, call) => unban(parts, params, call))],
  ]);
}

function status({ current, own, operator, startedMs }: ControlParts): unknown {
  const service = current();
  return {
    pid: operator?.pid ?? process.pid,
    account: own?.name ?? null,
    started: new Date(startedMs).toISOString(),
    realm: service?.authenticator.realm ?? null,
    listening: (service?.transport.addresses() ?? []).map(
      ({ transport, address, port }) => `${transport}:${formatHostPort(address, port)}`,
    ),
  };
}

/** Without a user it is the control socket alone that is asked. */
function ping(parts: ControlParts, params: Params, call: Call): unknown {
  if (params.user === undefined && params.contact === undefined) return {};
  return onContacts(parts, params, call, pingContacts);
}

function onContacts(
  { current, own }: ControlParts,
  params: Params,
  { caller }: Call,
  act: typeof dropContacts | typeof pingContacts,
): unknown {
  const service = current();
  const user = userOf(params, caller);
  if (isControlFault(user)) return user;
  const contact = textParam(params, 'contact');
  if (isControlFault(contact)) return contact;
  if (service === undefined) return controlFault('unavailable', 'the server starts');
  return act(service, own, user, contact);
}

/** Of all where an administrator names no user; of whoever is none his own. */
function calls({ current }: ControlParts, params: Params, { caller }: Call): unknown {
  const isOfAll = caller.isAdministrator && (params.user === undefined || params.user === null);
  const user = isOfAll ? undefined : userOf(params, caller);
  if (isControlFault(user)) return user;
  const service = current();
  if (service === undefined) return controlFault('unavailable', 'the server starts');
  return listCalls(service.calls.all(), user, caller.isAdministrator);
}

/** About everything, a user or an address; of whoever is no administrator always about himself. */
function trace({ tracer }: ControlParts, params: Params, call: Call): unknown {
  const { caller } = call;
  const about = textParam(params, 'about');
  if (isControlFault(about)) return about;
  const address = about === undefined ? undefined : addressOf(about);
  const named = address === undefined ? about : undefined;
  const isOwn = !caller.isAdministrator;
  const user = isOwn ? userOf({ user: named }, caller) : named;
  if (isControlFault(user)) return user;
  const isWhole = params.whole === true;
  const filter: TraceFilter = { user, isOwn, address, isWhole };
  return tracer.begin(filter, call) ?? {};
}

/** `192.0.2.1`, `192.0.2.1:5060`, `[2001:db8::1]:5060`, canonical; undefined: it is a user's name. */
function addressOf(text: string): string | undefined {
  const whole = canonicalAddress(text);
  if (whole !== undefined) return whole;
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const address = canonicalAddress(host);
  return address === undefined ? undefined : formatHostPort(address, Number(port));
}

/** As `sipctl ban list` shows them; times in ISO 8601. Who is no administrator sees those of his own account. */
function listBans({ current }: ControlParts, { caller }: Call): unknown {
  const [nowMs, wallMs] = [performance.now(), Date.now()];
  const time = (ms: number) => new Date(wallMs + ms - nowMs).toISOString();
  const bans = current()?.bans.list(nowMs) ?? [];
  const seen = caller.isAdministrator ? bans : bans.filter(({ account }) => account === caller.name);
  return seen.map(({ source, account, sinceMs, untilMs, failures }) => ({
    address: source.includes(':') ? `${source}::/64` : source,
    account: account === undefined ? null : fromOctets(account),
    since: time(sinceMs),
    until: time(untilMs),
    failures,
  }));
}

/** Ends the bans of an address. */
function unban({ current }: ControlParts, params: Params, { caller }: Call): unknown {
  const text = textParam(params, 'address');
  if (isControlFault(text)) return text;
  const address = canonicalAddress((text ?? '').replace(/\/64$/, ''));
  if (address === undefined) return controlFault('invalidParams', `${text}: expected an IP address`);
  const service = current();
  const ended = service?.bans.remove(address, performance.now()) ?? 0;
  if (ended === 0) return controlFault('notFound', `${address} is not banned`);
  service?.log('notice', 'bans-ended', { address, bans: ended, by: caller.name });
  return { ended };
}

async function reload({ operator }: ControlParts): Promise<unknown> {
  const faults = (await operator?.reload()) ?? [];
  if (faults.length === 0) return {};
  return controlFault('configuration', 'nothing changed: the configuration has faults', faults);
}

function setLevel({ current }: ControlParts, { level }: Params): unknown {
  if (!isLevel(level)) return controlFault('invalidParams', 'expected error, warning, notice, info or debug');
  current()?.log.setLevel(level);
  return {};
}
