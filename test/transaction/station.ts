// A transaction layer on a fake clock, with flows that keep what is sent, and the messages to feed it.

import { type Head, readHead } from '../../src/message/head.ts';
import type { Request, Response } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createResponse } from '../../src/message/response.ts';
import { createTransactionLayer, type TransactionLayer } from '../../src/transaction/layer.ts';
import { createTimers } from '../../src/transaction/timers.ts';
import type { Flow } from '../../src/transport/flow.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

export const times = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

export interface TestFlow extends Flow {
  /** What was sent, oldest first. */
  readonly sent: string[];
  /** The first lines of what was sent. */
  lines(): string[];
  /** Lets the transport fail for what was sent last. */
  fail(): void;
}

export function testFlow(reliable: boolean, remotePort = 5070): TestFlow {
  const sent: string[] = [];
  const others = new Map<number, TestFlow>();
  let onFailure: ((error: Error) => void) | undefined;
  const flow: TestFlow = {
    transport: reliable ? 'tcp' : 'udp',
    localAddress: '192.0.2.9',
    localPort: 5060,
    remoteAddress: '192.0.2.1',
    remotePort,
    reliable,
    sent,
    lines: () => sent.map((octets) => octets.slice(0, octets.indexOf('\r\n'))),
    fail: () => onFailure?.(new Error('no route')),
    send(octets, onError) {
      sent.push(octets);
      onFailure = onError;
    },
    atPort(port) {
      if (reliable || port === remotePort) return flow;
      const other = others.get(port) ?? testFlow(false, port);
      others.set(port, other);
      return other;
    },
  };
  return flow;
}

export interface Station {
  readonly layer: TransactionLayer;
  readonly clock: FakeClock;
  readonly errors: unknown[];
}

export function station(): Station {
  const clock = fakeClock();
  const errors: unknown[] = [];
  const layer = createTransactionLayer({
    ...times,
    timers: createTimers(clock),
    onError: (error) => errors.push(error),
  });
  return { layer, clock, errors };
}

export interface RequestParts {
  readonly method?: string;
  readonly branch?: string | undefined;
  readonly sentBy?: string;
  readonly cseq?: number;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly uri?: string;
  readonly more?: readonly string[];
}

export interface Parsed<T> {
  readonly message: T;
  readonly head: Head;
}

export function request(parts: RequestParts = {}): Parsed<Request> {
  const { method = 'OPTIONS', cseq = 1, callId = 'c1', fromTag = 'f1', sentBy = '192.0.2.1:5070' } = parts;
  const branch = 'branch' in parts ? parts.branch : 'z9hG4bKone';
  return parse([
    `${method} ${parts.uri ?? 'sip:b@example.org'} SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy}${branch === undefined ? '' : `;branch=${branch}`}`,
    ...(parts.more ?? []),
    `From: <sip:a@example.org>${fromTag === '' ? '' : `;tag=${fromTag}`}`,
    `To: <sip:b@example.org>${parts.toTag === undefined ? '' : `;tag=${parts.toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    'Content-Length: 0',
  ]) as Parsed<Request>;
}

export function respondTo(to: Request, status: number): Parsed<Response> {
  const message = createResponse(to, status, { toTag: 't1' });
  return { message, head: headOf(message) };
}

export function parse(lines: readonly string[]): Parsed<Request | Response> {
  const message = parseMessage(`${lines.join('\r\n')}\r\n\r\n`);
  if (message.type === 'malformed') throw new Error(`${message.field}: ${message.why}`);
  return { message, head: headOf(message) };
}

function headOf(message: Request | Response): Head {
  const head = readHead(message);
  if (head.type === 'malformed') throw new Error(`${head.field}: ${head.why}`);
  return head;
}

/** Takes a message that was sent apart again. */
export function reparse(octets: string | undefined): Parsed<Request | Response> {
  return parse((octets ?? '').slice(0, -4).split('\r\n'));
}
