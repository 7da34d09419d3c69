// The calls that are going on, and what is written of them when they have ended (DESIGN §2 acct). The proxy asks nothing of
// it: a call that is unknown here goes on all the same and is not accounted.

import { hash } from '../digest/hash.ts';
import { formatCallRecord } from '../home/acct.ts';
import { fieldValue } from '../message/fields.ts';
import type { Message } from '../message/message.ts';
import type { KeptFile } from '../store/host.ts';
import { newTag } from '../transaction/random-token.ts';
import { networkOf } from '../transport/address.ts';
import { createCallCopies } from './call-copies.ts';
import { createCallJournal, type JournalEntry, type WaitingCopy } from './call-journal.ts';
import {
  type CallDialog,
  type CallParty,
  contactOf,
  detached,
  mayCharge,
  partyOf,
  recordRoutesOf,
  shortTag,
} from './call-party.ts';
import type { Caller } from './caller.ts';
import type { Exchange } from './exchange.ts';
import type { Log } from './log.ts';
import {
  type CallAnswer,
  type CallEnd,
  copiesOf,
  endOfAnswered,
  type OpenCall,
  type Outcome,
} from './open-call.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** What outlives a reload; `current` is the service as it is now. */
export interface CallAccountsParts {
  readonly log: Log;
  readonly current: () => Service | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that nobody can set. */
  readonly steady: () => number;
  /** Root's copy of all calls; undefined: there is none. */
  readonly truth: KeptFile | undefined;
  readonly journal: KeptFile;
  /** How often calls whose end nobody says are looked at, in milliseconds. */
  readonly sweepMs?: number | undefined;
}

/** The calls of a server. */
export interface CallAccounts {
  /** Takes up what the journal says was open when the server before ended: to be awaited before anything else. */
  takeUp(): Promise<void>;
  /** An INVITE that makes a dialog begins its way; undefined: there are too many calls to keep account of one more. */
  open(caller: Caller, exchange: Exchange): OpenCall | undefined;
  /** It is a call to this account; `isKept`: Accounting in his settings. */
  called(call: OpenCall, user: User, isKept: boolean): void;
  /** Takes a success; false: not the first. */
  answered(call: OpenCall, answer: CallAnswer & { readonly sessionMs: number | undefined }): boolean;
  /** One more success came of a branch that has answered (RFC 3261 §13.2.2.4), or the same again. */
  forked(call: OpenCall, dialog: CallDialog): void;
  failed(call: OpenCall, end: CallEnd): void;
  /** The calls that a dialog belongs to: by Call-ID, the caller's tag and the callee's. */
  of(callId: string, callerTag: string, calleeTag: string): { call: OpenCall; dialog: CallDialog }[];
  /** A BYE for a dialog of the call came at that time, and was heard. */
  ended(call: OpenCall, dialog: CallDialog, at: number, by: 'caller' | 'callee'): void;
  /** A party of the call said where it is from now on (RFC 3261 §12.2). */
  moved(call: OpenCall, party: CallParty, message: Message): void;
  /** It goes on; `sessionMs` of a success to a refresh (RFC 4028), `unchanged` for other requests. */
  heard(call: OpenCall, sessionMs: number | undefined | 'unchanged'): void;
  /** How many are going on. */
  size(): number;
  /** The calls that are going on, the first of them first. */
  all(): Iterable<OpenCall>;
  /** Writes what can be written; the calls are in the journal for the next start. */
  close(): Promise<void>;
}

const SWEEP_MS = 1000;
/** A clock that is off by more, from one look to the next, was set. */
const STEP_MS = 1000;
/** How far back in root's copy a record may be that was written before. */
const REPEATED_WITHIN = 4 * 1024 * 1024;
/** Dialogs of one call that are told apart. */
const MOST_DIALOGS = 10;
/** A Call-ID of more is remembered by its hash. */
const LONGEST_KEY = 200;
/** Calls at once, a kilobyte each, and of one user or one network of strangers: an office's telephone exchange has some hundred. */
const MOST_OPEN = 100_000;
const MOST_OF_ONE = 1000;

/** Takes up the calls that the journal says were open. */
export function createCallAccounts(parts: CallAccountsParts): CallAccounts {
  const { log, now, steady } = parts;
  const open = new Map<string, OpenCall>();
  const byKey = new Map<string, OpenCall[]>();
  /** How many of them each user began, and strangers from each network. */
  const counts = new Map<string, number>();
  /** Of calls that have ended, the copies that are not written. */
  const ending = new Map<string, Set<WaitingCopy>>();
  let legs = 0;
  let isFlushing = false;
  let isClosed = false;
  let looked: { readonly nowMs: number; readonly steadyMs: number } | undefined;
  const copies = createCallCopies(parts.truth, () => (parts.current() as Service).store, log);
  const journal = createCallJournal(parts.journal, log, entryOf, allEntries);
  const timer = setInterval(sweep, parts.sweepMs ?? SWEEP_MS);
  timer.unref();

  function entryOf(handle: string): JournalEntry | undefined {
    const call = open.get(handle);
    if (call !== undefined) return isKept(call) ? { call } : undefined;
    const waiting = ending.get(handle);
    return waiting === undefined ? undefined : { handle, waiting: [...waiting] };
  }

  function allEntries(): JournalEntry[] {
    return [...open.keys(), ...ending.keys()].map(entryOf).filter((entry) => entry !== undefined);
  }

  function touch({ handle }: { readonly handle: string }): void {
    journal.touch(handle);
    if (isFlushing || isClosed) return;
    isFlushing = true;
    setImmediate(flush);
  }

  /** Behind a turn: the journal says first what is to be written, so that nothing is lost and nothing written twice. */
  function flush(): void {
    isFlushing = false;
    if (isClosed) return;
    journal.flush(now());
    copies.flush(performance.now());
  }

  /** Now. Where the clock was set the calls that go on move with it: they last as long as they did. */
  function look(): number {
    const [nowMs, steadyMs] = [now(), steady()];
    const setMs = looked === undefined ? 0 : nowMs - looked.nowMs - (steadyMs - looked.steadyMs);
    looked = { nowMs, steadyMs };
    if (Math.abs(setMs) <= STEP_MS) return nowMs;
    log('notice', 'clock-set', { by: Math.round(setMs / 1000), calls: open.size });
    for (const call of open.values()) {
      const { start, answer, refreshedAt, knownAt } = call;
      Object.assign(call, { start: start + setMs, refreshedAt: refreshedAt + setMs });
      if (answer !== undefined) call.answer = { ...answer, at: answer.at + setMs };
      if (knownAt !== undefined) call.knownAt = knownAt + setMs;
      touch(call);
    }
    return nowMs;
  }

  function add(call: OpenCall): void {
    open.set(call.handle, call);
    const others = byKey.get(call.key);
    if (others === undefined) byKey.set(call.key, [call]);
    else others.push(call);
    count(call, 1);
  }

  /** Forgets a call that goes on here; false: it does not. */
  function remove(call: OpenCall): boolean {
    if (!open.delete(call.handle)) return false;
    const others = (byKey.get(call.key) ?? []).filter((other) => other !== call);
    if (others.length === 0) byKey.delete(call.key);
    else byKey.set(call.key, others);
    count(call, -1);
    return true;
  }

  function count({ share }: OpenCall, change: number): void {
    if (share === undefined) return;
    const sum = (counts.get(share) ?? 0) + change;
    if (sum === 0) counts.delete(share);
    else counts.set(share, sum);
  }

  function end(call: OpenCall, how: CallEnd): void {
    if (!remove(call)) return;
    const ended = copiesOf(call, how).map(
      ({ user, record, mayLack }): WaitingCopy => ({
        user,
        line: formatCallRecord(record),
        mayLack: mayLack ? true : undefined,
      }),
    );
    write(call.handle, ended);
  }

  function write(handle: string, ended: readonly WaitingCopy[], isRepeated = false): void {
    const left = new Set(ended);
    if (left.size > 0) ending.set(handle, left);
    for (const copy of ended) {
      const done = () => {
        left.delete(copy);
        if (left.size === 0) ending.delete(handle);
        // That it is over has time until something else is to be said.
        journal.touch(handle);
      };
      copies.add({ user: copy.user, line: copy.line, mayLack: copy.mayLack === true, isRepeated, done });
    }
    touch({ handle });
  }

  function addDialog(call: OpenCall, dialog: CallDialog): void {
    if (open.get(call.handle) !== call || call.answer === undefined) return;
    const { dialogs } = call.answer;
    if (dialogs.length >= MOST_DIALOGS || dialogs.some(({ tag }) => tag === dialog.tag)) return;
    dialogs.push(dialog);
    touch(call);
  }

  function sweep(): void {
    const nowMs = look();
    const service = parts.current();
    if (service === undefined) return;
    const longestMs = service.keywords.MaxCallDuration * 1000;
    for (const call of open.values()) endOverdue(call, longestMs, nowMs);
    copies.flush(performance.now());
    journal.flush(nowMs);
    journal.sweep(nowMs);
  }

  function endOverdue(call: OpenCall, longestMs: number, nowMs: number): void {
    const { start, answer, sessionMs, refreshedAt, knownAt } = call;
    const longest = (answer?.at ?? start) + longestMs;
    const session = sessionMs === undefined ? Number.POSITIVE_INFINITY : refreshedAt + sessionMs;
    const due = Math.min(longest, session);
    if (nowMs < due) return;
    if (answer === undefined) end(call, { status: 'failed', at: nowMs });
    // Of a call that nobody heard of since the start, what is known ends before it.
    else if (knownAt !== undefined) end(call, endOfAnswered(call, knownAt, 'restart'));
    else end(call, endOfAnswered(call, due, session < longest ? 'timer' : 'max-duration'));
  }

  async function takeUp(): Promise<void> {
    const { entries, knownAt } = await journal.read();
    const isWaiting = entries.some((entry) => 'waiting' in entry);
    const written = isWaiting ? await parts.truth?.tail(REPEATED_WITHIN) : '';
    const nowMs = now();
    const isWritten = ({ user, line }: WaitingCopy) =>
      user === undefined && typeof written === 'string' && written.includes(`${line}\n`);
    for (const entry of entries) {
      if ('waiting' in entry) {
        write(
          entry.handle,
          entry.waiting.filter((copy) => !isWritten(copy)),
          true,
        );
      } else {
        const { call } = entry;
        add(call);
        const at = Math.max(knownAt, call.answer?.at ?? call.start);
        // Whether a call goes on that was open is known when somebody says a word in it.
        if (call.answer !== undefined) {
          call.knownAt ??= at;
          call.refreshedAt = nowMs;
        } else end(call, { status: 'failed', at, endedBy: 'restart' });
      }
    }
    if (entries.length === 0) return;
    log('info', 'calls-taken-up', { open: open.size, waiting: copies.size() });
    journal.sweep(nowMs);
  }

  return {
    takeUp,
    open(caller, { request, head, flow }) {
      const share = shareOf(caller, flow.remoteAddress);
      const isTooMany = share !== undefined && (counts.get(share) ?? 0) >= MOST_OF_ONE;
      if (open.size >= MOST_OPEN || isTooMany) return undefined;
      const current = parts.current() as Service;
      const { keywords } = current;
      const startMs = look();
      const key = keyOf(head.callId, head.from.tag ?? '');
      // What a proxy behind us sends back to us is the same call.
      const same = caller.type !== 'peer' ? undefined : byKey.get(key)?.find(({ answer }) => !answer);
      const userAgent = fieldValue(request, 'user-agent');
      const id = same?.id ?? `${startMs.toString(36)}-${newTag()}`;
      const call: OpenCall = {
        id,
        handle: same === undefined ? id : `${id}-${++legs}`,
        key,
        start: startMs,
        callId: detached(head.callId, 256),
        from: detached(caller.facts.uri, 512),
        to: detached(request.requestUri, 512),
        isAnonymous: caller.facts.isAnonymous,
        caller: caller.type === 'user' ? caller.name : undefined,
        share,
        isCallerKept: caller.isAccounted,
        isLogged: parts.truth !== undefined && keywords.Accounting && same === undefined,
        party: partyOf(request, recordRoutesOf(request), flow, mayCharge(current, flow.remoteAddress)),
        peerIp: flow.remoteAddress,
        userAgent: userAgent === undefined ? undefined : detached(userAgent, 256),
        called: [],
        refreshedAt: startMs,
      };
      add(call);
      touch(call);
      return call;
    },
    called(call, { name, configVersion, contactsVersion }, isKept) {
      const hasFiles = configVersion !== '' || contactsVersion !== '';
      call.called.push({ name, isKept, hasFiles });
      touch(call);
    },
    answered(call, { sessionMs, ...answer }) {
      look();
      if (open.get(call.handle) !== call) return false;
      if (call.answer !== undefined) {
        for (const dialog of answer.dialogs) addDialog(call, dialog);
        return false;
      }
      call.answer = answer;
      call.sessionMs = sessionMs;
      call.refreshedAt = answer.at;
      touch(call);
      return true;
    },
    failed(call, how) {
      if (call.answer !== undefined) return;
      // What is challenged comes again with an answer to that: the same call, so far.
      const isAgain = [how, ...call.called.map(({ outcome }) => outcome ?? how)].every(isChallenge);
      if (!isAgain) end(call, how);
      else if (remove(call)) touch(call);
    },
    forked: addDialog,
    of(callId, callerTag, calleeTag) {
      const calls = byKey.get(keyOf(callId, callerTag)) ?? [];
      const tag = shortTag(calleeTag);
      return calls.flatMap((call) => {
        const dialog = call.answer?.dialogs.find((each) => each.tag === tag);
        return dialog === undefined ? [] : [{ call, dialog }];
      });
    },
    ended(call, dialog, at, by) {
      look();
      const { answer } = call;
      if (answer === undefined) return;
      // A caller who got two successes has two dialogs, and the call lasts as long as one of them.
      if (answer.dialogs.length > 1) answer.dialogs = answer.dialogs.filter((each) => each !== dialog);
      else end(call, endOfAnswered(call, at, by));
      touch(call);
    },
    moved(call, party, message) {
      const contact = contactOf(message);
      if (contact === '' || contact === party.contact) return;
      party.contact = contact;
      touch(call);
    },
    heard(call, sessionMs) {
      const wasTakenUp = call.knownAt !== undefined;
      call.knownAt = undefined;
      if (sessionMs !== 'unchanged') {
        call.sessionMs = sessionMs;
        call.refreshedAt = now();
      }
      if (wasTakenUp || sessionMs !== 'unchanged') touch(call);
    },
    size: () => open.size,
    all: () => open.values(),
    async close() {
      clearInterval(timer);
      isClosed = true;
      journal.flush(now());
      await copies.close();
      journal.flush(now());
      journal.sweep(now());
      await journal.settled();
    },
  };
}

/** Whether anybody gets a record of it. */
function isKept({ isLogged, isCallerKept, caller, called }: OpenCall): boolean {
  if (caller !== undefined && (isLogged || isCallerKept)) return true;
  return called.some(({ isKept: isHis }) => isLogged || isHis);
}

function isChallenge({ code }: Outcome): boolean {
  return code === 401 || code === 407;
}

/** Whose bound a call counts for: a user's, or that of where a stranger is. What root trusts has none. */
function shareOf({ type, name }: Caller, address: string): string | undefined {
  if (type === 'peer') return undefined;
  return type === 'user' ? name : `[${networkOf(address)}]`;
}

function keyOf(callId: string, callerTag: string): string {
  const key = `${callId}\n${callerTag}`;
  return key.length > LONGEST_KEY ? hash('SHA-256', key) : key;
}
