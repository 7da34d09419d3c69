// Where calls are played: real accounts, a server that root runs, and sipp for every party.

import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPasswords } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { Server } from '../host/server.ts';
import { Party, type Playing } from './sipp-party.ts';
import { type CalleeSteps, type CallerSteps, calleeSteps, callerSteps, type Step } from './sipp-steps.ts';

/** One phone that is called, and the steps of its side. */
interface Callee {
  readonly account: Account;
  /** Of its contact. */
  readonly parameters?: string;
  readonly steps: (callee: CalleeSteps) => readonly Step[];
  /** Between the caller and him; 1. */
  readonly proxies?: number;
}

/** The caller, whom he calls, and the steps of his side. */
interface Caller {
  readonly account: Account;
  /** A URI, or an account or name of the realm. */
  readonly to: Account | string;
  readonly steps: (caller: CallerSteps, callee: CalleeSteps) => readonly Step[];
  /** sipp's own unless told. */
  readonly callId?: string;
  /** More header fields of his INVITE, ACK and CANCEL. */
  readonly fields?: readonly string[];
}

/** Accounts jan, eva, ada and max, whose passwords are `secret`, and a server. */
export class CallStage {
  readonly host = new PrivateHost();
  readonly accounts: Readonly<Record<'jan' | 'eva' | 'ada' | 'max', Account>>;
  readonly #all = new Accounts();
  readonly #playing: Playing[] = [];
  #server: Server | undefined;

  constructor() {
    const add = (name: string, groups: readonly string[] = []) => this.#all.add(name, ['sip', ...groups]);
    const jan = add('jan');
    // In jan's group, too.
    this.accounts = { jan, eva: add('eva'), ada: add('ada', [jan.name]), max: add('max') };
    const passwords = Object.values(this.accounts).map(({ name }) => ({ user: name, password: 'secret' }));
    setPasswords(passwords, { host: this.host });
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('there is no server yet');
    return this.#server;
  }

  /** Starts the server; on the port it had, if it had one. */
  async serve(config: readonly string[] = [], nodeOptions: readonly string[] = []): Promise<void> {
    const port = this.#server === undefined ? {} : { port: this.#server.port };
    const own = { host: this.host, config: [`Realm ${realm}`, ...config], nodeOptions };
    this.#server = await Server.start({ ...own, ...port });
  }

  /** Writes `~/.sr/config` or another file there, as its owner would. */
  write(account: Account, file: 'config' | 'usrloc', lines: readonly string[]): void {
    const path = join(account.home, '.sr', file);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    chmodSync(path, 0o600);
    chownSync(path, account.uid, account.gid);
  }

  /** Starts the callees, then the caller. */
  async begin(
    callees: readonly Callee[],
    { account, to, steps, callId, fields = [] }: Caller,
  ): Promise<Playing[]> {
    const { port } = this.server;
    const parties = await Promise.all(
      callees.map(({ account: { name }, parameters }) => Party.registered({ user: name, port }, parameters)),
    );
    const playing = await Promise.all(
      callees.map((callee, index) =>
        (parties[index] as Party).plays(...callee.steps(calleeSteps(callee.account.name, callee.proxies))),
      ),
    );
    const name = typeof to === 'string' ? to : to.name;
    const uri = name.includes(':') ? name : `sip:${name}@${realm}`;
    const caller = callerSteps(account.name, uri, { fields });
    const phone = await Party.create({ user: account.name, port, ...(callId && { callId }) });
    playing.push(await phone.plays(...steps(caller, calleeSteps(account.name))));
    this.#playing.push(...playing);
    return playing;
  }

  /** Plays a call to its end; the parties are the callees in their order and the caller. */
  async play(callees: readonly Callee[], caller: Caller): Promise<Playing[]> {
    const playing = await this.begin(callees, caller);
    await ends(playing);
    return playing;
  }

  /** Somebody elsewhere, reached by his own port; he has no account. `proxies` lie between the caller and him. */
  async neighbour(
    steps: (callee: CalleeSteps) => readonly Step[],
    { proxies, localPort }: { readonly proxies?: number; readonly localPort?: number } = {},
  ): Promise<{ readonly localPort: number; readonly playing: Playing }> {
    const party = await Party.create({ port: this.server.port, ...(localPort && { localPort }) });
    const playing = await party.plays(...steps(calleeSteps('neighbour', proxies)));
    this.#playing.push(playing);
    return { localPort: party.localPort, playing };
  }

  /** Takes contacts and configs away. */
  clear(): void {
    for (const playing of this.#playing.splice(0)) playing.remove();
    for (const { home } of Object.values(this.accounts))
      for (const file of ['config', 'usrloc']) rmSync(join(home, '.sr', file), { force: true });
  }

  async remove(): Promise<void> {
    await this.#server?.stop();
    this.#all.remove();
    this.host.remove();
  }
}

/** Waits for all parties and fails with what each of them missed. */
export async function ends(playing: readonly Playing[]): Promise<void> {
  const ended = await Promise.allSettled(playing.map((one) => one.end()));
  const missed = ended.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
  if (missed.length > 0) throw new Error(missed.join('\n\n'));
}
