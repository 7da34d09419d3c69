// The ng protocol of rtpengine over UDP: a cookie and a dictionary go out, the same cookie and the answer come back.
// What stays unanswered is sent again; rtpengine knows a cookie it has seen and repeats its answer.

import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { addressOctets } from '../home/address-range.ts';
import { type Bencode, type BencodeDictionary, decodeBencode, encodeBencode } from './bencode.ts';

/** What became of a command: rtpengine's answer, whatever it says, or none. */
export type NgOutcome =
  | { readonly type: 'answered'; readonly answer: BencodeDictionary }
  | { readonly type: 'failed'; readonly why: string };

/** A client of one rtpengine. */
export interface NgClient {
  /** Sends a command; never rejects. */
  request(command: BencodeDictionary): Promise<NgOutcome>;
  /** Fails what is under way and closes the socket. */
  close(): Promise<void>;
}

/** Where rtpengine is, and how long it is waited for. */
export interface NgClientOptions {
  /** An IP literal without brackets. */
  readonly address: string;
  readonly port: number;
  /** From the first datagram until a command has failed; default: 1000. */
  readonly timeoutMs?: number;
  /** Told once when commands begin to fail, and again only after one was answered. */
  readonly onFault: (why: string) => void;
}

const defaultTimeoutMs = 1000;
/** When a command is sent again for the first time; each further wait is twice as long. */
const sendAgainMs = 150;
const mostPending = 1000;
/** The longest datagram of IPv4, which is shorter than that of IPv6. */
const mostOctets = 65_507;
/** So that nobody who does not see the datagrams can make up an answer, and no other client of rtpengine has the cookie. */
const cookieBytes = 10;

interface Pending {
  readonly datagram: Buffer;
  resendTimer: NodeJS.Timeout | undefined;
  readonly deadlineTimer: NodeJS.Timeout;
  readonly resolve: (outcome: NgOutcome) => void;
}

/** Makes a client; its socket is opened by the first command. */
export function createNgClient(options: NgClientOptions): NgClient {
  const { address, port, timeoutMs = defaultTimeoutMs, onFault } = options;
  const expectedSource = addressOctets(address)?.join();
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const pending = new Map<string, Pending>();
  const cookiePrefix = randomBytes(cookieBytes).toString('hex');
  let sent = 0;
  let isFailing = false;
  let isClosed = false;

  /** Why the last datagram could not be sent, which says more than that no answer came. */
  let sendFault: string | undefined;
  socket.on('error', (error) => {
    sendFault = error.message;
  });
  socket.on('message', receive);

  function request(command: BencodeDictionary): Promise<NgOutcome> {
    if (isClosed) return failed('the client is closed');
    if (pending.size >= mostPending) return failed(`${mostPending} commands wait for rtpengine`);
    const cookie = `${cookiePrefix}${(sent++).toString(36)}`;
    const datagram = Buffer.from(`${cookie} ${encodeBencode(command)}`, 'latin1');
    if (datagram.length > mostOctets) return failed('the command is longer than a datagram');
    return new Promise((resolve) => {
      const deadlineTimer = setTimeout(giveUp, timeoutMs, cookie);
      const entry = { datagram, resendTimer: undefined, deadlineTimer, resolve };
      pending.set(cookie, entry);
      send(entry, sendAgainMs);
    });
  }

  function send(entry: Pending, againMs: number): void {
    socket.send(entry.datagram, port, address, (error) => {
      sendFault = error?.message;
    });
    entry.resendTimer = setTimeout(send, againMs, entry, 2 * againMs);
  }

  function giveUp(cookie: string): void {
    const why = sendFault ?? `rtpengine did not answer within ${timeoutMs} ms`;
    settle(cookie, { type: 'failed', why });
    if (!isFailing) onFault(why);
    isFailing = true;
  }

  function receive(datagram: Buffer, from: RemoteInfo): void {
    if (from.port !== port || addressOctets(from.address)?.join() !== expectedSource) return;
    const octets = datagram.toString('latin1');
    const space = octets.indexOf(' ');
    const cookie = octets.slice(0, Math.max(space, 0));
    if (!pending.has(cookie)) return;
    isFailing = false;
    const answer = decodeBencode(octets.slice(space + 1));
    if (isDictionary(answer)) settle(cookie, { type: 'answered', answer });
    else settle(cookie, { type: 'failed', why: 'the answer of rtpengine is unreadable' });
  }

  function settle(cookie: string, outcome: NgOutcome): void {
    const entry = pending.get(cookie);
    pending.delete(cookie);
    clearTimeout(entry?.resendTimer);
    clearTimeout(entry?.deadlineTimer);
    entry?.resolve(outcome);
  }

  async function close(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    for (const cookie of [...pending.keys()]) settle(cookie, { type: 'failed', why: 'the client is closed' });
    await new Promise<void>((resolve) => socket.close(resolve));
  }

  return { request, close };
}

function failed(why: string): Promise<NgOutcome> {
  return Promise.resolve({ type: 'failed', why });
}

function isDictionary(value: Bencode | undefined): value is BencodeDictionary {
  return typeof value === 'object' && !Array.isArray(value);
}
