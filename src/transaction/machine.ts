// What the four machines of RFC 3261 §17 have in common: effects as data, and their constants. Pure.

/** Timers by their names in RFC 3261 §17 and RFC 6026; firing is an event of the same name. */
export type TimerName =
  | 'timerA'
  | 'timerB'
  | 'timerD'
  | 'timerE'
  | 'timerF'
  | 'timerG'
  | 'timerH'
  | 'timerI'
  | 'timerJ'
  | 'timerK'
  | 'timerL'
  | 'timerM'
  /** 200 ms, after which an INVITE gets its 100 (RFC 3261 §17.2.1). */
  | 'timerTrying'
  /** How long a cancelled INVITE may go without a final response (RFC 3261 §9.1). */
  | 'timerCancel'
  /** How long a client waits for a non-INVITE, so that no answer is of use any more (RFC 4320 §4.2). */
  | 'timerExpire';

/** A timer's duration; `doubled` is twice the last one of the same transaction. */
export type Delay = 't1' | 't2' | 't4' | '64t1' | 'd' | 'doubled' | 'doubledToT2' | 'trying';

/** What a machine wants done, in this order. */
export type Effect =
  /** Send the message of the event, and keep it for `resend`. */
  | { readonly type: 'send' }
  /** Send the kept message again; nothing where there is none. */
  | { readonly type: 'resend' }
  | { readonly type: 'sendTrying' }
  | { readonly type: 'sendAck' }
  | { readonly type: 'sendCancel' }
  | { readonly type: 'start'; readonly timer: TimerName; readonly delay: Delay }
  | { readonly type: 'stop'; readonly timer: TimerName }
  /** Give the message of the event to the transaction user. */
  | { readonly type: 'toUser' }
  /** Tell the transaction user that nothing came in time. */
  | { readonly type: 'timeout' }
  /** Tell the transaction user of the transport error. */
  | { readonly type: 'transportError' };

/** What an event leads to. In the state `terminated` nothing of the transaction is kept. */
export interface Transition<State extends string> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** One state's answer to an event; undefined: the event changes nothing. */
export type Handler<State extends string, Event extends string> = (
  event: Event,
  reliable: boolean,
) => Transition<State> | undefined;

export const send: Effect = { type: 'send' };
export const resend: Effect = { type: 'resend' };
export const sendTrying: Effect = { type: 'sendTrying' };
export const sendAck: Effect = { type: 'sendAck' };
export const sendCancel: Effect = { type: 'sendCancel' };
export const toUser: Effect = { type: 'toUser' };
export const timeout: Effect = { type: 'timeout' };
export const transportError: Effect = { type: 'transportError' };

/** The effect that starts a timer, again if it runs. */
export function start(timer: TimerName, delay: Delay): Effect {
  return { type: 'start', timer, delay };
}

/** The effect that stops a timer, if it runs. */
export function stop(timer: TimerName): Effect {
  return { type: 'stop', timer };
}

/** A transition, made once when its module loads. */
export function to<State extends string>(state: State, ...effects: Effect[]): Transition<State> {
  return { state, effects };
}
