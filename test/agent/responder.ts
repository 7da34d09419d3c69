// A SIP server of a few lines for the agent's own tests: real sockets, digest verified with src/digest, and faults on demand.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Socket } from 'node:net';
import {
  type Credentials,
  formatAuthenticationInfo,
  formatChallenge,
  parseCredentials,
} from '../../src/digest/challenge.ts';
import type { Algorithm } from '../../src/digest/hash.ts';
import { checkNonce, createNonce, nonceKey, nonceOrdinal } from '../../src/digest/nonce.ts';
import { createNonceCounts } from '../../src/digest/nonce-counts.ts';
import { digestResponse, equalText, ha1, rspauth } from '../../src/digest/response.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import { createFramer } from '../../src/message/frame.ts';
import type { HeaderField, Request } from '../../src/message/message.ts';
import { toOctets } from '../../src/message/octets.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createField, createResponse } from '../../src/message/response.ts';
import type { Address } from './wire.ts';

/** What is answered to the octets of one request: octets to send, in their order and at their time. */
export type Behaviour = (octets: string) => Iterable<string | Buffer> | AsyncIterable<string | Buffer>;

export interface Responder extends Address {
  /** All that came, as octets. */
  readonly received: string[];
  close(): Promise<void>;
}

/** Listens on a loopback address. On TCP, `end` in an answer closes the connection. */
export async function startResponder(
  transport: 'udp' | 'tcp',
  address: '127.0.0.1' | '::1',
  behave: Behaviour,
): Promise<Responder> {
  const received: string[] = [];
  if (transport === 'udp') {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('message', async (data, from) => {
      received.push(data.toString('latin1'));
      for await (const octets of behave(data.toString('latin1')))
        socket.send(toBytes(octets), from.port, from.address);
    });
    socket.bind(0, address);
    await once(socket, 'listening');
    const close = () => new Promise<void>((resolve) => socket.close(() => resolve()));
    return { address, port: socket.address().port, received, close };
  }
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    const framer = createFramer();
    connection.on('error', () => connection.destroy());
    connection.on('data', async (data) => {
      for (const event of framer.push(data)) {
        const octets = event.type === 'message' ? event.octets : '\r\n\r\n';
        received.push(octets);
        for await (const answer of behave(octets)) {
          if (answer === 'end') connection.end();
          else connection.write(toBytes(answer));
        }
      }
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    address,
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      for (const connection of connections) connection.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function toBytes(octets: string | Buffer): Buffer {
  return typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
}

/** Formats the response to a request that is known to be one. */
export function respond(octets: string, status: number, fields: readonly HeaderField[] = []): string {
  return formatMessage(createResponse(parseRequest(octets), status, { toTag: 'responder', fields }));
}

function parseRequest(octets: string): Request {
  const message = parseMessage(octets);
  if (message.type !== 'request') throw new Error(`not a request: ${octets}`);
  return message;
}

/** A registrar that knows jan and his password. `credentials` collects what was sent to it. */
export function createRegistrar(options: {
  readonly password: string;
  readonly algorithms: readonly Algorithm[];
  readonly status?: 401 | 407;
  /** The first nonces issued are expired from the start. */
  readonly staleNonces?: number;
  readonly rspauth?: string;
}): { readonly behave: Behaviour; readonly credentials: Credentials[] } {
  const { status = 401, algorithms } = options;
  const prefix = status === 407 ? 'Proxy-' : '';
  const credentials: Credentials[] = [];
  const key = nonceKey(Buffer.from('key of the responder'));
  const counts = createNonceCounts({ places: 128 });
  const lifetimeMs = 60_000;
  let stale = options.staleNonces ?? 0;

  function challenge(octets: string, isStale: boolean): string[] {
    const made = Date.now() - (stale > 0 ? lifetimeMs + 1 : 0);
    stale -= 1;
    const name = status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const fields = algorithms.map((algorithm) => {
      const nonce = createNonce(key, made, 'agent');
      return createField(
        name,
        formatChallenge({ realm: 'example.org', nonce, algorithm, stale: isStale, qop: 'auth' }),
      );
    });
    return [respond(octets, status, fields)];
  }

  function behave(octets: string): string[] {
    const request = parseRequest(octets);
    const value = fieldValue(request, `${prefix}authorization`.toLowerCase());
    if (value === undefined) return challenge(octets, false);
    const given = parseCredentials(value);
    if (given === undefined || given.algorithm === 'unsupported') return [respond(octets, 400)];
    credentials.push(given);
    const state = checkNonce(key, given.nonce, Date.now(), 'agent', lifetimeMs);
    if (state !== 'good') return challenge(octets, state === 'stale');
    const input = {
      ...given,
      algorithm: given.algorithm,
      ha1: ha1(given.algorithm, given.username, 'example.org', toOctets(options.password)),
    };
    if (!equalText(digestResponse({ ...input, method: request.method }), given.response))
      return challenge(octets, false);
    const ordinal = nonceOrdinal(key, given.nonce);
    const { nc } = given;
    const use = nc === undefined ? counts.useOnce(ordinal) : counts.use(ordinal, Number.parseInt(nc, 16));
    if (use === 'used') return challenge(octets, true);
    const info = formatAuthenticationInfo({ ...given, rspauth: options.rspauth ?? rspauth(input) });
    return [respond(octets, 200, [createField(`${prefix}Authentication-Info`, info)])];
  }

  return { behave, credentials };
}
