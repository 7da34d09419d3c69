// A phone for as long as a check takes: one socket, no media (RFC 3261 §8, §10, §13). It answers challenges with the
// hashes of an account's own passwd, so that nobody is asked for a password.

import { randomUUID } from 'node:crypto';
import { answerChallenges, type ClientCredentials } from '../../digest/answer.ts';
import { fieldValues } from '../../message/fields.ts';
import { formatMessage } from '../../message/format.ts';
import { type Head, readHead } from '../../message/head.ts';
import { bracketHost } from '../../message/host.ts';
import type { Request, Response } from '../../message/message.ts';
import { parseMessage } from '../../message/parse.ts';
import { createField, createResponse } from '../../message/response.ts';
import { createTransactionLayer, type TransactionLayer } from '../../transaction/layer.ts';
import { newBranch, newTag } from '../../transaction/random-token.ts';
import { formatHostPort } from '../../transport/address.ts';
import type { Flow, TransportName } from '../../transport/flow.ts';
import { stampVia } from '../../transport/respond.ts';
import { openTransport, type Transport } from '../../transport/transport.ts';

/** A socket of the server. */
export interface ServerSocket {
  readonly transport: TransportName;
  /** An IP literal without brackets. */
  readonly address: string;
  readonly port: number;
}

/** A request that is to be sent; Via, Max-Forwards, CSeq and Content-Length are the phone's to add. */
export interface Asked {
  readonly method: string;
  readonly requestUri: string;
  /** Header fields in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A request that came. */
export interface Incoming {
  readonly request: Request;
  readonly head: Head;
  /** Answers it; nothing for an ACK. */
  respond(status: number, fields?: readonly (readonly [string, string])[]): void;
}

const NAME = 'sipctl check';

/** One phone. */
export class CheckPhone {
  readonly tag = newTag();
  readonly callId = newTag();
  /** RFC 5626 §4.1. */
  readonly instance = `urn:uuid:${randomUUID()}`;
  readonly #flow: Flow;
  readonly #transport: Transport;
  readonly #transactions: TransactionLayer;
  readonly #arrived: Incoming[] = [];
  #waiting: ((incoming: Incoming) => void) | undefined;
  #cseq = 0;

  private constructor(transport: Transport, transactions: TransactionLayer, flow: Flow) {
    this.#transport = transport;
    this.#transactions = transactions;
    this.#flow = flow;
  }

  /** Opens its socket beside the server's. Rejects where that cannot be had. */
  static async open({ transport: name, address, port }: ServerSocket): Promise<CheckPhone> {
    let phone: CheckPhone | undefined;
    const transport = await openTransport({
      listen: [{ transport: name, host: address, port: 0 }],
      onMessage: (octets, flow) => phone?.receive(octets, flow),
      log: () => {},
    });
    const transactions = createTransactionLayer({ t1Ms: 500, t2Ms: 4000, t4Ms: 5000, onError: () => {} });
    try {
      const flow = await transport.flowTo(name, address, port);
      if (flow === undefined) throw new Error(`no way to ${formatHostPort(address, port)}`);
      phone = new CheckPhone(transport, transactions, flow);
      return phone;
    } catch (error) {
      transactions.close();
      await transport.close();
      throw error;
    }
  }

  /** A contact that leads to its socket. */
  contact(user: string): string {
    const { address, port } = this.#transport.addresses()[0] as { address: string; port: number };
    return `sip:${user}@${bracketHost(address)}:${port}${this.#flow.transport === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /** Sends a request; its final response. Provisional ones go to `onProvisional`. Rejects where none comes. */
  ask(asked: Asked, onProvisional: (response: Response) => void = () => {}): Promise<Response> {
    const request = this.#request(asked, ++this.#cseq);
    return new Promise((resolve, reject) => {
      this.#transactions.sendRequest(request, this.#flow, {
        onResponse: (response) => (response.status >= 200 ? resolve(response) : onProvisional(response)),
        onTimeout: () => reject(new Error('no answer')),
        onTransportError: reject,
      });
    });
  }

  /** The same, with an answer to a challenge (RFC 3261 §22); the challenge where it cannot be answered. */
  async askAs(
    asked: Asked,
    credentials: ClientCredentials,
    onProvisional?: (response: Response) => void,
  ): Promise<Response> {
    const { method, requestUri: uri, fields } = asked;
    const challenge = await this.ask(asked, onProvisional);
    const isProxys = challenge.status === 407;
    if (challenge.status !== 401 && !isProxys) return challenge;
    const values = fieldValues(challenge, isProxys ? 'proxy-authenticate' : 'www-authenticate');
    const answer = answerChallenges(values, credentials, { method, uri }, {}, newTag());
    if (answer === undefined) return challenge;
    const name = isProxys ? 'Proxy-Authorization' : 'Authorization';
    return this.ask({ ...asked, fields: [...fields, [name, answer.value]] }, onProvisional);
  }

  /** The ACK of a success, with its CSeq (§13.2.2.4). */
  acknowledge(asked: Omit<Asked, 'method'>): void {
    this.#flow.send(formatMessage(this.#request({ ...asked, method: 'ACK' }, this.#cseq)));
  }

  /** The next request that comes, or has come. */
  next(): Promise<Incoming> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Takes one message off its socket. */
  receive(octets: string, flow: Flow): void {
    const message = parseMessage(octets);
    if (message.type === 'malformed') return;
    const head = readHead(message);
    if (head.type === 'malformed') return;
    if (message.type === 'response') {
      this.#transactions.receiveResponse(message, head);
      return;
    }
    stampVia(message, head.via, flow);
    if (this.#transactions.absorb(message, head, flow)) return;
    if (message.method === 'CANCEL') {
      this.#transactions.receiveCancel(message, head, flow);
      return;
    }
    const transaction =
      message.method === 'ACK' ? undefined : this.#transactions.createServerTransaction(message, head, flow);
    const incoming: Incoming = {
      request: message,
      head,
      respond: (status, fields = []) =>
        transaction?.respond(
          createResponse(message, status, {
            toTag: this.tag,
            fields: fields.map(([name, value]) => createField(name, value)),
          }),
        ),
    };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#arrived.push(incoming);
    else waiting(incoming);
  }

  async close(): Promise<void> {
    this.#transactions.close();
    await this.#transport.close();
  }

  #request({ method, requestUri, fields }: Asked, cseq: number): Request {
    const sentBy = this.#transport.sentBy(this.#flow);
    const own = [
      createField(
        'Via',
        `SIP/2.0/${this.#flow.transport.toUpperCase()} ${sentBy};branch=${newBranch()};rport`,
      ),
      createField('Max-Forwards', '70'),
      createField('CSeq', `${cseq} ${method}`),
      createField('User-Agent', NAME),
    ];
    const given = fields.map(([name, value]) => createField(name, value));
    return { type: 'request', method, requestUri, fields: [...own, ...given], body: '' };
  }
}
