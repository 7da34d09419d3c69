// How we say to a gateway who we are (RFC 3261 §22): its challenges are answered with the credentials of its block.

import { answerChallenges, type NonceUse } from '../digest/answer.ts';
import { formatFault } from '../home/fault.ts';
import type { Gateway } from '../home/gateway.ts';
import type { GatewayCredentials } from '../home/gateway-credentials.ts';
import { fieldValues } from '../message/fields.ts';
import type { HeaderField, Request, Response } from '../message/message.ts';
import { createField } from '../message/response.ts';
import type { Host } from '../store/host.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Log } from './log.ts';

/** What a request is sent again with. */
export interface GatewayAnswer {
  readonly field: HeaderField;
  readonly use: NonceUse;
  /** How many answers the request had with this one. */
  readonly count: number;
}

/** Answers for gateways. */
export interface GatewayAnswers {
  /** The credentials as their file has them now; undefined: none, which is in the log where it is a fault. */
  credentialsOf(gateway: Gateway): Promise<GatewayCredentials | undefined>;
  /**
   * Answers a 401 or 407 to a request; `before` is the answer that the request had. Undefined: there is nothing to say, or
   * what was said was refused.
   */
  answer(
    gateway: Gateway,
    response: Response,
    request: Request,
    before: GatewayAnswer | undefined,
  ): Promise<GatewayAnswer | undefined>;
}

/** The second is for a nonce that was too old, or used up by requests beside this one. */
const MOST_ANSWERS = 2;

/** Makes what answers; of each gateway the nonce last used is remembered. */
export function createGatewayAnswers(log: Log, readCredentials: Host['credentialsOf']): GatewayAnswers {
  const lastUses = new Map<string, NonceUse>();
  const faults = new Map<string, string>();

  async function credentialsOf(gateway: Gateway): Promise<GatewayCredentials | undefined> {
    const { name, credentials } = gateway;
    if (credentials === undefined) return undefined;
    const read = await readCredentials({ ...gateway, credentials });
    if (!('text' in read)) {
      faults.delete(name);
      return read;
    }
    const text = formatFault(read);
    if (faults.get(name) !== text) log('warning', 'fault', { text });
    faults.set(name, text);
    return undefined;
  }

  return {
    credentialsOf,
    async answer(gateway, response, request, before) {
      const credentials = await credentialsOf(gateway);
      const count = (before?.count ?? 0) + 1;
      if (credentials === undefined || count > MOST_ANSWERS) return undefined;
      const isProxy = response.status === 407;
      const challenges = fieldValues(response, isProxy ? 'proxy-authenticate' : 'www-authenticate');
      // A count above the first can be refused for itself, and the password be right.
      const state = { last: lastUses.get(gateway.name), wasRefused: before?.use.nc === 1 };
      const asked = { method: request.method, uri: request.requestUri };
      const answer = answerChallenges(challenges, credentials, asked, state, newTag());
      if (answer === undefined) return undefined;
      lastUses.set(gateway.name, answer.use);
      const name = isProxy ? 'Proxy-Authorization' : 'Authorization';
      return { field: createField(name, answer.value), use: answer.use, count };
    },
  };
}
