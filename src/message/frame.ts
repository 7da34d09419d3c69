// Where messages of a stream begin and end (RFC 3261 §18.3, RFC 5626 §3.5.1). Holds octets; no socket, no clock.

import { CR, isOf, LF, TOKEN } from './characters.ts';
import { readFields } from './header.ts';
import { type Malformed, malformed } from './message.ts';
import { MAX_MESSAGE_BYTES, parseMessage } from './parse.ts';

const HEADER_END = Buffer.from('\r\n\r\n');
const SMALLEST_STORE = 1024;
const TOO_LARGE = malformed('message', 'it is too long', undefined, 513);

/** Limits of a framer. */
export interface FramerLimits {
  /** The longest message, header and body, in octets: 65536. */
  readonly maxMessage?: number | undefined;
}

/** What a framer found, in the order of the stream. */
export type FrameEvent =
  /** One message for `parseMessage`; its Content-Length is there and true. */
  | { readonly type: 'message'; readonly octets: string }
  /** CRLF CRLF: to be answered with CRLF (RFC 5626 §4.4.1). */
  | { readonly type: 'keepalive' }
  /** The CRLF that was expected; where another follows, it was a keepalive and a sign of life all the same. */
  | { readonly type: 'pong' }
  /** The stream cannot be followed any further: answer `partial`, then close. The last event there is. */
  | (Malformed & { readonly fatal: true });

/** Cuts one stream into messages. */
export interface Framer {
  /** Takes the next octets of the stream. */
  push(chunk: Buffer): FrameEvent[];
  /** A CRLF CRLF of ours goes out: takes the next CRLF between messages for its answer, once. */
  expectPong(): void;
  /** The number of octets held of a message that is not complete. */
  pending(): number;
}

/** Makes the framer of one stream. It holds at most `maxMessage` octets, and no memory between messages. */
export function createFramer(limits: FramerLimits = {}): Framer {
  const maxMessage = limits.maxMessage ?? MAX_MESSAGE_BYTES;
  const empty = Buffer.alloc(0);
  let store = empty;
  let stored = 0;
  /** The length of the message in the store; 0 until its header is complete. */
  let expected = 0;
  /** Octets of a CRLF CRLF that came since the last message. */
  let pinged = 0;
  let expectsPong = false;
  let closed = false;

  function push(chunk: Buffer): FrameEvent[] {
    const events: FrameEvent[] = [];
    let position = 0;
    while (!closed && position < chunk.length) {
      if (stored > 0) position = resume(chunk, position, events);
      else {
        position = skipPings(chunk, position, events);
        if (!closed && position < chunk.length) position = begin(chunk, position, events);
      }
    }
    return events;
  }

  /** Between messages: behind the line ends, to where a message begins. */
  function skipPings(chunk: Buffer, start: number, events: FrameEvent[]): number {
    let position = start;
    for (; position < chunk.length; position++) {
      const code = chunk[position] as number;
      if (code === (pinged % 2 === 0 ? CR : LF)) {
        pinged = (pinged + 1) % 4;
        if (expectsPong && pinged % 2 === 0) {
          expectsPong = false;
          events.push({ type: 'pong' });
        }
        if (pinged === 0) events.push({ type: 'keepalive' });
      } else if (pinged % 2 === 0 && isOf(TOKEN, code)) {
        pinged = 0;
        break;
      } else {
        fail(malformed('start line', 'it does not start with a method or version'), events);
        break;
      }
    }
    return position;
  }

  /** A message that begins in this chunk: out at once where it is whole, else into the store. */
  function begin(chunk: Buffer, start: number, events: FrameEvent[]): number {
    const length = measure(chunk, start, start, events);
    if (closed) return start;
    if (length > 0 && start + length <= chunk.length) {
      events.push({ type: 'message', octets: chunk.toString('latin1', start, start + length) });
      return start + length;
    }
    expected = length;
    hold(chunk, start, chunk.length);
    return chunk.length;
  }

  /** More of the message in the store. */
  function resume(chunk: Buffer, start: number, events: FrameEvent[]): number {
    const searchFrom = Math.max(0, stored - 3);
    const wanted = (expected > 0 ? expected : maxMessage) - stored;
    const end = Math.min(chunk.length, start + wanted);
    hold(chunk, start, end);
    if (expected === 0) expected = measure(store.subarray(0, stored), 0, searchFrom, events);
    if (closed || expected === 0 || stored < expected) return end;
    // The header was completed by this chunk, so that what is too much is this chunk's end.
    const surplus = stored - expected;
    events.push({ type: 'message', octets: store.toString('latin1', 0, expected) });
    release();
    return end - surplus;
  }

  /** The length of the message at `start`; 0 while its header is not complete. Fails where it cannot be known. */
  function measure(octets: Buffer, start: number, searchFrom: number, events: FrameEvent[]): number {
    const headerEnd = octets.indexOf(HEADER_END, searchFrom) + HEADER_END.length;
    if (headerEnd < HEADER_END.length || headerEnd - start > maxMessage) {
      if (octets.length - start < maxMessage) return 0;
      return refuse(octets.toString('latin1', start, start + maxMessage), TOO_LARGE, events);
    }
    const header = octets.toString('latin1', start, headerEnd);
    const bodyLength = readBodyLength(header);
    if (typeof bodyLength !== 'number') return refuse(header, bodyLength, events);
    const length = header.length + bodyLength;
    return length > maxMessage ? refuse(header, TOO_LARGE, events) : length;
  }

  function refuse(header: string, { field, why, status }: Malformed, events: FrameEvent[]): number {
    const parsed = parseMessage(header);
    fail(malformed(field, why, parsed.type === 'malformed' ? parsed.partial : parsed, status), events);
    return 0;
  }

  function fail(event: Malformed, events: FrameEvent[]): void {
    events.push({ ...event, fatal: true });
    closed = true;
    release();
  }

  function hold(chunk: Buffer, start: number, end: number): void {
    const needed = stored + end - start;
    if (store.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.min(maxMessage, Math.max(SMALLEST_STORE, needed * 2)));
      store.copy(larger, 0, 0, stored);
      store = larger;
    }
    chunk.copy(store, stored, start, end);
    stored = needed;
  }

  function release(): void {
    store = empty;
    stored = 0;
    expected = 0;
  }

  /** Two CRLF behind a ping of ours are one of the peer's, which must be answered; a single one was the pong. */
  function expectPong(): void {
    expectsPong = true;
    if (pinged === 2) pinged = 0;
  }

  return { push, expectPong, pending: () => stored };
}

/** Content-Length, which a stream cannot do without (RFC 3261 §18.3); or why the message's end is not certain. */
function readBodyLength(header: string): number | Malformed {
  const lineEnd = header.indexOf('\n') - 1;
  if (header.indexOf('\r') !== lineEnd) return malformed('start line', 'it does not end with CRLF');
  const { contentLength, unframed, fault } = readFields(header, lineEnd + 2, []);
  if (unframed && fault !== undefined) return malformed(fault.field, fault.why);
  return contentLength ?? malformed('Content-Length', 'it is missing');
}
