// A whole server in this process, run by whoever runs the tests: it serves one account, `jan` unless told, whose home is
// a temporary directory, on a loopback address. No root, nothing of the machine's.

import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialOfPassword, type StoredFormat } from '../../src/cli/sippasswd/credential.ts';
import { parsePasswd, setCredentials } from '../../src/home/passwd.ts';
import { bracketHost } from '../../src/message/host.ts';
import { toOctets } from '../../src/message/octets.ts';
import type { RegistrationTiming } from '../../src/server/gateway-registration.ts';
import type { KeepaliveTiming } from '../../src/server/keepalive.ts';
import type { Log } from '../../src/server/log.ts';
import type { SessionTiming } from '../../src/server/sessions.ts';
import { type RunningServer, startServer } from '../../src/server/start.ts';
import { readServerSettings, type ServerSettings } from '../../src/store/server-settings.ts';
import { asUser } from '../../src/unix/as-user.ts';
import { tryLock, unlock } from '../../src/unix/lock.ts';
import { type Account, groupIdsOf, invokingAccount } from '../../src/unix/nss.ts';
import { closeUserDirectory, openUserDirectory } from '../../src/unix/trusted-directory.ts';
import { type Agent, createAgent, type RegisterOptions, type Registration } from '../agent/agent.ts';
import { freePort } from '../host/free-port.ts';

/** The realm and main domain of every server here. */
export const realm = 'sip.test';
/** The password that `start` sets. */
export const password = 'corr3ct horse: "battery"';

export interface TestServerOptions {
  /** Lines of the configuration besides Listen and Realm. */
  readonly config?: readonly string[];
  /** The name of the only account. */
  readonly user?: string;
  /** Its GECOS field; that of whoever runs the tests. */
  readonly gecos?: string;
  /** Addresses to listen on; 127.0.0.1. */
  readonly addresses?: readonly string[];
  /** How the password is stored. */
  readonly format?: StoredFormat;
  /** When contacts behind NAT are asked for a sign of life. */
  readonly keepalive?: Partial<KeepaliveTiming>;
  /** When a registration at a gateway is tried again. */
  readonly registration?: Partial<RegistrationTiming>;
  /** How often calls whose end nobody says are looked at. */
  readonly sweepMs?: number;
  /** When sessions are looked at. */
  readonly sessions?: Partial<SessionTiming>;
  /** The file of logins it writes; none. */
  readonly wtmp?: string;
}

/** A server, its account and the agents that were opened for it. */
export class TestServer {
  /** The clock of Match time and of calls; undefined: the machine's. */
  nowMs: number | undefined;
  /** By how much it was set. */
  #setMs = 0;
  readonly user: string;
  readonly port: number;
  readonly home = mkdtempSync(join(tmpdir(), 'sr-home-'));
  readonly #log = collectingLog();
  readonly #addresses: readonly string[];
  readonly #account: Account;
  readonly #agents: Agent[] = [];
  readonly #keepalive: Partial<KeepaliveTiming> | undefined;
  readonly #registration: Partial<RegistrationTiming> | undefined;
  readonly #sweepMs: number | undefined;
  readonly #sessions: Partial<SessionTiming> | undefined;
  readonly #wtmp: string | undefined;
  #config: readonly string[];
  #running: RunningServer | undefined;

  private constructor(port: number, options: TestServerOptions) {
    this.port = port;
    this.user = options.user ?? 'jan';
    this.#config = options.config ?? [];
    this.#keepalive = options.keepalive;
    this.#registration = options.registration;
    this.#sweepMs = options.sweepMs;
    this.#sessions = options.sessions;
    this.#wtmp = options.wtmp;
    this.#addresses = options.addresses ?? ['127.0.0.1'];
    const { gecos, ...invoking } = invokingAccount();
    this.#account = { ...invoking, name: this.user, home: this.home, gecos: options.gecos ?? gecos };
    chmodSync(this.home, 0o700);
    mkdirSync(join(this.home, '.sr'), { mode: 0o700 });
    this.setPassword(password, { format: options.format ?? 'ha1' });
  }

  /** Starts one that has a password. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(await freePort(), options);
    await server.#start();
    return server;
  }

  async #start(): Promise<void> {
    const started = await startServer(this.settings(), this.#account, this.#log, {
      timing: this.#keepalive,
      registration: this.#registration,
      sweepMs: this.#sweepMs,
      sessions: this.#sessions,
      wtmp: this.#wtmp,
      now: () => this.nowMs ?? Date.now(),
      steady: () => (this.nowMs ?? Date.now()) - this.#setMs,
    });
    if (started.type !== 'running') throw new Error(started.why);
    this.#running = started;
  }

  /** What it runs with, as `-o` would have it. */
  settings(config = this.#config): ServerSettings {
    const listen = this.#addresses.flatMap((address) =>
      ['udp', 'tcp'].map((transport) => `Listen ${transport}:${bracketHost(address)}:${this.port}`),
    );
    const own = [`Realm ${realm}`, 'LogLevel debug'];
    if (!config.some((line) => line.startsWith('ControlSocket ')))
      own.push(`ControlSocket ${this.controlPath}`);
    const overrides = [...listen, ...own, ...config];
    const { settings, faults } = readServerSettings({ overrides, own: this.#account });
    if (faults.length > 0) throw new Error(JSON.stringify(faults));
    return settings;
  }

  /** Sets the clock: no time passes. */
  setClock(nowMs: number): void {
    this.#setMs += nowMs - (this.nowMs ?? Date.now());
    this.nowMs = nowMs;
  }

  /** As SIGHUP does with a changed configuration. */
  reload(config = this.#config): void {
    this.#config = config;
    this.#running?.reload(this.settings());
  }

  /** Stops it and starts it anew with the same home, key and port. */
  async restart(): Promise<void> {
    await this.#running?.stop();
    await this.#start();
  }

  /** Stops the server; agents and home stay until `stop`. */
  async halt(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** An agent of its own; closed with the server. */
  async agent(transport: 'udp' | 'tcp' = 'udp', localAddress?: string, timeoutMs = 5000): Promise<Agent> {
    const server = { address: this.#addresses[0] as string, port: this.port };
    const agent = await createAgent({ transport, server, localAddress, timeoutMs });
    this.#agents.push(agent);
    return agent;
  }

  /** Registers the account with its password. */
  register(agent: Agent, options: Partial<RegisterOptions> = {}): Promise<Registration> {
    return agent.register({ user: this.user, password, domain: realm, ...options });
  }

  /** Where its control socket is. */
  get controlPath(): string {
    return join(this.home, '.sr', 'control.sock');
  }

  /** Where a file of ~/.sr is. */
  path(name: string): string {
    return join(this.home, '.sr', name);
  }

  /** The content of a file of ~/.sr; empty if there is none. */
  read(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch {
      return '';
    }
  }

  /** Replaces a file of ~/.sr, 0600. */
  write(name: string, content: string): void {
    writeFileSync(this.path(name), content, { mode: 0o600 });
  }

  append(name: string, content: string): void {
    appendFileSync(this.path(name), content);
  }

  /** The whole lines of usrloc. */
  usrloc(): string[] {
    return this.read('usrloc').split('\n').slice(0, -1);
  }

  /** Sets a password as sippasswd does. */
  setPassword(
    text: string,
    { format = 'ha1', did = '_default' }: { format?: StoredFormat; did?: string } = {},
  ): void {
    const key = { user: toOctets(this.user), realm, did };
    const credential = credentialOfPassword(key, toOctets(text), format, '2026-01-01');
    this.write('passwd', setCredentials(this.read('passwd'), [credential]));
  }

  /** Rewrites the fields of the line of passwd. */
  editCredential(change: Partial<ReturnType<typeof parsePasswd>['credentials'][number]>): void {
    const { credentials } = parsePasswd(this.read('passwd'), { path: '', owner: toOctets(this.user) });
    const changed = credentials.map((credential) => ({ ...credential, ...change }));
    this.write('passwd', setCredentials(this.read('passwd'), changed));
  }

  /** Takes ~/.sr/.lock as any other program does; answers how to give it back. */
  takeLock(): () => void {
    const account = this.#account;
    const identity = { uid: account.uid, gid: account.gid, groups: groupIdsOf(account) };
    return asUser(identity, () => {
      const directory = openUserDirectory(account, { strictModes: true, create: false });
      if (directory.type === 'trouble') throw new Error(directory.why);
      const lock = tryLock(directory);
      closeUserDirectory(directory);
      if (lock.type === 'trouble') throw new Error(lock.why);
      return () => unlock(lock);
    });
  }

  /** The lines of the log so far, or those of one event. */
  log(event?: string): string[] {
    const { lines } = this.#log;
    return event === undefined ? lines : lines.filter((line) => line.startsWith(`${event} `));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.close()));
    await this.#running?.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A log that keeps its lines, of every level: `auth-failed user=jan why="wrong password"`. */
function collectingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const log: Log = Object.assign(
    (_level: unknown, event: string, fields: object = {}) => {
      const values = Object.entries(fields).filter(([, value]) => value !== undefined);
      lines.push([event, ...values.map(([key, value]) => `${key}=${value}`)].join(' '));
    },
    { isOn: () => true, setLevel() {}, flush() {} },
  );
  return Object.assign(log, { lines });
}

/**
 * What comes to an agent because of `octets`. An OPTIONS behind them is the end: the server answers it at once, and in
 * order, so that silence is seen without waiting for it.
 */
export async function answersTo(agent: Agent, octets: string): Promise<string[]> {
  await agent.sendRaw(octets);
  return answersBefore(agent);
}

/** What comes to an agent before the answer to an OPTIONS sent now. */
export async function answersBefore(agent: Agent): Promise<string[]> {
  const fence = await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, callId: 'fence' });
  if (fence.status !== 200) throw new Error(`the fence was answered ${fence.octets}`);
  const answers: string[] = [];
  for (;;) {
    const received = await agent.nextMessage(1).catch(() => undefined);
    if (received === undefined) return answers;
    answers.push(received.octets);
  }
}

/** The status of an answer. */
export function statusOf(answer: string): number {
  return Number(/^SIP\/2\.0 (\d{3}) /.exec(answer)?.[1]);
}
