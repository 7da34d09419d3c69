// The transaction layer (RFC 3261 §17): runs the effects of the four machines over flows and timers, and matches
// messages to them. It makes no transaction by itself: what is answered statelessly costs it nothing.

import { fieldValue } from '../message/fields.ts';
import type { Head } from '../message/head.ts';
import type { Request, Response } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import { parseVia } from '../message/via.ts';
import type { Flow } from '../transport/flow.ts';
import { responseTarget } from '../transport/respond.ts';
import { createCancel } from './ack-and-cancel.ts';
import type { Durations } from './durations.ts';
import { inviteClient, inviteClientStart, inviteClientStartReliable } from './invite-client.ts';
import { inviteServer, inviteServerStart } from './invite-server.ts';
import { cancelledKey, clientKey, serverKey, untaggedAckKey } from './matching.ts';
import { nonInviteClient, nonInviteClientStart, nonInviteClientStartReliable } from './non-invite-client.ts';
import { nonInviteServer, nonInviteServerStart } from './non-invite-server.ts';
import { newTag } from './random-token.ts';
import { createRunner, type Entry, type Machine } from './runner.ts';
import { createTimers, type Timers } from './timers.ts';
import type { ClientTransaction, ClientUser, ServerTransaction } from './transaction-user.ts';

export type { ClientTransaction, ClientUser, ServerTransaction } from './transaction-user.ts';

/** What a transaction layer needs. */
export interface TransactionLayerOptions extends Durations {
  /** Told of responses that a connection could not deliver, and of what a user's callback threw. */
  readonly onError: (error: unknown) => void;
  /** Timers of the layer's own where not given. */
  readonly timers?: Timers;
}

/** All transactions of a server. */
export interface TransactionLayer {
  /**
   * Takes a request that belongs to a server transaction: a retransmission, answered with the last response, or the ACK
   * of a failure. False: the request is new, or an ACK for the user.
   */
  absorb(request: Request, head: Head, flow: Flow): boolean;
  /**
   * Makes the server transaction of a request, which is no ACK; at any time after `absorb` said false. Where there is
   * one by now, a retransmission overtook it, and the answer goes to that one.
   */
  createServerTransaction(request: Request, head: Head, flow: Flow): ServerTransaction;
  /** Answers a CANCEL that `absorb` did not take and tells its INVITE; false: there is none, it was answered 481. */
  receiveCancel(request: Request, head: Head, flow: Flow): boolean;
  /** Sends a request, not an ACK, whose topmost Via is ours; `branch` is that Via's, where the caller knows it. */
  sendRequest(request: Request, flow: Flow, user: ClientUser, branch?: string): ClientTransaction;
  /** Gives a response to the transaction that waits for it; false: a stray one. */
  receiveResponse(response: Response, head: Head): boolean;
  /** The number of transactions alive. */
  size(): number;
  /** How many requests wait for a final response of ours. */
  unanswered(): number;
  /** Forgets everything. */
  close(): void;
}

const inviteMachine = inviteServer as Machine;
const plainMachine = nonInviteServer as Machine;
const inviteClientMachine = inviteClient as Machine;
const plainClientMachine = nonInviteClient as Machine;
/** States of server transactions. */
const UNANSWERED: ReadonlySet<string> = new Set(['trying', 'proceeding']);
const quiet: ClientUser = { onResponse() {}, onTimeout() {}, onTransportError() {} };

/** Makes a transaction layer. */
export function createTransactionLayer(options: TransactionLayerOptions): TransactionLayer {
  const { onError } = options;
  const timers = options.timers ?? createTimers();
  const servers = new Map<string, Entry>();
  const clients = new Map<string, Entry>();
  const { begin, step, forget } = createRunner({
    durations: options,
    timers,
    onError,
    sendCancel: (entry) => {
      if (entry.request === undefined) return;
      sendRequest(createCancel(entry.request, entry.cancelFields ?? []), entry.flow, quiet);
    },
  });

  /** A request is looked up before it is served and gets its transaction then: its key is made once. */
  let keyed: Head | undefined;
  let key = '';

  function keyOf(request: Request, head: Head, flow: Flow): string {
    if (keyed !== head) {
      key = serverKey(request, head, flow);
      keyed = head;
    }
    return key;
  }

  function absorb(request: Request, head: Head, flow: Flow): boolean {
    const entry = servers.get(keyOf(request, head, flow)) ?? findUntagged(request, head, flow);
    if (entry === undefined) return false;
    const transition = step(entry, request.method === 'ACK' ? 'ack' : 'request', request);
    return transition === undefined || !transition.effects.some((effect) => effect.type === 'toUser');
  }

  function findUntagged(request: Request, head: Head, flow: Flow): Entry | undefined {
    const key = untaggedAckKey(request, head, flow);
    return key === undefined ? undefined : servers.get(key);
  }

  function createServerTransaction(request: Request, head: Head, flow: Flow): ServerTransaction {
    const key = keyOf(request, head, flow);
    const isInvite = request.method === 'INVITE';
    const target = responseTarget(head.via, flow);
    const entry =
      servers.get(key) ??
      (isInvite
        ? begin(servers, key, inviteMachine, inviteServerStart, target, request, undefined)
        : begin(servers, key, plainMachine, nonInviteServerStart, target, undefined, undefined));
    const kindOf = isInvite ? inviteAnswer : plainAnswer;
    const transaction: ServerTransaction = {
      request,
      flow,
      respond: (response) => {
        step(entry, kindOf(response.status), response);
      },
    };
    if (isInvite) entry.server ??= transaction;
    return transaction;
  }

  function receiveCancel(request: Request, head: Head, flow: Flow): boolean {
    const found = servers.get(cancelledKey(request, head, flow));
    // Who is called knows all that the caller's CANCEL says; he is not at the caller's address.
    const invite = found?.flow.remoteAddress === flow.remoteAddress ? found : undefined;
    const answer = createServerTransaction(request, head, flow);
    answer.respond(createResponse(request, invite === undefined ? 481 : 200, { toTag: newTag() }));
    if (invite?.state === 'proceeding') {
      try {
        invite.server?.onCancel?.(request);
      } catch (thrown) {
        onError(thrown);
      }
    }
    return invite !== undefined;
  }

  function sendRequest(
    request: Request,
    flow: Flow,
    user: ClientUser,
    branch = branchOf(request),
  ): ClientTransaction {
    const { reliable } = flow;
    const isInvite = request.method === 'INVITE';
    const first = isInvite
      ? reliable
        ? inviteClientStartReliable
        : inviteClientStart
      : reliable
        ? nonInviteClientStartReliable
        : nonInviteClientStart;
    const key = clientKey(branch, request.method);
    if (clients.has(key)) throw new Error('a request of ours: its branch was used before');
    const machine = isInvite ? inviteClientMachine : plainClientMachine;
    const entry = begin(clients, key, machine, first, flow, request, user);
    return {
      request,
      flow,
      cancel: (fields = []) => {
        if (!isInvite || entry.cancelFields !== undefined) return;
        entry.cancelFields = fields;
        step(entry, 'cancel');
      },
      abandon: () => forget(entry),
    };
  }

  function receiveResponse(response: Response, head: Head): boolean {
    const entry = clients.get(clientKey(head.via.branch ?? '', head.cseq.method));
    if (entry === undefined) return false;
    const wasCalling = entry.state === 'calling';
    const kindOf = entry.machine === inviteClientMachine ? inviteAnswer : plainAnswer;
    step(entry, kindOf(response.status), response);
    if (wasCalling && entry.state === 'proceeding' && entry.cancelFields !== undefined) step(entry, 'cancel');
    return true;
  }

  function close(): void {
    for (const entry of [...servers.values(), ...clients.values()]) forget(entry);
    if (options.timers === undefined) timers.close();
  }

  return {
    absorb,
    createServerTransaction,
    receiveCancel,
    sendRequest,
    receiveResponse,
    size: () => servers.size + clients.size,
    unanswered() {
      let count = 0;
      for (const { state } of servers.values()) if (UNANSWERED.has(state)) count++;
      return count;
    },
    close,
  };
}

function branchOf(request: Request): string {
  const branch = parseVia(fieldValue(request, 'via') ?? '')?.branch;
  if (branch === undefined) throw new Error('a request of ours: its Via has no branch');
  return branch;
}

function inviteAnswer(status: number): 'provisional' | 'success' | 'failure' {
  return status < 200 ? 'provisional' : status < 300 ? 'success' : 'failure';
}

function plainAnswer(status: number): 'provisional' | 'final' {
  return status < 200 ? 'provisional' : 'final';
}
