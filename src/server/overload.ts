// Beyond capacity, and while the server is about to stop (RFC 3261 §21.5.4): what is new is answered 503 early and cheaply,
// what was begun is finished.

import { randomBytes } from 'node:crypto';
import type { Head } from '../message/head.ts';
import { createField, createResponse } from '../message/response.ts';
import type { Service } from './service.ts';
import { type Answered, sendStateless } from './stateless.ts';

/** New requests are refused while datagrams that wait take more than this part of their room. */
const MOST_PRESSURE = 0.2;
/** Or while so many transactions live: some 2 kB each. */
const MOST_TRANSACTIONS = 500_000;
/** RFC 3261 §20.33; spread, or all come back at once. */
const RETRY_AFTER_S = { least: 1, spread: 5 };
const NEW_METHODS: ReadonlySet<string> = new Set([
  'INVITE',
  'REGISTER',
  'SUBSCRIBE',
  'MESSAGE',
  'PUBLISH',
  'OPTIONS',
]);
const TAG = `busy${randomBytes(6).toString('hex')}`;

/** Whether it is an ACK for a 503 of ours, to be dropped unread. */
export function isAckOfRefusal(octets: string): boolean {
  return octets.startsWith('ACK ') && octets.includes(TAG);
}

/** Refuses a request that begins something, where it can't be served; false: it is to be served. */
export function refuseOverload(service: Service, answered: Answered, head: Head): boolean {
  const { request } = answered;
  const isFull =
    service.transport.pressure() >= MOST_PRESSURE ||
    service.transactions.size() >= MOST_TRANSACTIONS ||
    service.isBehind();
  if (!isFull && !service.isDraining()) return false;
  if (head.to.tag !== undefined || !NEW_METHODS.has(request.method)) return false;
  if (isFull) {
    service.counters.overload++;
    service.refusedByOverload();
  }
  const seconds = RETRY_AFTER_S.least + Math.floor(Math.random() * RETRY_AFTER_S.spread);
  const fields = [createField('Retry-After', String(seconds))];
  sendStateless(service, answered, createResponse(request, 503, { toTag: TAG, fields }));
  return true;
}

/** Counts what is refused and says so once a minute. */
export function createOverloadLog(say: (refused: number) => void): () => void {
  let refused = 0;
  let timer: NodeJS.Timeout | undefined;
  return () => {
    refused++;
    if (timer !== undefined) return;
    say(refused);
    timer = setTimeout(() => {
      timer = undefined;
      if (refused > 1) say(refused);
      refused = 0;
    }, 60_000);
    timer.unref();
  };
}
