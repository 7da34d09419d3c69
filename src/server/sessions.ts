// Sessions: the times a contact is registered, told to the host's log of logins and to a journal (DESIGN §2, §4.6). A
// login when it is first registered, a logout when it goes, whichever way it goes. A refresh writes nothing: when a
// contact expires is known here and in usrloc, where a server that died has its successor look.

import { createHash } from 'node:crypto';
import type { Settings } from '../home/config.ts';
import { UNIX_URL } from '../home/database-url.ts';
import { foldSessions, type SessionBegin, type SessionEnd } from '../home/session-journal.ts';
import { type Binding, bindingKey } from '../home/usrloc.ts';
import type { Registered } from '../registrar/register.ts';
import type { KeptLogins, KeptSessions } from '../store/host.ts';
import { NO_FILE } from '../store/store.ts';
import type { Log } from './log.ts';
import type { Service } from './service.ts';
import { createSessionJournal } from './session-journal.ts';
import type { User } from './users.ts';

/** When sessions are looked at; in milliseconds and octets. */
export interface SessionTiming {
  /** From one look at what expired to the next. */
  readonly sweepMs: number;
  /** What could not be written or looked at is tried again after so long. */
  readonly retryMs: number;
  /** Each user with sessions is asked about so often: whether he still may. */
  readonly admissionMs: number;
  /** The journal is begun anew when it has grown to this, and to twice what it began with. */
  readonly journalBytes: number;
}

const defaultTiming: SessionTiming = {
  sweepMs: 2000,
  retryMs: 60_000,
  admissionMs: 50_000,
  journalBytes: 1024 * 1024,
};

/** Users looked at together, in a few milliseconds. */
const LOOKS_AT_ONCE = 16;
/** How long the last words of a server that stops wait for the journal. */
const LAST_WAIT_MS = 200;

/** What outlives a reload; `current` is the service as it is now. */
export interface SessionParts {
  readonly file: KeptSessions;
  /** Undefined: the host is told nothing. */
  readonly logins: KeptLogins | undefined;
  readonly log: Log;
  readonly current: () => Service | undefined;
  readonly timing?: Partial<SessionTiming> | undefined;
}

/** The sessions of a server. */
export interface Sessions {
  /** Takes over what the journal says was open when the server before ended: to be awaited before anything else. */
  takeOver(): Promise<void>;
  /** Takes in what a REGISTER from that address did. */
  registered(user: User, outcome: Registered, address: string): void;
  /** Takes in what was read from his usrloc: what others took away ends. */
  contactsRead(user: User): void;
  /** Begins to look for what expired, and for what became of the sessions that a server before left open. */
  start(): void;
  /** How many are open. */
  size(): number;
  /** Ends them all: the server stops. */
  close(): Promise<void>;
}

interface Open {
  readonly begin: SessionBegin;
  until: number;
  /** False while only the journal of a server before speaks for it. */
  isKnown: boolean;
  isOver: boolean;
  /** Where it stands among those that expire. */
  moment: number;
}

/** Whether the host's log of logins is to say who registers: users of a database are not the host's. */
function isLogged(keywords: Settings | undefined): boolean {
  return keywords?.WriteWtmp === true && keywords.DbUrl === UNIX_URL;
}

/** Makes the sessions of a server. */
export function createSessions(parts: SessionParts): Sessions {
  const { file, logins, log, current } = parts;
  const timing = { ...defaultTiming, ...parts.timing };
  const users = new Map<string, Map<string, Open>>();
  /** The sessions that expire before the end of each `sweepMs`, as it was when they were put there. */
  const expiring = new Map<number, Set<Open>>();
  const journal = createSessionJournal({ file, logins, log, timing, open: openNow });
  let size = 0;
  let sweeping: NodeJS.Timeout | undefined;
  let isLooking = false;
  /** Users to be asked about in this round. */
  let round: string[] = [];
  let isAsking = false;
  let isClosed = false;

  /** What was open when the server before died; what it noted last may not have reached the log of logins. */
  async function takeOver(): Promise<void> {
    const events = await journal.read();
    for (const session of foldSessions(events)) {
      if (session.end === undefined) add({ type: 'in', batch: 0, ...session }, false, 0);
    }
    await journal.tellAgain(events);
  }

  function* openNow(): Iterable<SessionBegin> {
    for (const open of users.values())
      for (const { begin: begun, until } of open.values()) yield { ...begun, until };
  }

  function add(begin: SessionBegin, isKnown: boolean, lookAt: number): void {
    let open = users.get(begin.user);
    if (open === undefined) {
      open = new Map();
      users.set(begin.user, open);
    }
    const session = { begin, until: begin.until, isKnown, isOver: false, moment: 0 };
    open.set(begin.key, session);
    size++;
    expectEnd(session, lookAt);
  }

  function expectEnd(session: Open, at: number): void {
    session.moment = Math.ceil(at / timing.sweepMs);
    const others = expiring.get(session.moment);
    if (others === undefined) expiring.set(session.moment, new Set([session]));
    else others.add(session);
  }

  function begin(user: User, key: string, binding: Binding, address: string, now: number): void {
    const until = binding.expiresAt ?? now;
    const event: SessionBegin = {
      type: 'in',
      line: lineOf(user.name, key),
      at: now,
      user: user.name,
      key,
      contact: binding.uri,
      source: address,
      device: binding.userAgent,
      until,
      pid: process.pid,
      inWtmp: logins?.isKept() === true && isLogged(current()?.keywords),
      batch: journal.batch(),
    };
    add(journal.note(event, event.inWtmp, event.pid), true, until);
  }

  function end(session: Open, at: number, why: SessionEnd): void {
    if (session.isOver) return;
    const { begin: begun } = session;
    session.isOver = true;
    size--;
    const open = users.get(begun.user);
    open?.delete(begun.key);
    if (open?.size === 0) users.delete(begun.user);
    expiring.get(session.moment)?.delete(session);
    const within = Math.max(begun.at, Math.min(at, Date.now()));
    journal.note(
      { type: 'out', line: begun.line, at: within, why, batch: journal.batch() },
      begun.inWtmp,
      begun.pid,
    );
  }

  function registered(user: User, outcome: Registered, address: string): void {
    if (isClosed) return;
    const { meanings, removed, lines } = outcome;
    const now = Date.now();
    let written = 0;
    let open = users.get(user.name);
    for (const binding of meanings) {
      if (binding === undefined) continue;
      written++;
      const key = bindingKey(binding);
      const session = open?.get(key);
      // Of one that a server before left, the journal knows the first expiry only: it may have been live all along.
      if (session !== undefined && (session.until > now || !session.isKnown)) {
        session.until = binding.expiresAt ?? now;
        session.isKnown = true;
        continue;
      }
      if (session !== undefined) end(session, session.until, 'expired');
      begin(user, key, binding, address, now);
      open = users.get(user.name);
    }
    for (const binding of removed) {
      const session = users.get(user.name)?.get(bindingKey(binding));
      if (session !== undefined) end(session, now, 'unregistered');
    }
    // The contact goes on under another key.
    if (written + removed.length < lines.length) contactsRead(user);
  }

  function contactsRead(user: User): void {
    const open = users.get(user.name);
    if (open === undefined || isClosed) return;
    const bindings = new Map(user.contacts.bindings.map((binding) => [bindingKey(binding), binding]));
    for (const [key, session] of [...open]) {
      const binding = bindings.get(key);
      if (binding !== undefined) {
        session.until = binding.expiresAt ?? Number.MAX_SAFE_INTEGER;
        session.isKnown = true;
        continue;
      }
      const removal = user.contacts.removals.find((each) => each.key === key);
      const at = removal === undefined || removal.at < session.begin.at ? Date.now() : removal.at;
      if (session.until < at) end(session, session.until, 'expired');
      else end(session, at, 'removed');
    }
  }

  function sweep(): void {
    const now = Date.now();
    const moment = Math.floor(now / timing.sweepMs);
    const unknown: Open[] = [];
    for (const [at, sessions] of expiring) {
      if (at > moment) continue;
      expiring.delete(at);
      for (const session of sessions) {
        if (session.isOver) continue;
        if (!session.isKnown) unknown.push(session);
        else if (session.until > now) expectEnd(session, session.until);
        else end(session, session.until, 'expired');
      }
    }
    askAboutSome().catch((error: Error) => log('error', 'internal-error', { why: error.stack }));
    if (unknown.length === 0) return;
    if (isLooking) for (const session of unknown) expectEnd(session, now + timing.sweepMs);
    else
      lookFor(unknown)
        .catch((error: Error) => log('error', 'internal-error', { why: error.stack }))
        .finally(() => {
          isLooking = false;
        });
  }

  /** Asks about the next of those who have sessions: whoever lost his account, his group or PAM's leave is out within a round. */
  async function askAboutSome(): Promise<void> {
    const service = current();
    if (service === undefined || isAsking) return;
    if (round.length === 0) round = [...users.keys()];
    const share = Math.ceil((users.size * timing.sweepMs) / timing.admissionMs);
    isAsking = true;
    try {
      const names = round.splice(0, share);
      while (names.length > 0 && !isClosed)
        await Promise.all(names.splice(0, LOOKS_AT_ONCE).map((name) => askAbout(service, name)));
    } finally {
      isAsking = false;
    }
  }

  async function askAbout(service: Service, name: string): Promise<void> {
    const [first] = users.get(name)?.values() ?? [];
    if (first === undefined) return;
    const [account] = await service.store.run(name, [{ type: 'account', peerAddress: first.begin.source }]);
    if (account?.type === 'refused' && !isClosed) shutOut(service, name, account.why);
  }

  /** He is not reached any more. His file stays as it is: what is his again tomorrow is read again then. */
  function shutOut(service: Service, name: string, why: string): void {
    log('notice', 'shut-out', { user: name, why });
    const now = Date.now();
    for (const session of [...(users.get(name)?.values() ?? [])]) end(session, now, 'refused');
    const user = service.users.claimed(name);
    service.users.contactsLoaded(user, { type: 'text', text: undefined, version: NO_FILE });
    service.keepalive.observe(user);
  }

  /** Has the contacts of those read that a server before left open. */
  async function lookFor(unknown: readonly Open[]): Promise<void> {
    isLooking = true;
    const names = [...new Set(unknown.map(({ begin: { user } }) => user))];
    while (names.length > 0 && !isClosed) await Promise.all(names.splice(0, LOOKS_AT_ONCE).map(look));
    const now = Date.now();
    for (const session of unknown)
      if (!session.isOver) expectEnd(session, session.isKnown ? session.until : now + timing.retryMs);
  }

  async function look(name: string): Promise<void> {
    const service = current();
    if (service === undefined) return;
    const user = service.users.claimed(name);
    const [account, contacts] = await service.store.run(name, [
      { type: 'account', peerAddress: '' },
      { type: 'loadContacts', known: undefined },
    ]);
    if (isClosed) return;
    if (account?.type === 'admitted') service.users.admitted(user, account);
    if (contacts?.type === 'text') service.users.contactsLoaded(user, contacts);
    else if (account?.type === 'refused')
      for (const session of [...(users.get(name)?.values() ?? [])]) end(session, session.until, 'refused');
  }

  return {
    takeOver,
    registered,
    contactsRead,
    start() {
      sweeping = setInterval(sweep, timing.sweepMs).unref();
      sweep();
    },
    size: () => size,
    async close() {
      if (sweeping !== undefined) clearInterval(sweeping);
      const now = Date.now();
      for (const open of [...users.values()]) for (const session of [...open.values()]) endLast(session, now);
      isClosed = true;
      await journal.flush(LAST_WAIT_MS);
    },
  };

  /** One that nobody looked at since a server before died stays open for the next. */
  function endLast(session: Open, now: number): void {
    if (!session.isKnown) return;
    if (session.until < now) end(session, session.until, 'expired');
    else end(session, now, 'stopped');
  }
}

/** `sip/` and 48 bits that are the same for this contact always: `last` has a column of 12. */
function lineOf(user: string, key: string): string {
  return `sip/${createHash('sha256').update(`${user}\0${key}`, 'latin1').digest('base64url').slice(0, 8)}`;
}
