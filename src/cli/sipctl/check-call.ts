// `sipctl check --call`: two phones for a moment, registered with the running server as the account itself, and a call from
// one to the other. Only the second rings: it is called by its instance (RFC 5627 §6.1), not by the account's address.

import type { ClientCredentials } from '../../digest/answer.ts';
import { parsePasswd } from '../../home/passwd.ts';
import { parseAddress } from '../../message/address.ts';
import { fieldValue, fieldValues, splitList } from '../../message/fields.ts';
import type { Message, Response } from '../../message/message.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { escapeUser } from '../../message/uri.ts';
import { configPath, readUserConfig } from '../../store/config-file.ts';
import { readContacts } from '../../store/contacts-file.ts';
import { credentialsPath, readCredentials } from '../../store/credentials-file.ts';
import { formatHostPort } from '../../transport/address.ts';
import type { Account } from '../../unix/nss.ts';
import { shellWord } from '../../unix/trouble.ts';
import { isTrouble } from '../refusal.ts';
import { type Asked, CheckPhone, type ServerSocket } from './check-phone.ts';
import type { Step } from './check-steps.ts';
import { isExpired } from './contact-view.ts';
import { knownHashes } from './password-state.ts';
import { type ToolSettings, userSettings } from './settings.ts';

/** Seconds that a phone stays when its end could not be said. */
const EXPIRES = 60;
const LONGEST_MS = 10_000;
const LONGEST_GOODBYE_MS = 2000;
const SOCKETS_NEEDED = 2;

interface Subject {
  readonly account: Account;
  readonly settings: ToolSettings;
  readonly signal: AbortSignal;
}

/** What one end of the check knows of itself. */
interface Party {
  readonly phone: CheckPhone;
  readonly aor: string;
  readonly domain: string;
  readonly contact: string;
  readonly credentials: ClientCredentials;
}

/** A step that ended the walk; `mend` is the command that mends it. */
class Failed extends Error {
  readonly mend: string | undefined;

  constructor(why: string, mend?: string) {
    super(why);
    this.mend = mend;
  }
}

/** Walks the steps of a call, for an account whose own walk was without fault; ends with the first that fails. */
export async function* callSteps(
  account: Account,
  settings: ToolSettings,
  interrupted: AbortSignal,
): AsyncGenerator<Step> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(LONGEST_MS)]);
  const subject: Subject = { account, settings, signal };
  const phones: CheckPhone[] = [];
  const registered: Party[] = [];
  const timed = async (step: string, act: () => Promise<string>): Promise<Step> => {
    const beganMs = performance.now();
    try {
      const detail = await within(signal, act());
      return { step, status: 'ok', detail: `${detail}, ${(performance.now() - beganMs).toFixed(1)} ms` };
    } catch (error) {
      const { message } = error as Error;
      const mend = error instanceof Failed ? error.mend : undefined;
      return { step, status: 'fail', detail: message, mend };
    }
  };
  const steps: readonly (readonly [string, () => Promise<string>])[] = [
    ['room', async () => roomFor(subject)],
    [
      'server',
      async () => {
        const socket = socketOf(settings);
        for (let count = 0; count < SOCKETS_NEEDED; count++) phones.push(await openPhone(socket));
        return findServer(phones[0] as CheckPhone, socket, subject);
      },
    ],
    [
      'register',
      async () => {
        for (const phone of phones) {
          const party = partyOf(phone, subject);
          registered.push(party);
          await register(party, subject);
        }
        return `${registered.map(({ contact }) => contact).join(' and ')}`;
      },
    ],
    ['call', () => call(registered[0] as Party, registered[1] as Party, subject)],
  ];
  let failure: Step | undefined;
  try {
    for (const [name, act] of steps) {
      const step = await timed(name, act);
      if (step.status === 'fail') {
        failure = step;
        break;
      }
      yield step;
    }
    const forgotten = await unregister(registered);
    if (failure !== undefined) yield failure;
    else if (registered.length > 0) yield forgotten;
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
  }
}

/** What comes first: the answer, or the end of patience. */
function within<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      const isLate = (signal.reason as Error).name === 'TimeoutError';
      reject(new Failed(isLate ? 'no answer' : 'interrupted'));
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

/** A real phone must not be pushed out (MaxContactsPolicy), nor the check be refused for it. */
function roomFor({ account, settings }: Subject): string {
  const file = readContacts(account, settings.strictModes);
  const config = readUserConfig(account, settings.strictModes);
  if (isTrouble(file)) throw new Failed(`${file.path}: ${file.why}`);
  const { MaxContacts } = userSettings(
    settings,
    typeof config === 'string' ? config : '',
    configPath(account),
  );
  const now = Date.now();
  const live = file.fold.bindings.filter((binding) => !isExpired(binding, now)).length;
  if (live + SOCKETS_NEEDED > MaxContacts)
    throw new Failed(
      `MaxContacts ${MaxContacts}: ${live} contacts leave no room for two more`,
      `sipctl ul rm ${shellWord(account.name)} CONTACT`,
    );
  return `${live} of ${MaxContacts} contacts`;
}

/** The first of Listen that the host itself can reach. */
function socketOf({ server, path }: ToolSettings): ServerSocket {
  const [first] = server.keywords.Listen;
  if (first === undefined) throw new Failed('the server listens nowhere', `vi ${shellWord(path)}`);
  const { transport, host, port } = first;
  return {
    transport,
    address: host === '*' || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
    port,
  };
}

async function openPhone(socket: ServerSocket): Promise<CheckPhone> {
  try {
    return await CheckPhone.open(socket);
  } catch (error) {
    throw new Failed(`${place(socket)}: ${(error as Error).message}`, MEND_SERVER);
  }
}

const MEND_SERVER = 'sipctl status';
const MEND_LOG = 'sipctl log debug, then look at the log of sipctl serve';

function place({ transport, address, port }: ServerSocket): string {
  return `${transport} ${formatHostPort(address, port)}`;
}

async function findServer(phone: CheckPhone, socket: ServerSocket, { signal }: Subject): Promise<string> {
  const requestUri = `sip:${formatHostPort(socket.address, socket.port)}`;
  const asked: Asked = {
    method: 'OPTIONS',
    requestUri,
    fields: [
      ['From', `<${requestUri}>;tag=${phone.tag}`],
      ['To', `<${requestUri}>`],
      ['Call-ID', phone.callId],
    ],
  };
  try {
    const response = await within(AbortSignal.any([signal, AbortSignal.timeout(3000)]), phone.ask(asked));
    return `${place(socket)} answered ${said(response)}`;
  } catch (error) {
    throw new Failed(`${place(socket)} does not answer: ${(error as Error).message}`, MEND_SERVER);
  }
}

function partyOf(phone: CheckPhone, { account, settings }: Subject): Party {
  const content = readCredentials(account, settings.strictModes);
  if (typeof content !== 'string') throw new Failed(`${credentialsPath(account)} cannot be read`);
  const user = escapeUser(toOctets(account.name));
  const { credentials } = parsePasswd(content, {
    path: credentialsPath(account),
    owner: toOctets(account.name),
  });
  const { realm } = settings.server;
  const hashes = knownHashes(credentials, settings.server);
  return {
    phone,
    aor: `sip:${user}@${realm}`,
    domain: `sip:${realm}`,
    contact: phone.contact(user),
    credentials: { username: toOctets(account.name), realm, hashes },
  };
}

function registration({ phone, aor, domain, contact }: Party, expires: number): Asked {
  return {
    method: 'REGISTER',
    requestUri: domain,
    fields: [
      ['From', `<${aor}>;tag=${phone.tag}`],
      ['To', `<${aor}>`],
      ['Call-ID', phone.callId],
      ['Contact', `<${contact}>;+sip.instance="<${phone.instance}>"`],
      ['Expires', String(expires)],
    ],
  };
}

async function register(party: Party, { account, settings }: Subject): Promise<void> {
  const name = shellWord(account.name);
  const asked = registration(party, Math.max(EXPIRES, settings.server.keywords.MinExpires));
  const response = await party.phone.askAs(asked, party.credentials);
  if (response.status < 300) return;
  const isPassword = response.status === 401 || response.status === 407;
  throw new Failed(`REGISTER: ${said(response)}`, isPassword ? `sippasswd ${name}` : MEND_LOG);
}

/** One call from its INVITE to its BYE, and nothing is left of it. */
async function call(caller: Party, callee: Party, subject: Subject): Promise<string> {
  const beganMs = performance.now();
  const after = () => `${(performance.now() - beganMs).toFixed(1)} ms`;
  const times: string[] = [];
  const callId = `${caller.phone.callId}-call`;
  const from: [string, string] = ['From', `<${caller.aor}>;tag=${caller.phone.tag}`];
  const requestUri = `${caller.aor};gr=${callee.phone.instance}`;
  const invite: Asked = {
    method: 'INVITE',
    requestUri,
    fields: [from, ['To', `<${requestUri}>`], ['Call-ID', callId], ['Contact', `<${caller.contact}>`]],
  };
  const arriving = callee.phone.next();
  const inviting = caller.phone.askAs(invite, caller.credentials, ({ status }) => {
    if (status === 180) times.push(`rings after ${after()}`);
  });
  const first = await Promise.race([arriving, inviting]);
  if ('status' in first) throw refusedCall(first, subject);
  const routes: [string, string][] = fieldValues(first.request, 'record-route').map((value) => [
    'Record-Route',
    value,
  ]);
  first.respond(180, routes);
  first.respond(200, [...routes, ['Contact', `<${callee.contact}>`]]);
  const response = await inviting;
  if (response.status >= 300) throw refusedCall(response, subject);
  times.push(`answered after ${after()}`);
  const within: Omit<Asked, 'method'> = {
    requestUri: contactIn(response) ?? callee.contact,
    fields: [
      ...fieldValues(response, 'record-route')
        .flatMap(splitList)
        .reverse()
        .map((route): [string, string] => ['Route', route]),
      from,
      ['To', fieldValue(response, 'to') ?? ''],
      ['Call-ID', callId],
    ],
  };
  caller.phone.acknowledge(within);
  const { request } = await callee.phone.next();
  if (request.method !== 'ACK')
    throw new Failed(`${request.method} instead of ACK came to the called phone`, MEND_LOG);
  const ending = caller.phone.ask({ ...within, method: 'BYE' });
  const bye = await Promise.race([callee.phone.next(), ending]);
  if ('status' in bye) throw new Failed(`BYE: ${said(bye)}`, MEND_LOG);
  bye.respond(200);
  const ended = await ending;
  if (ended.status >= 300) throw new Failed(`BYE: ${said(ended)}`, MEND_LOG);
  times.push(`ended after ${after()}`);
  return times.join(', ');
}

function contactIn(response: Response): string | undefined {
  return parseAddress(fieldValue(response, 'contact') ?? '')?.uri;
}

/** What the account's own settings say is nothing that the server does wrong. */
function refusedCall(response: Response, { account, settings }: Subject): Failed {
  const config = readUserConfig(account, settings.strictModes);
  const path = configPath(account);
  const { DoNotDisturb } = userSettings(settings, typeof config === 'string' ? config : '', path);
  const why = `INVITE: ${said(response)}`;
  if (response.status === 486 && DoNotDisturb)
    return new Failed(`${why}: DoNotDisturb yes`, `vi ${shellWord(path)}`);
  if (response.status === 603) return new Failed(`${why}: Block in ${path}`, `vi ${shellWord(path)}`);
  return new Failed(why, MEND_LOG);
}

/** Status, reason phrase and Warning. */
function said(response: Response): string {
  const warning = fieldValue(response as Message, 'warning');
  return fromOctets(`${response.status} ${response.reason}${warning === undefined ? '' : ` (${warning})`}`);
}

/** Takes the phones away again, whatever happened; what cannot be said ends by itself. */
async function unregister(parties: readonly Party[]): Promise<Step> {
  const beganMs = performance.now();
  const signal = AbortSignal.timeout(LONGEST_GOODBYE_MS);
  const done = await Promise.allSettled(
    parties.map((party) => within(signal, party.phone.askAs(registration(party, 0), party.credentials))),
  );
  const isDone = done.every((each) => each.status === 'fulfilled' && each.value.status < 300);
  const time = `${(performance.now() - beganMs).toFixed(1)} ms`;
  return isDone
    ? { step: 'leave', status: 'ok', detail: `both phones unregistered, ${time}` }
    : { step: 'leave', status: 'fail', detail: `not unregistered: the contacts expire within ${EXPIRES} s` };
}
