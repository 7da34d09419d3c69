// The store over UNIX accounts: /etc/passwd and /etc/group through NSS, ~/.sr as its user, /etc/sr/shadow (DESIGN §2, §5).
// One request is one change of identity; everything inside it is synchronous. The requests of one turn of the event loop
// are served together, at its end.

import { setTimeout as delay } from 'node:timers/promises';
import { type Credential, parsePasswd } from '../home/passwd.ts';
import { toOctets } from '../message/octets.ts';
import { appendLines } from '../unix/append-file.ts';
import { asEachUser, type Errand } from '../unix/as-user.ts';
import { tryLock, unlock } from '../unix/lock.ts';
import type { Account } from '../unix/nss.ts';
import { readTail } from '../unix/read-tail.ts';
import { replaceFile } from '../unix/replace-file.ts';
import {
  closeUserDirectory,
  openUserDirectory,
  type Trouble,
  type UserDirectory,
} from '../unix/trusted-directory.ts';
import { type FileRules, type FileVersion, fileVersion, readFile } from '../unix/trusted-file.ts';
import type { AccessRules } from './access.ts';
import { createAccounts, type Looked } from './accounts.ts';
import { ACCT, CONFIG, MAX_LINES, PASSWD, USRLOC } from './home-files.ts';
import {
  type Answer,
  type DigestFields,
  NO_FILE,
  type Operation,
  type Store,
  type Version,
  whole,
} from './store.ts';
import { type VerifyRules, verifyDigest } from './verify.ts';

/** What the store must know of the server's configuration. */
export interface UnixStoreSettings {
  readonly verify: VerifyRules;
  readonly access: AccessRules;
  readonly strictModes: boolean;
  readonly syncUsrloc: boolean;
  /** The only account served (`--own`); undefined: every account the rules admit. */
  readonly own: Account | undefined;
  /** Faults of users' files, for the log; called at most once per version of a file. */
  readonly onFault: (text: string) => void;
  /** Called before anything of a user is looked at: what comes next may take as long as his home or NSS does. */
  readonly onServe?: (user: string) => void;
}

/**
 * Every wrong password takes this much of the processor, more than the longest check of one does: a request sent right
 * behind it would otherwise be served sooner where the name is no account (DESIGN §4.2).
 */
const FAILURE_MS = 0.6;
/** How long a request waits for another holder of ~/.sr/.lock before it fails. */
const LOCK_WAIT_MS = 200;
const LOCK_RETRY_MS = 10;
/** How many requests of one user wait at once. */
const MAX_QUEUE = 16;
/** Users whose parsed credentials are kept. */
const MAX_CACHED = 20_000;
/** The largest line and write that is accepted, in octets. */
const MAX_LINE = 4096;
/** How far back in acct a record may be that was written before. */
const REPEATED_WITHIN = 256 * 1024;
const CONTROL = /[\x00-\x1f\x7f]/;
const NOT_WHOLE = 'not whole printable lines of at most 4 KiB';

/** One request on its way. */
interface StoreRequest {
  readonly user: string;
  readonly operations: readonly Operation[];
  readonly answers: Answer[];
  /** How long it waits for a lock (performance.now()). */
  readonly deadlineMs: number;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
  /** What `groups` answers, where it is asked. */
  groups: Answer | undefined;
}

interface CachedCredentials {
  readonly version: FileVersion;
  readonly credentials: readonly Credential[];
}

/** Opens the store. Nothing is scanned: an account costs nothing until it is asked for. */
export function createUnixStore(settings: UnixStoreSettings): Store {
  const accounts = createAccounts(settings.access, settings.own, settings.onFault);
  const cache = new Map<string, CachedCredentials>();
  /** Requests that wait for a user's lock; whoever comes later waits behind them. */
  const queues = new Map<string, StoreRequest[]>();
  /** Requests of this turn of the event loop, which are served together: many users in one go. */
  let turn: StoreRequest[] = [];

  function run(user: string, operations: readonly Operation[]): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + LOCK_WAIT_MS;
      const request = { user, operations, answers: [], deadlineMs, resolve, reject, groups: undefined };
      if (turn.length === 0) queueMicrotask(serveTurn);
      turn.push(request);
    });
  }

  function serveTurn(): void {
    const requests = turn;
    turn = [];
    serve(requests, waitForLock);
  }

  /** Serves requests, each as its user; `onBusy` gets those whose lock is another's, to be tried again. */
  function serve(
    requests: readonly StoreRequest[],
    onBusy: (request: StoreRequest, busy: Trouble) => void,
  ): void {
    accounts.notice();
    const errands: Errand[] = [];
    const served: StoreRequest[] = [];
    // When the work on the request at hand began, its change of identity included.
    let beganMs = performance.now();
    const tookSince = () => {
      const nowMs = performance.now();
      const tookMs = nowMs - beganMs;
      beganMs = nowMs;
      return tookMs;
    };
    for (const request of requests) {
      const looked = lookAt(request);
      const lookedMs = tookSince();
      if (looked === undefined) {
        evenOut(request, lookedMs);
        tookSince();
        continue;
      }
      served.push(request);
      const run = () => {
        attempt(request, looked, onBusy);
        evenOut(request, lookedMs + tookSince());
        tookSince();
      };
      errands.push({ identity: looked.identity, run });
    }
    for (const [index, thrown] of asEachUser(errands).entries())
      if (thrown !== undefined) served[index]?.reject(thrown.error);
  }

  /** The account a request is for; undefined when that alone answered it. */
  function lookAt(request: StoreRequest): Looked | undefined {
    const { user, operations, answers } = request;
    let looked: Looked | undefined;
    settings.onServe?.(user);
    try {
      looked = accounts.look(user);
    } catch (error) {
      answers.push({ type: 'failed', why: (error as Error).message });
      finish(request);
      return undefined;
    }
    if (looked !== undefined && !looked.isLocked) {
      // NSS is asked as ourselves.
      if (operations.some(({ type }) => type === 'groups')) request.groups = groupsOf(looked.account);
      return looked;
    }
    const why = looked === undefined ? 'no such user' : 'locked in /etc/sr/shadow';
    for (const operation of operations.slice(answers.length)) answers.push(nobody(operation, why));
    const refusal = answers.findIndex(isRefusal);
    if (refusal >= 0) answers.length = refusal + 1;
    finish(request);
    return undefined;
  }

  /** Puts a request behind those of its user that wait for a lock. */
  function waitForLock(request: StoreRequest): void {
    const queue = queues.get(request.user);
    if (queue === undefined) {
      queues.set(request.user, [request]);
      void drain(request.user);
    } else if (queue.length < MAX_QUEUE) queue.push(request);
    else {
      request.answers.push({ type: 'failed', why: 'too many requests of this user wait for ~/.sr/.lock' });
      finish(request);
    }
  }

  /** Serves those who wait for a user's lock, in the order they came. */
  async function drain(user: string): Promise<void> {
    const queue = queues.get(user) as StoreRequest[];
    await delay(LOCK_RETRY_MS);
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      let busy: Trouble | undefined;
      serve([next], (_, trouble) => {
        busy = trouble;
      });
      if (busy !== undefined && performance.now() < next.deadlineMs) {
        await delay(LOCK_RETRY_MS);
        continue;
      }
      if (busy !== undefined) {
        next.answers.push({ type: 'failed', why: describe(busy) });
        finish(next);
      }
      queue.shift();
    }
    queues.delete(user);
  }

  /** Runs what has no answer yet. */
  function attempt(
    request: StoreRequest,
    { account, admission }: Looked,
    onBusy: (request: StoreRequest, busy: Trouble) => void,
  ): void {
    const { user, operations, answers } = request;
    const queue = queues.get(user);
    if (queue !== undefined && queue[0] !== request) {
      waitForLock(request);
      return;
    }
    settings.onServe?.(user);
    const opened = openUserDirectory(account, { strictModes: settings.strictModes, create: false });
    try {
      for (let index = answers.length; index < operations.length; index++) {
        const operation = operations[index] as Operation;
        // What was to be written was decided on what a load has just found to be otherwise.
        if (operation.type === 'appendContacts' && answers.some(({ type }) => type === 'text')) break;
        const answer =
          operation.type === 'account'
            ? admission
            : operation.type === 'groups'
              ? (request.groups as Answer)
              : perform(account, opened, operation);
        if (answer.type === 'trouble') {
          onBusy(request, answer);
          return;
        }
        answers.push(answer);
        if (isRefusal(answer)) break;
      }
      finish(request);
    } finally {
      if (!isTrouble(opened)) closeUserDirectory(opened);
    }
  }

  function groupsOf(account: Account): Answer {
    try {
      return { type: 'groups', names: accounts.groupNamesOf(account) };
    } catch (error) {
      return { type: 'failed', why: (error as Error).message };
    }
  }

  /** What an operation on nobody answers, in the time and words of a known user's. */
  function nobody(operation: Operation, why: string): Answer {
    if (operation.type === 'account') return { type: 'refused', why };
    if (operation.type !== 'verify') return { type: 'failed', why };
    verifyDigest(undefined, operation.credentials, settings.verify);
    return { type: 'no', why };
  }

  function perform(
    account: Account,
    opened: UserDirectory | Trouble,
    operation: Exclude<Operation, { type: 'account' | 'groups' }>,
  ): Answer | Trouble {
    if (isTrouble(opened)) return withoutDirectory(opened, operation);
    switch (operation.type) {
      case 'verify':
        return verify(account, opened, operation.credentials);
      case 'loadConfig':
        return load(opened, 'config', CONFIG, operation.known);
      case 'loadContacts':
        return load(opened, 'usrloc', USRLOC, operation.known);
      case 'appendContacts':
        return append(opened, operation);
      case 'compactContacts':
        return compact(opened, operation.content, operation.after);
      case 'appendCall':
        return appendCall(opened, operation);
    }
  }

  function withoutDirectory(trouble: Trouble, operation: Operation): Answer {
    if (trouble.kind === 'temporary') return { type: 'failed', why: describe(trouble) };
    if (operation.type === 'verify') {
      verifyDigest(undefined, operation.credentials, settings.verify);
      return { type: 'no', why: describe(trouble) };
    }
    if (trouble.kind === 'missing' && (operation.type === 'loadConfig' || operation.type === 'loadContacts'))
      return { type: 'text', text: undefined, version: NO_FILE };
    // A home that is gone may come back; an account without ~/.sr keeps no calls.
    if (operation.type === 'appendCall' && trouble.kind === 'missing' && trouble.path.endsWith('/.sr'))
      return { type: 'skipped' };
    return { type: 'failed', why: describe(trouble) };
  }

  function verify(account: Account, directory: UserDirectory, digest: DigestFields): Answer {
    const version = fileVersion(directory, 'passwd', PASSWD);
    if (isTrouble(version)) return withoutDirectory(version, { type: 'verify', credentials: digest });
    let entry = cache.get(account.name);
    if (entry === undefined || entry.version !== version) {
      const file = readFile(directory, 'passwd', PASSWD);
      if (isTrouble(file)) return withoutDirectory(file, { type: 'verify', credentials: digest });
      const path = `${account.home}/.sr/passwd`;
      const parsed = parsePasswd(file?.content ?? '', { path, owner: toOctets(account.name) });
      for (const fault of parsed.faults) settings.onFault(`${fault.path}:${fault.line}: ${fault.text}`);
      entry = { version: file?.version, credentials: parsed.credentials };
      remember(account.name, entry);
    }
    return verifyDigest(entry.credentials, digest, settings.verify);
  }

  function remember(name: string, entry: CachedCredentials): void {
    if (cache.size >= MAX_CACHED && !cache.has(name)) {
      const oldest = cache.keys().next();
      if (!oldest.done) cache.delete(oldest.value);
    }
    cache.set(name, entry);
  }

  function load(
    directory: UserDirectory,
    name: string,
    rules: FileRules,
    known: Version | undefined,
  ): Answer {
    if (known !== undefined) {
      const version = fileVersion(directory, name, rules);
      if (isTrouble(version)) return { type: 'failed', why: describe(version) };
      if ((version ?? NO_FILE) === known) return { type: 'unchanged' };
    }
    const file = readFile(directory, name, rules);
    if (file === undefined) return { type: 'text', text: undefined, version: NO_FILE };
    if (isTrouble(file)) return { type: 'failed', why: describe(file) };
    if (hasTooManyLines(file.content))
      return { type: 'failed', why: `${directory.path}/${name}: has more than ${MAX_LINES} lines` };
    return { type: 'text', text: file.content, version: file.version ?? NO_FILE };
  }

  function append(
    directory: UserDirectory,
    { lines, after, isTorn }: Operation & { type: 'appendContacts' },
  ): Answer | Trouble {
    const text = wholeLines(lines);
    if (text === undefined) return { type: 'failed', why: NOT_WHOLE };
    return locked(directory, () =>
      appendLines(directory, 'usrloc', text, {
        sync: settings.syncUsrloc,
        rules: USRLOC,
        expected: after === NO_FILE ? undefined : after,
        isTorn,
      }),
    );
  }

  function compact(directory: UserDirectory, content: string, after: Version): Answer | Trouble {
    return locked(directory, () => {
      const written = replaceFile(directory, 'usrloc', content, {
        mode: 0o600,
        sync: settings.syncUsrloc,
        expected: after,
      });
      return isTrouble(written) && written.kind === 'busy' ? 'changed' : written;
    });
  }

  function appendCall(
    directory: UserDirectory,
    { lines, isRepeated }: Operation & { type: 'appendCall' },
  ): Answer | Trouble {
    const text = wholeLines(lines);
    if (text === undefined) return { type: 'failed', why: NOT_WHOLE };
    return locked(directory, () => {
      const tail = isRepeated ? readTail(directory, 'acct', ACCT, REPEATED_WITHIN) : '';
      if (isTrouble(tail)) return tail;
      const missing = tail === '' ? text : wholeLines(lines.filter((line) => !tail.includes(`${line}\n`)));
      if (missing === undefined || missing === '') return { version: undefined };
      return appendLines(directory, 'acct', missing, { sync: false, rules: ACCT });
    });
  }

  return {
    run,
    close() {
      cache.clear();
      accounts.close();
    },
  };
}

function locked(
  directory: UserDirectory,
  write: () => { version: FileVersion } | 'changed' | Trouble,
): Answer | Trouble {
  const lock = tryLock(directory);
  if (isTrouble(lock)) return lock.kind === 'busy' ? lock : { type: 'failed', why: describe(lock) };
  try {
    const written = write();
    if (written === 'changed') return { type: 'changed' };
    if (isTrouble(written)) return { type: 'failed', why: describe(written) };
    return { type: 'written', version: written.version ?? NO_FILE };
  } finally {
    unlock(lock);
  }
}

/** Lets a failed verification last as long as any other: it took `tookMs` so far. */
function evenOut({ answers }: StoreRequest, tookMs: number): void {
  if (answers[0]?.type !== 'no') return;
  const untilMs = performance.now() + FAILURE_MS - tookMs;
  while (performance.now() < untilMs);
}

/** Joins lines to what one write(2) appends; undefined when a line is torn, too long or holds a control octet. */
function wholeLines(lines: readonly string[]): string | undefined {
  let text = '';
  for (const line of lines) {
    if (line.length === 0 || line.length > MAX_LINE || CONTROL.test(line)) return undefined;
    text += `${line}\n`;
  }
  return text;
}

function hasTooManyLines(content: string): boolean {
  let lines = 0;
  for (let at = content.indexOf('\n'); at >= 0 && lines <= MAX_LINES; at = content.indexOf('\n', at + 1))
    lines++;
  return lines > MAX_LINES;
}

function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'trouble';
}

function describe(trouble: Trouble): string {
  const mend = trouble.mend === undefined ? '' : `: ${trouble.mend}`;
  return `${trouble.path}: ${trouble.why}${mend}`;
}

function isRefusal(answer: Answer): boolean {
  return answer.type === 'no' || answer.type === 'refused' || answer.type === 'failed';
}

function finish({ answers, operations, resolve }: StoreRequest): void {
  resolve(whole(answers, operations));
}
