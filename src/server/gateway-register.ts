// One registration of ours at a gateway (RFC 3261 §10.2): its addresses one behind the other, challenges answered.

import type { Gateway } from '../home/gateway.ts';
import { parseContacts } from '../message/contact.ts';
import { fieldValue, parseDeltaSeconds } from '../message/fields.ts';
import { bracketHost } from '../message/host.ts';
import type { Request, Response } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { escapeUser, formatUri, parseUri, unescapeUser } from '../message/uri.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import { newBranch, newTag } from '../transaction/random-token.ts';
import type { Flow } from '../transport/flow.ts';
import type { Locator } from '../transport/locate.ts';
import type { Transport } from '../transport/transport.ts';
import { viaOf } from './branch-request.ts';
import { locateTarget } from './gateway-address.ts';
import type { GatewayAnswer, GatewayAnswers } from './gateway-answer.ts';

/** What a registration needs. */
export interface RegisterParts {
  readonly locator: Locator;
  readonly transport: Transport;
  readonly transactions: TransactionLayer;
  readonly answers: GatewayAnswers;
}

/** A registration's own dialog-like state: the same Call-ID and rising CSeq (§10.2). */
export interface RegisterIdentity {
  readonly callId: string;
  readonly contactUser: string;
  cseq: number;
}

/** What came of it; times in seconds. */
export type RegisterOutcome =
  | { readonly type: 'registered'; readonly expires: number }
  | { readonly type: 'refused'; readonly status: number; readonly seconds: number | undefined }
  | { readonly type: 'unreachable'; readonly why: string };

/** Registers, or with `expires` 0 unregisters. Rejects only for a fault of ours. */
export async function registerAt(
  gateway: Gateway,
  identity: RegisterIdentity,
  parts: RegisterParts,
  expires: number,
): Promise<RegisterOutcome> {
  const aor = await addressAt(gateway, parts.answers);
  if (aor === undefined) return { type: 'unreachable', why: 'its Credentials cannot be read' };
  let outcome: RegisterOutcome = { type: 'unreachable', why: 'no way to its Address' };
  for (const { transport, address, port } of await parts.locator.locate(locateTarget(gateway))) {
    try {
      const flow = await parts.transport.flowTo(transport, address, port);
      if (flow === undefined) continue;
      const response = await registerOver(gateway, identity, parts, aor, flow, expires);
      if (response.status < 300)
        return { type: 'registered', expires: grantedTo(response, identity.contactUser, expires) };
      outcome = refusalIn(response);
      if (response.status !== 503) return outcome;
    } catch (error) {
      outcome = { type: 'unreachable', why: (error as Error).message };
    }
  }
  return outcome;
}

/** Sends a REGISTER, again for each challenge that can be answered; the last response. Rejects where none comes. */
async function registerOver(
  gateway: Gateway,
  identity: RegisterIdentity,
  parts: RegisterParts,
  aor: string,
  flow: Flow,
  expires: number,
): Promise<Response> {
  let answer: GatewayAnswer | undefined;
  for (;;) {
    const request = createRegister(gateway, identity, parts, aor, flow, expires);
    if (answer !== undefined) request.fields.push(answer.field);
    const response = await finalResponse(parts.transactions, request, flow);
    if (response.status !== 401 && response.status !== 407) return response;
    answer = await parts.answers.answer(gateway, response, request, answer);
    if (answer === undefined) return response;
  }
}

function createRegister(
  { address, from }: Gateway,
  identity: RegisterIdentity,
  { transport }: RegisterParts,
  aor: string,
  flow: Flow,
  expires: number,
): Request & { fields: ReturnType<typeof createField>[] } {
  const { callId, contactUser } = identity;
  const port = from?.host === undefined && address.port !== undefined ? `:${address.port}` : '';
  const contact = `sip:${escapeUser(contactUser)}@${transport.sentBy(flow)}`;
  const fields = [
    createField('Via', viaOf({ transport }, flow, newBranch())),
    createField('Max-Forwards', '70'),
    createField('From', `<${aor}>;tag=${newTag()}`),
    createField('To', `<${aor}>`),
    createField('Call-ID', callId),
    createField('CSeq', `${++identity.cseq} REGISTER`),
    createField('Contact', `<${contact}${flow.transport === 'tcp' ? ';transport=tcp' : ''}>`),
    createField('Expires', String(expires)),
  ];
  const requestUri = `sip:${from?.host ?? bracketHost(address.host)}${port}`;
  return { type: 'request', method: 'REGISTER', requestUri, fields, body: '' };
}

/** Whom we register as; undefined: the file that says so cannot be read. */
async function addressAt(gateway: Gateway, answers: GatewayAnswers): Promise<string | undefined> {
  const { from, address } = gateway;
  const host = from?.host ?? bracketHost(address.host);
  if (from !== undefined) return `sip:${from.user}@${host}`;
  const username = (await answers.credentialsOf(gateway))?.username;
  return username === undefined
    ? undefined
    : formatUri({ type: 'sip', user: escapeUser(username), host, parameters: [] });
}

function finalResponse(transactions: TransactionLayer, request: Request, flow: Flow): Promise<Response> {
  return new Promise((resolve, reject) => {
    transactions.sendRequest(request, flow, {
      onResponse(response) {
        if (response.status >= 200) resolve(response);
      },
      onTimeout: () => reject(new Error('it does not answer')),
      onTransportError: reject,
    });
  });
}

/** How long the registration holds: what the response says of our contact, else of all, else what was asked for. */
function grantedTo(response: Response, contactUser: string, asked: number): number {
  const read = parseContacts(response);
  if (read.type === 'malformed') return asked;
  const own = read.contacts.find(({ uri: text }) => {
    const uri = parseUri(text);
    return uri?.type === 'sip' && uri.user !== undefined && unescapeUser(uri.user) === contactUser;
  });
  return own?.expires ?? read.expires ?? asked;
}

/** With what it says of when and how: Min-Expires of a 423, else Retry-After. */
function refusalIn(response: Response): RegisterOutcome {
  const value = fieldValue(response, response.status === 423 ? 'min-expires' : 'retry-after');
  const seconds = parseDeltaSeconds(/^\d+/.exec(value ?? '')?.[0] ?? '');
  return { type: 'refused', status: response.status, seconds };
}
