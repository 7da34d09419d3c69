// A SIP user agent for tests: a real client on a real socket that can also misbehave in every way (RFC 3261 §8.1, §17.1.2,
// §18.1). Every wait is bounded.

import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { fieldValue } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import type { Malformed, Message, Response } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { parseVia } from '../../src/message/via.ts';
import { type RegisterOptions, type Registration, register } from './register.ts';
import { createRequest, type RequestOptions } from './request.ts';
import { createQueue, type Deferred, withDeadline } from './waiting.ts';
import { type Address, openTcp, openUdp, type WireEvents } from './wire.ts';

export type { RegisterOptions, Registration } from './register.ts';
export type { RequestOptions } from './request.ts';

export interface AgentOptions {
  readonly transport: 'udp' | 'tcp';
  /** Literal addresses, IPv4 or IPv6. */
  readonly server: Address;
  /** The loopback address of the server's family by default. */
  readonly localAddress?: string | undefined;
  /** How long anything is waited for when the call does not say: 5,000 ms. */
  readonly timeoutMs?: number | undefined;
}

/** How an exchange waits. */
export interface ExchangeOptions {
  readonly timeoutMs?: number | undefined;
  /** Sends again after T1, 2·T1 … as RFC 3261 §17.1.1.2 and §17.1.2.2 have it. UDP only; off by default. */
  readonly retransmit?: boolean | undefined;
  /** T1: 500 ms. T2 is eight times as long. */
  readonly timerT1Ms?: number | undefined;
}

/** A final response and how it came. */
export interface TimedResponse extends Response {
  /** From just before the request was first given to the kernel to just after the response was read. */
  readonly microseconds: number;
  /** The response as it came. */
  readonly octets: string;
  readonly from: Address;
  /** How often the request was sent. */
  readonly sent: number;
}

/** A message that no exchange was waiting for: requests, provisional and late responses, garbage. */
export interface Received {
  readonly message: Message | Malformed;
  readonly octets: string;
  readonly from: Address;
}

export interface Agent {
  readonly transport: 'udp' | 'tcp';
  readonly local: Address;
  readonly server: Address;
  /** Resolves when the server closed the connection or the socket failed. */
  readonly ended: Promise<Error>;
  /** The Call-ID used when a request says nothing. */
  readonly callId: string;
  /** The next CSeq number; each call counts. */
  nextCseq(): number;
  /** Formats the request that `request` would send. Content-Length is always true: write octets for another. */
  format(options: RequestOptions): string;
  /** Sends octets as they are. */
  sendRaw(octets: string): Promise<void>;
  /** Sends octets and waits for the final response to them: by branch, or without one by Call-ID and CSeq. */
  exchange(octets: string, options?: ExchangeOptions): Promise<TimedResponse>;
  request(options: RequestOptions & ExchangeOptions): Promise<TimedResponse>;
  register(options: RegisterOptions): Promise<Registration>;
  nextMessage(timeoutMs?: number): Promise<Received>;
  /** The next octets that come from now on, messages or not: for keepalives. */
  nextOctets(timeoutMs?: number): Promise<string>;
  close(): Promise<void>;
}

interface Exchange extends Deferred<{ response: Response; octets: string; from: Address; at: bigint }> {
  /** A provisional response came: an INVITE is not sent again, others each T2. */
  proceed(): void;
}

/** Opens an agent's socket. */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { transport, timeoutMs: patienceMs = 5000 } = options;
  const server: Address = { address: options.server.address, port: options.server.port };
  const localAddress = options.localAddress ?? (isIPv6(server.address) ? '::1' : '127.0.0.1');
  const peer = `${server.address} port ${server.port} (${transport})`;
  const callId = `${randomBytes(12).toString('hex')}@agent`;
  const exchanges = new Map<string, Exchange>();
  const messages = createQueue<Received>(`message from ${peer}`);
  const octetReaders = new Set<Deferred<string>>();
  let cseq = 0;
  let ending: Error | undefined;
  let closing: Promise<void> | undefined;
  let onEnd: (reason: Error) => void = () => {};
  const ended = new Promise<Error>((resolve) => {
    onEnd = resolve;
  });

  const events: WireEvents = {
    message(octets, from, at) {
      const message = parseMessage(octets);
      const exchange = message.type === 'response' ? exchanges.get(keyOf(message)) : undefined;
      if (exchange === undefined || message.type !== 'response')
        return messages.push({ message, octets, from });
      if (message.status < 200) {
        exchange.proceed();
        messages.push({ message, octets, from });
      } else exchange.resolve({ response: message, octets, from, at });
    },
    octets(octets) {
      for (const reader of octetReaders) reader.resolve(octets);
      octetReaders.clear();
    },
    end(reason) {
      if (ending !== undefined) return;
      ending = reason;
      const error = new Error(`${peer}: ${reason.message}`, { cause: reason });
      for (const exchange of exchanges.values()) exchange.reject(error);
      for (const reader of octetReaders) reader.reject(error);
      messages.fail(error);
      onEnd(reason);
    },
  };
  const wire =
    transport === 'udp'
      ? await openUdp(server, localAddress, events)
      : await openTcp(server, localAddress, events, patienceMs);

  function send(octets: Buffer): Promise<void> {
    return ending === undefined ? wire.send(octets) : Promise.reject(new Error(`${peer}: ${ending.message}`));
  }

  async function exchange(octets: string, options: ExchangeOptions = {}): Promise<TimedResponse> {
    const { timeoutMs = patienceMs, retransmit = false, timerT1Ms = 500 } = options;
    const request = parseMessage(octets);
    const key = request.type === 'request' ? keyOf(request) : '';
    if (exchanges.has(key)) throw new Error(`an exchange with branch ${key} is under way`);
    const bytes = Buffer.from(octets, 'latin1');
    let sent = 1;
    let timer: NodeJS.Timeout | undefined;
    const sendAgainAfter = (waitMs: number): void => {
      timer = setTimeout(() => {
        sent += 1;
        send(bytes).catch(deferred.reject);
        sendAgainAfter(Math.min(2 * waitMs, 8 * timerT1Ms));
      }, waitMs);
    };
    const deferred = withDeadline<Awaited<Exchange['promise']>>(timeoutMs, () => {
      const what = octets.slice(0, octets.indexOf('\r\n')).slice(0, 80);
      return new Error(`no final response from ${peer} within ${timeoutMs} ms to: ${what}`);
    });
    const retransmits = retransmit && transport === 'udp';
    const proceed = (): void => {
      clearTimeout(timer);
      if (retransmits && !octets.startsWith('INVITE ')) sendAgainAfter(8 * timerT1Ms);
    };
    exchanges.set(key, { ...deferred, proceed });
    try {
      const start = process.hrtime.bigint();
      send(bytes).catch(deferred.reject);
      if (retransmits) sendAgainAfter(timerT1Ms);
      const { response, octets: answer, from, at } = await deferred.promise;
      return { ...response, microseconds: Number(at - start) / 1000, octets: answer, from, sent };
    } finally {
      clearTimeout(timer);
      exchanges.delete(key);
    }
  }

  const agent: Agent = {
    transport,
    local: wire.local,
    server,
    ended,
    callId,
    nextCseq: () => ++cseq,
    format(options) {
      const own = { callId, cseq: options.cseq ?? agent.nextCseq() };
      return formatMessage(createRequest(options, transport, wire.local, own));
    },
    sendRaw: (octets) => send(Buffer.from(octets, 'latin1')),
    exchange,
    request: (options) => exchange(agent.format(options), options),
    register: (options) => register(agent, options),
    nextMessage: (timeoutMs = patienceMs) => messages.next(timeoutMs),
    nextOctets(timeoutMs = patienceMs) {
      if (ending !== undefined) return Promise.reject(new Error(`${peer}: ${ending.message}`));
      const reader = withDeadline<string>(timeoutMs, () => {
        octetReaders.delete(reader);
        return new Error(`no octets from ${peer} within ${timeoutMs} ms`);
      });
      octetReaders.add(reader);
      return reader.promise;
    },
    close() {
      events.end(new Error('the agent was closed'));
      closing ??= wire.close();
      return closing;
    },
  };
  return agent;
}

/** What a request and its responses have in common (RFC 3261 §17.1.3), as far as the message has it. */
function keyOf(message: Message): string {
  const via = fieldValue(message, 'via');
  const cseq = fieldValue(message, 'cseq') ?? '';
  const branch = via === undefined ? undefined : parseVia(via)?.branch;
  const method = cseq.slice(cseq.lastIndexOf(' ') + 1);
  return branch === undefined ? `${fieldValue(message, 'call-id') ?? ''} ${cseq}` : `${branch} ${method}`;
}
