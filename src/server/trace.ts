// Who watches the messages of a server (DESIGN §6): root and sipadmin all of them or what a user or an address has to do
// with, a user what is his own. While nobody does, a message costs one look.
//
// What is a user's own is not read from addresses, which many may share and anybody may register, but from what the server
// did: a leg is a Call-ID and a peer, and it is his once a request with his name came over it, or one of his phones was sent
// a request. A call's legs to others are theirs.

import { accountOf } from '../auth/authorize.ts';
import type { Call } from '../control/dispatch.ts';
import { maskCredentials, maskUriPasswords } from '../control/mask.ts';
import { type ControlFault, controlFault, formatNotification } from '../control/protocol.ts';
import type { TraceRecord } from '../control/trace-record.ts';
import { hash } from '../digest/hash.ts';
import { readHead } from '../message/head.ts';
import { toOctets } from '../message/octets.ts';
import { parseMessage } from '../message/parse.ts';
import { parseUri } from '../message/uri.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { Traffic } from '../transport/traffic.ts';
import { type Service, sourceOf } from './service.ts';

/** Traces at once; those of users who are no administrators; and of one uid of theirs. */
const MOST_TRACES = 16;
const MOST_OF_USERS = 12;
const MOST_OF_UID = 2;
/** Call-IDs or legs that one trace remembers. */
const MOST_REMEMBERED = 10_000;
/** The longest that is remembered as it is, in octets. */
const LONGEST_KEY = 200;
/** Lines go out together, so often, in ms; the octets of what waits meanwhile have a bound. */
const FLUSH_MS = 100;
const MOST_WAITING = 1 << 20;
const DEFAULT_PORT = 5060;
const USUAL_CALL_ID = '\nCall-ID: ';

/** What a trace is about. */
export interface TraceFilter {
  /** Messages of this user. */
  readonly user: string | undefined;
  /** Only what is his own: he asks himself. */
  readonly isOwn: boolean;
  /** `192.0.2.1`, or with a port. */
  readonly address: string | undefined;
  /** Whole messages, not their start lines alone. */
  readonly isWhole: boolean;
}

/** The traces of a server. */
export interface Tracer {
  /** Whether anybody watches: else nothing needs to be said. */
  readonly isOn: boolean;
  /** Says that a request with this Call-ID is about to be sent to a phone of a user's. */
  reaches(user: string, callId: string, flow: Flow): void;
  /** Sends messages to a client until it is gone; a fault where there are too many. */
  begin(filter: TraceFilter, call: Call): ControlFault | undefined;
}

/** One message that was seen. */
interface Seen {
  readonly time: number;
  readonly isSent: boolean;
  readonly octets: string;
  readonly flow: Flow;
  readonly callId: string;
}

interface Trace {
  readonly filter: TraceFilter;
  readonly call: Call;
  /** Tells a message that names the user. */
  readonly naming: RegExp | undefined;
  /** Call-IDs of a user's dialogs; of his own only, legs. */
  readonly remembered: Set<string>;
  messages: Seen[];
  /** Octets of them. */
  waiting: number;
  lost: number;
  timer: NodeJS.Timeout | undefined;
}

/** Makes the traces of a server; `current` is the service as it is now. */
export function createTracer(traffic: Traffic, current: () => Service | undefined): Tracer {
  const traces = new Set<Trace>();
  const tracer = { isOn: false, reaches, begin };

  function begin(filter: TraceFilter, call: Call): ControlFault | undefined {
    const { caller } = call;
    const ofUsers = [...traces].filter((trace) => trace.filter.isOwn);
    const ofUid = ofUsers.filter((trace) => trace.call.caller.uid === caller.uid).length;
    const isFull = filter.isOwn && (ofUsers.length >= MOST_OF_USERS || ofUid >= MOST_OF_UID);
    if (traces.size >= MOST_TRACES || isFull) return controlFault('busy', 'too many traces');
    const naming = filter.user === undefined || filter.isOwn ? undefined : namingOf(filter.user);
    const rest = { messages: [], waiting: 0, lost: 0, timer: undefined };
    const trace: Trace = { filter, call, naming, remembered: new Set(), ...rest };
    traces.add(trace);
    turn();
    call.onClosed(() => {
      clearTimeout(trace.timer);
      traces.delete(trace);
      turn();
    });
    return undefined;
  }

  function turn(): void {
    tracer.isOn = traces.size > 0;
    traffic.watch = tracer.isOn ? watch : undefined;
  }

  function watch(isSent: boolean, octets: string, flow: Flow): void {
    if (octets.charCodeAt(0) < 0x41) return;
    try {
      const callId = callIdOf(octets);
      for (const trace of traces)
        if (isWanted(trace, isSent, octets, flow, callId)) add(trace, isSent, octets, flow, callId);
    } catch (error) {
      current()?.log('error', 'internal-error', { why: (error as Error).stack });
    }
  }

  function isWanted(trace: Trace, isSent: boolean, octets: string, flow: Flow, callId: string): boolean {
    const { filter, naming, remembered } = trace;
    if (filter.address !== undefined && !isAt(flow, filter.address)) return false;
    if (filter.user === undefined) return true;
    if (filter.isOwn) {
      const leg = legOf(callId, flow.remoteAddress, flow.remotePort);
      if (isRemembered(remembered, leg)) return true;
      if (isSent)
        return octets.startsWith('SIP/') && isRemembered(remembered, answerOf(leg, branchOf(octets)));
      return isClaimed(trace, octets, flow, callId);
    }
    if (isRemembered(remembered, callId)) return true;
    if (naming === undefined || !naming.test(octets)) return false;
    remember(remembered, callId);
    return true;
  }

  /** A request that came with his name: he sent it, or somebody says so, which is for him to know. It makes its leg his. */
  function isClaimed(trace: Trace, octets: string, flow: Flow, callId: string): boolean {
    const { user = '' } = trace.filter;
    const service = current();
    if (service === undefined || !octets.includes(toOctets(user)) || octets.startsWith('SIP/')) return false;
    // What a trusted peer calls him is not proved to be him.
    if (service.isTrustedPeer(flow.remoteAddress)) return false;
    const request = parseMessage(octets);
    const head = request.type === 'request' ? readHead(request) : undefined;
    if (request.type !== 'request' || head === undefined || head.type === 'malformed') return false;
    const uri = parseUri((request.method === 'REGISTER' ? head.to : head.from).uri);
    if (uri === undefined || !('host' in uri) || !service.domains.isLocal(uri.host)) return false;
    if (accountOf(uri) !== user) return false;
    remember(trace.remembered, legOf(callId, flow.remoteAddress, flow.remotePort));
    // Without rport the answer goes to another port, where somebody else may be: nothing but the answer is his.
    if (head.via.rport === undefined) {
      const leg = legOf(callId, flow.remoteAddress, head.via.port ?? DEFAULT_PORT);
      remember(trace.remembered, answerOf(leg, head.via.branch ?? ''));
    }
    return true;
  }

  function reaches(user: string, callId: string, flow: Flow): void {
    for (const { filter, remembered } of traces) {
      if (filter.user !== user) continue;
      remember(remembered, filter.isOwn ? legOf(callId, flow.remoteAddress, flow.remotePort) : callId);
    }
  }

  return tracer;
}

/** Keeps a message for the next flush: many are formatted one behind the other for less than each by itself. */
function add(trace: Trace, isSent: boolean, octets: string, flow: Flow, callId: string): void {
  if (trace.waiting > MOST_WAITING) {
    trace.lost++;
    return;
  }
  trace.messages.push({ time: Date.now(), isSent, octets, flow, callId });
  trace.waiting += octets.length;
  trace.timer ??= setTimeout(() => flush(trace), FLUSH_MS);
}

/** Whoever reads too slowly loses lines, and is told how many. */
function flush(trace: Trace): void {
  trace.timer = undefined;
  const { messages, lost, filter } = trace;
  trace.messages = [];
  trace.waiting = 0;
  let lines = '';
  for (const message of messages) lines += formatNotification('trace', recordOf(message, filter.isWhole));
  if (lost > 0) lines += formatNotification('trace-lost', { count: lost });
  if (trace.call.send(lines)) trace.lost = 0;
  else trace.lost += messages.length;
}

function recordOf({ time, isSent, octets, flow, callId }: Seen, isWhole: boolean): TraceRecord {
  const local = formatHostPort(flow.localAddress, flow.localPort);
  const remote = sourceOf(flow);
  const masked = isWhole ? maskCredentials(octets) : maskUriPasswords(startLineOf(octets));
  return {
    time,
    sent: isSent,
    transport: flow.transport,
    source: isSent ? local : remote,
    destination: isSent ? remote : local,
    line: isWhole ? startLineOf(masked) : masked,
    callId,
    octets: isWhole ? masked : undefined,
  };
}

function startLineOf(octets: string): string {
  const end = octets.indexOf('\n');
  return octets.slice(0, end < 0 ? 1000 : Math.min(end, 1000)).trimEnd();
}

/** The Call-ID, long or short; empty where there is none. Most write it in one way, which is found sooner. */
function callIdOf(octets: string): string {
  const at = octets.indexOf(USUAL_CALL_ID);
  if (at < 0) return /\n(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)/i.exec(octets)?.[1]?.trim() ?? '';
  const start = at + USUAL_CALL_ID.length;
  return octets.slice(start, octets.indexOf('\r', start)).trim();
}

function legOf(callId: string, address: string, port: number): string {
  return `${callId}\n${address}\n${port}`;
}

function answerOf(leg: string, branch: string): string {
  return `${leg}\n${branch}`;
}

/** The branch of the topmost Via; empty where there is none. */
function branchOf(octets: string): string {
  return /\n(?:via|v)[ \t]*:[^\r\n]*?;[ \t]*branch[ \t]*=[ \t]*([^\s;,]+)/i.exec(octets)?.[1] ?? '';
}

function isAt(flow: Flow, address: string): boolean {
  return flow.remoteAddress === address || sourceOf(flow) === address;
}

/** A request to him, or a message from or to him. */
function namingOf(user: string): RegExp {
  const name = toOctets(user).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return new RegExp(`(?:^[A-Z]+ |\\n(?:from|f|to|t)[ \\t]*:[^\\r\\n]*)sips?:${name}[@:]`, 'i');
}

/** What is remembered of a key: of a long one its hash, and nothing of the message it was cut from. */
function shortKey(key: string): string {
  return key.length > LONGEST_KEY ? hash('SHA-256', key) : Buffer.from(key, 'latin1').toString('latin1');
}

function isRemembered(remembered: ReadonlySet<string>, key: string): boolean {
  return remembered.has(key.length > LONGEST_KEY ? shortKey(key) : key);
}

function remember(remembered: Set<string>, key: string): void {
  if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.values().next().value as string);
  remembered.add(shortKey(key));
}
