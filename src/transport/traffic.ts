// What a transport counts of the messages that pass it, in plain numbers, and who watches them.

import type { Flow } from './flow.ts';

/** Sees one message that came or left, after it was counted. Must not throw. */
type Watch = (isSent: boolean, octets: string, flow: Flow) => void;

/** The messages of all sockets since the start. */
export interface Traffic {
  requestsSent: number;
  /** By class: index 1 for 1xx to 6 for 6xx. Repetitions count. */
  readonly responsesSent: Float64Array;
  /** Undefined: nobody watches, and a message costs one look. */
  watch: Watch | undefined;
}

/** Starts at zero. */
export function createTraffic(): Traffic {
  return { requestsSent: 0, responsesSent: new Float64Array(7), watch: undefined };
}

const LETTER_A = 0x41;
const LETTER_S = 0x53;
const SLASH = 0x2f;
const ZERO = 0x30;

/** Counts a message that leaves; a STUN answer is none. */
export function noteSent(traffic: Traffic, octets: string, flow: Flow): void {
  const first = octets.charCodeAt(0);
  if (first < LETTER_A) return;
  // `SIP/2.0 200`: no method has a slash there.
  if (first === LETTER_S && octets.charCodeAt(3) === SLASH) {
    const statusClass = octets.charCodeAt(8) - ZERO;
    if (statusClass < 7)
      traffic.responsesSent[statusClass] = (traffic.responsesSent[statusClass] as number) + 1;
  } else traffic.requestsSent++;
  traffic.watch?.(true, octets, flow);
}
