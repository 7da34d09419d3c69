// A phone for calls: an agent that answers requests and keeps to the route set of its dialog (RFC 3261 §12).

import { formatCredentials } from '../../src/digest/challenge.ts';
import { fieldValue, fieldValues, splitList } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import { bracketHost } from '../../src/message/host.ts';
import type { HeaderField, Request, Response } from '../../src/message/message.ts';
import { createField, createResponse } from '../../src/message/response.ts';
import type { Agent, TimedResponse } from '../agent/agent.ts';
import { answerChallenge, findChallenge } from '../agent/authorization.ts';
import type { Fields } from '../agent/request.ts';
import { password, realm, type TestServer } from './running-server.ts';

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** A request that came to a phone. */
export interface Incoming {
  readonly request: Request;
  readonly octets: string;
}

/** One phone. */
export class Phone {
  readonly agent: Agent;
  readonly contact: string;
  readonly user: string;
  #tag = `t${Math.random().toString(36).slice(2)}`;

  constructor(agent: Agent, user: string, contact?: string) {
    const { address, port } = agent.local;
    const transport = agent.transport === 'tcp' ? ';transport=tcp' : '';
    this.agent = agent;
    this.user = user;
    this.contact = contact ?? `sip:${user}@${bracketHost(address)}:${port}${transport}`;
  }

  /** The next request of a method; responses and repeated requests of others are passed over. */
  async next(method: string, timeoutMs?: number): Promise<Incoming> {
    for (;;) {
      const { message, octets } = await this.agent.nextMessage(timeoutMs);
      if (message.type === 'request' && message.method === method) return { request: message, octets };
    }
  }

  /** The next response of a status to a method. */
  async nextResponse(status: number, method: string, timeoutMs?: number): Promise<Response> {
    for (;;) {
      const { message } = await this.agent.nextMessage(timeoutMs);
      if (message.type !== 'response' || message.status !== status) continue;
      if ((fieldValue(message, 'cseq') ?? '').endsWith(method)) return message;
    }
  }

  /** Answers a request; Record-Route is copied and there is a Contact (§12.1.1). */
  async answer(
    { request }: Incoming,
    status: number,
    options: { body?: string; fields?: readonly HeaderField[]; contact?: string } = {},
  ): Promise<void> {
    const fields = [...request.fields.filter(({ id }) => id === 'record-route'), ...(options.fields ?? [])];
    fields.push(createField('Contact', `<${options.contact ?? this.contact}>`));
    const response = createResponse(request, status, { toTag: this.#tag, fields });
    response.body = options.body ?? '';
    await this.agent.sendRaw(formatMessage(response));
  }

  /** Sends a request of the phone's and answers a challenge; the final response. */
  async request(
    method: string,
    requestUri: string,
    options: { fields?: Fields; body?: string; secret?: string | undefined; callId?: string } = {},
  ): Promise<TimedResponse> {
    const fields: Fields = {
      From: `<sip:${this.user}@${realm}>;tag=${this.#tag}`,
      Contact: `<${this.contact}>`,
      ...options.fields,
    };
    const callId = options.callId ?? `${Math.random().toString(36).slice(2)}@phone`;
    const rest = { method, requestUri, body: options.body, callId };
    const first = await this.agent.request({ ...rest, fields });
    const challenge = findChallenge(first);
    if (first.status !== 407 || challenge === undefined || options.secret === undefined) return first;
    await this.acknowledge(first, requestUri);
    const credentials = answerChallenge(challenge, {
      username: this.user,
      password: options.secret,
      method,
      uri: requestUri,
    });
    return this.agent.request({
      ...rest,
      fields: { ...fields, 'Proxy-Authorization': formatCredentials(credentials) },
    });
  }

  /** Calls with the right password. */
  invite(
    requestUri: string,
    fields: Fields = {},
    secret: string | undefined = password,
  ): Promise<TimedResponse> {
    return this.request('INVITE', requestUri, {
      fields: { 'Content-Type': 'application/sdp', ...fields },
      body: SDP,
      secret,
    });
  }

  /** The ACK of a failure (§17.1.1.3). */
  async acknowledge(response: Response, requestUri: string): Promise<void> {
    const copied = ['via', 'from', 'to', 'call-id'].map((id) => {
      const value = fieldValue(response, id) ?? '';
      return `${id}: ${id === 'via' ? value.replace(/;received=[^;]+|;rport=\d+/g, '') : value}\r\n`;
    });
    const cseq = (fieldValue(response, 'cseq') ?? '').replace(/\S+$/, 'ACK');
    await this.agent.sendRaw(
      `ACK ${requestUri} SIP/2.0\r\n${copied.join('')}CSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`,
    );
  }

  /** A request within the dialog that a 2xx to an INVITE of ours made. */
  within(method: string, established: Response, cseq: number): Parameters<Agent['request']>[0] {
    const routes = fieldValues(established, 'record-route').flatMap(splitList).reverse();
    return this.#inDialog(method, established, cseq, routes, 'caller', contactOf(established));
  }

  /** A request within the dialog that an INVITE to us made. */
  back(method: string, { request }: Incoming, cseq: number): Parameters<Agent['request']>[0] {
    const routes = fieldValues(request, 'record-route').flatMap(splitList);
    return this.#inDialog(method, request, cseq, routes, 'callee', contactOf(request));
  }

  /** The ACK of a 2xx. */
  async confirm(established: Response): Promise<void> {
    const cseq = Number.parseInt(fieldValue(established, 'cseq') ?? '1', 10);
    await this.agent.sendRaw(this.agent.format(this.within('ACK', established, cseq)));
  }

  #inDialog(
    method: string,
    { fields }: Request | Response,
    cseq: number,
    routes: readonly string[],
    side: 'caller' | 'callee',
    remoteTarget: string,
  ): Parameters<Agent['request']>[0] {
    const value = (id: string) => fields.find((field) => field.id === id)?.value ?? '';
    const tagged = (text: string) => (/;tag=/.test(text) ? text : `${text};tag=${this.#tag}`);
    return {
      method,
      requestUri: remoteTarget,
      fields: {
        Route: routes.length === 0 ? undefined : routes,
        From: side === 'caller' ? value('from') : tagged(value('to')),
        To: side === 'caller' ? value('to') : value('from'),
        'Call-ID': value('call-id'),
        CSeq: `${cseq} ${method}`,
        Contact: `<${this.contact}>`,
      },
    };
  }
}

/** A phone that is registered as the server's only user. */
export async function registeredPhone(
  server: TestServer,
  transport: 'udp' | 'tcp' = 'udp',
  parameters = '',
): Promise<Phone> {
  const agent = await server.agent(transport);
  const phone = new Phone(agent, server.user);
  const { response } = await server.register(agent, { contact: `<${phone.contact}>${parameters}` });
  if (response.status !== 200) throw new Error(`REGISTER: ${response.status}`);
  return phone;
}

function contactOf(message: Request | Response): string {
  return /<([^>]+)>/.exec(fieldValue(message, 'contact') ?? '')?.[1] ?? '';
}
