// Runs transactions: feeds events to their machines and carries out the effects, over flows and timers.

import { formatMessage } from '../message/format.ts';
import type { HeaderField, Message, Request } from '../message/message.ts';
import { createResponse } from '../message/response.ts';
import type { Flow } from '../transport/flow.ts';
import { createAck } from './ack-and-cancel.ts';
import { type Durations, durationOf } from './durations.ts';
import type { Delay, Effect, Handler, TimerName, Transition } from './machine.ts';
import type { Timer, Timers } from './timers.ts';
import type { ClientUser, ServerTransaction } from './transaction-user.ts';

/** Any of the four. */
export type Machine = Readonly<Record<string, Handler<string, string>>>;

/** One transaction alive. */
export interface Entry {
  readonly key: string;
  readonly table: Map<string, Entry>;
  readonly machine: Machine;
  state: string;
  readonly reliable: boolean;
  /** Where its messages go. */
  readonly flow: Flow;
  /** For what is made of it: 100, ACK, CANCEL. */
  request: Request | undefined;
  /** Undefined of a server transaction. */
  user: ClientUser | undefined;
  /** Of an INVITE server transaction. */
  server: ServerTransaction | undefined;
  /** The octets last sent, for retransmission. */
  sent: string | undefined;
  /** Undefined of a server transaction over UDP: asking costs more than sending, and a retransmission mends it. */
  readonly sendFailed: ((error: Error) => void) | undefined;
  /** The last duration of a retransmission timer. */
  intervalMs: number;
  /** Timers A, E, G, and the one before 100. */
  retransmission: Timer | undefined;
  /** The others, of which one runs at a time. */
  lifetime: Timer | undefined;
  /** The user wants it cancelled, with these header fields. */
  cancelFields: readonly HeaderField[] | undefined;
}

/** What the layer lends to its runner. */
export interface RunnerOptions {
  readonly durations: Durations;
  readonly timers: Timers;
  readonly onError: (error: unknown) => void;
  readonly sendCancel: (entry: Entry) => void;
}

/** Runs transactions. */
export interface Runner {
  /** Puts a transaction into its table and carries out the effects it begins with. */
  begin(
    table: Map<string, Entry>,
    key: string,
    machine: Machine,
    first: Transition<string>,
    flow: Flow,
    request: Request | undefined,
    user: ClientUser | undefined,
  ): Entry;
  /** Lets an event happen; undefined: it changed nothing. */
  step(entry: Entry, event: string, message?: Message, error?: Error): Transition<string> | undefined;
  /** Takes a transaction out of its table, whatever its state. */
  forget(entry: Entry): void;
}

const retransmissions: ReadonlySet<TimerName> = new Set(['timerA', 'timerE', 'timerG', 'timerTrying']);

/** Makes a runner. */
export function createRunner({ durations, timers, onError, sendCancel }: RunnerOptions): Runner {
  /** One function for each timer, so that starting one makes no closure. */
  const expiries = new Map<TimerName, (entry: Entry) => void>();

  function begin(
    table: Map<string, Entry>,
    key: string,
    machine: Machine,
    first: Transition<string>,
    flow: Flow,
    request: Request | undefined,
    user: ClientUser | undefined,
  ): Entry {
    const entry: Entry = {
      key,
      table,
      machine,
      state: first.state,
      reliable: flow.reliable,
      flow,
      request,
      user,
      server: undefined,
      sent: undefined,
      sendFailed: user === undefined && !flow.reliable ? undefined : (error) => unsent(entry, error),
      intervalMs: 0,
      retransmission: undefined,
      lifetime: undefined,
      cancelFields: undefined,
    };
    table.set(key, entry);
    for (const effect of first.effects) perform(entry, effect, request, undefined);
    return entry;
  }

  /** Lets an event happen; undefined: it changed nothing. */
  function step(
    entry: Entry,
    event: string,
    message?: Message,
    error?: Error,
  ): Transition<string> | undefined {
    const transition = entry.machine[entry.state]?.(event, entry.reliable);
    if (transition === undefined) return undefined;
    entry.state = transition.state;
    if (transition.state === 'terminated') forget(entry);
    for (const effect of transition.effects) perform(entry, effect, message, error);
    if (transition.state === 'accepted' || transition.state === 'completed') release(entry);
    return transition;
  }

  /** After a final response little is needed for the half minute that a transaction lives on: what is not would fill memory. */
  function release(entry: Entry): void {
    const isInvite = entry.request?.method === 'INVITE';
    entry.server = undefined;
    if (entry.state === 'accepted') entry.sent = undefined;
    if (entry.user === undefined || entry.state === 'accepted') entry.request = undefined;
    else if (!isInvite) {
      entry.request = undefined;
      entry.user = undefined;
      entry.sent = undefined;
    }
  }

  function unsent(entry: Entry, error: Error): void {
    const transition = step(entry, 'transportError', undefined, error);
    // The response of a server transaction that ended with it.
    if (transition === undefined && entry.user === undefined) onError(error);
  }

  function forget(entry: Entry): void {
    entry.state = 'terminated';
    if (entry.retransmission !== undefined) timers.stop(entry.retransmission);
    if (entry.lifetime !== undefined) timers.stop(entry.lifetime);
    if (entry.table.get(entry.key) === entry) entry.table.delete(entry.key);
  }

  function perform(
    entry: Entry,
    effect: Effect,
    message: Message | undefined,
    error: Error | undefined,
  ): void {
    switch (effect.type) {
      case 'send':
        if (message !== undefined) emit(entry, formatMessage(message));
        break;
      case 'resend':
        if (entry.sent !== undefined) entry.flow.send(entry.sent, entry.sendFailed);
        break;
      case 'sendTrying':
        if (entry.request !== undefined) emit(entry, formatMessage(createResponse(entry.request, 100)));
        break;
      case 'sendAck':
        if (entry.request !== undefined && message?.type === 'response') {
          entry.flow.send(formatMessage(createAck(entry.request, message)), entry.sendFailed);
        }
        break;
      case 'sendCancel':
        sendCancel(entry);
        break;
      case 'start':
        startTimer(entry, effect.timer, effect.delay);
        break;
      case 'stop':
        stopTimer(entry, effect.timer);
        break;
      default:
        tell(entry, effect.type, message, error);
    }
  }

  function emit(entry: Entry, octets: string): void {
    entry.sent = octets;
    entry.flow.send(octets, entry.sendFailed);
  }

  function tell(
    entry: Entry,
    what: 'toUser' | 'timeout' | 'transportError',
    message: Message | undefined,
    error: Error | undefined,
  ): void {
    try {
      if (what === 'toUser' && message?.type === 'response') entry.user?.onResponse(message);
      else if (what === 'timeout') entry.user?.onTimeout();
      else if (what === 'transportError' && error !== undefined) {
        if (entry.user === undefined) onError(error);
        else entry.user.onTransportError(error);
      }
    } catch (thrown) {
      onError(thrown);
    }
  }

  function startTimer(entry: Entry, timer: TimerName, delay: Delay): void {
    stopTimer(entry, timer);
    const ms = durationOf(delay, durations, entry.intervalMs);
    const started = timers.start(ms, expiryOf(timer), entry);
    if (retransmissions.has(timer)) {
      entry.retransmission = started;
      entry.intervalMs = ms;
    } else entry.lifetime = started;
  }

  function expiryOf(timer: TimerName): (entry: Entry) => void {
    let expire = expiries.get(timer);
    if (expire === undefined) {
      expire = (entry) => step(entry, timer);
      expiries.set(timer, expire);
    }
    return expire;
  }

  function stopTimer(entry: Entry, timer: TimerName): void {
    const running = retransmissions.has(timer) ? entry.retransmission : entry.lifetime;
    if (running !== undefined) timers.stop(running);
  }

  return { begin, step, forget };
}
