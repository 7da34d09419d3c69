// A registration as a phone does it (RFC 3261 §10.2, §22.2): REGISTER, challenge, REGISTER with credentials.

import {
  type AuthenticationInfo,
  type Challenge,
  formatCredentials,
  parseAuthenticationInfo,
} from '../../src/digest/challenge.ts';
import type { Algorithm } from '../../src/digest/hash.ts';
import { ha1, rspauth } from '../../src/digest/response.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { bracketHost } from '../../src/message/host.ts';
import type { Request } from '../../src/message/message.ts';
import { toOctets } from '../../src/message/octets.ts';
import type { Agent, ExchangeOptions, TimedResponse } from './agent.ts';
import { type Answer, answerChallenge, findChallenge } from './authorization.ts';
import type { Fields } from './request.ts';

/** What to register and how. Users and passwords are people's text, sent and hashed as UTF-8; the rest octets. */
export interface RegisterOptions extends ExchangeOptions {
  readonly user: string;
  readonly password: string;
  readonly domain: string;
  /** Contact values; null for none (a fetch). By default `<sip:user@local>` of the agent. */
  readonly contact?: string | readonly string[] | null | undefined;
  /** Of the Expires header field; none by default. */
  readonly expires?: number | undefined;
  /** Answers the challenge of this algorithm; the first supported by default. */
  readonly algorithm?: Algorithm | undefined;
  readonly extraFields?: Fields | undefined;
  readonly callId?: string | undefined;
  /** Of the first REGISTER; each further one has one more. */
  readonly cseq?: number | undefined;
  readonly authUsername?: string | undefined;
  readonly authRealm?: string | undefined;
  /** `sip:domain`, the Request-URI, by default. */
  readonly uriInDigest?: string | undefined;
  /** A value of Authorization to send at once; whatever is answered to it is the result. */
  readonly authorization?: string | undefined;
  /** A challenge of before, to answer at once with `nc`; a stale nonce is then answered as usual. */
  readonly answering?: Challenge | undefined;
  /** Nonce count of the first answer: 1. */
  readonly nc?: number | undefined;
  readonly cnonce?: string | undefined;
  /** False: answers without qop, as RFC 2069 has it. */
  readonly qop?: false | undefined;
  /** Changes the credentials computed, before they are sent. */
  readonly tamper?: ((credentials: Answer) => Answer) | undefined;
  readonly mutate?: ((request: Request) => Request) | undefined;
}

/** One message of a registration. */
export interface LogEntry {
  readonly direction: 'sent' | 'received';
  readonly octets: string;
}

export interface Registration {
  readonly status: number;
  readonly response: TimedResponse;
  /** The first response, to the REGISTER without credentials; the last when there was but one. */
  readonly first: TimedResponse;
  /** The challenge answered last. */
  readonly challenge?: Challenge | undefined;
  /** The Authorization value sent last. */
  readonly authorization?: string | undefined;
  readonly authenticationInfo?: AuthenticationInfo | undefined;
  /** The server's rspauth is there and right: it knows HA1 too. */
  readonly serverProved: boolean;
  readonly log: readonly LogEntry[];
}

/** Challenges are answered at most this often: once, and once more when the nonce was stale. */
const MAX_ANSWERS = 2;

/** Registers; a refusal is a result. Rejects only when no final response comes. */
export async function register(agent: Agent, options: RegisterOptions): Promise<Registration> {
  const user = toOctets(options.user);
  const requestUri = `sip:${options.domain}`;
  const cseq = options.cseq ?? agent.nextCseq();
  const log: LogEntry[] = [];

  async function send(number: number, fields: Fields): Promise<TimedResponse> {
    const octets = agent.format({
      method: 'REGISTER',
      requestUri,
      callId: options.callId,
      cseq: number,
      fields: { ...ownFields(agent, options, user), ...fields, ...options.extraFields },
      mutate: options.mutate,
    });
    log.push({ direction: 'sent', octets });
    const response = await agent.exchange(octets, options);
    log.push({ direction: 'received', octets: response.octets });
    return response;
  }

  function answer(challenge: Challenge, nc: number | undefined): Answer {
    const credentials = answerChallenge(challenge, {
      username: options.authUsername === undefined ? user : toOctets(options.authUsername),
      password: toOctets(options.password),
      method: 'REGISTER',
      uri: options.uriInDigest ?? requestUri,
      realm: options.authRealm,
      nc,
      cnonce: options.cnonce,
      qop: options.qop,
    });
    return options.tamper?.(credentials) ?? credentials;
  }

  let challenge = options.answering;
  let credentials = challenge === undefined ? undefined : answer(challenge, options.nc);
  let authorization = credentials === undefined ? options.authorization : formatCredentials(credentials);
  let response = await send(cseq, { Authorization: authorization });
  const first = response;
  for (let answers = 1; answers <= MAX_ANSWERS && options.authorization === undefined; answers += 1) {
    const next = findChallenge(response, options.algorithm);
    if (next === undefined || (credentials !== undefined && !next.stale)) break;
    challenge = next;
    credentials = answer(challenge, credentials === undefined ? options.nc : 1);
    authorization = formatCredentials(credentials);
    const name = response.status === 407 ? 'Proxy-Authorization' : 'Authorization';
    const number = options.cseq === undefined ? agent.nextCseq() : options.cseq + answers;
    response = await send(number, { [name]: authorization });
  }

  const info =
    fieldValue(response, 'authentication-info') ?? fieldValue(response, 'proxy-authentication-info');
  const authenticationInfo = info === undefined ? undefined : parseAuthenticationInfo(info);
  return {
    status: response.status,
    response,
    first,
    challenge,
    authorization,
    authenticationInfo,
    serverProved:
      credentials !== undefined && proves(authenticationInfo, credentials, toOctets(options.password)),
    log,
  };
}

function ownFields(agent: Agent, options: RegisterOptions, user: string): Fields {
  const { address, port } = agent.local;
  const transport = agent.transport === 'tcp' ? ';transport=tcp' : '';
  const { contact = `<sip:${user}@${bracketHost(address)}:${port}${transport}>` } = options;
  return {
    From: `<sip:${user}@${options.domain}>;tag=${agent.callId.slice(0, 12)}`,
    To: `<sip:${user}@${options.domain}>`,
    Contact: contact ?? undefined,
    Expires: options.expires === undefined ? undefined : String(options.expires),
  };
}

function proves(info: AuthenticationInfo | undefined, credentials: Answer, password: string): boolean {
  const { algorithm, username, realm } = credentials;
  return info?.rspauth === rspauth({ ...credentials, ha1: ha1(algorithm, username, realm, password) });
}
