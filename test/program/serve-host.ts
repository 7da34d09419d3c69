// sipctl serve as a user of a ToolHost starts it, and an agent to talk to it.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import type { ToolHost, User } from './tool-host.ts';

/** The realm of every server here. */
export const realm = 'sip.test';

/** A server that runs, its log apart from what it shows. */
export class Served {
  readonly port: number;
  /** Its standard output, and nothing else. */
  readonly shown: Background;
  readonly #directory: string;
  readonly #agents: Agent[] = [];

  private constructor(port: number, shown: Background, directory: string) {
    this.port = port;
    this.shown = shown;
    this.#directory = directory;
  }

  /**
   * Starts one on 127.0.0.1 with these words behind `serve`, and waits until it is ready. `before` is a command of the
   * shell that is run in its mount namespace first.
   */
  static async start(
    host: ToolHost,
    as: User | 'root',
    words: readonly string[] = [],
    port?: number,
    before?: string,
  ): Promise<Served> {
    const at = port ?? (await freePort());
    const directory = mkdtempSync(join(tmpdir(), 'sr-serve-'));
    const argv = host.command(as, 'sipctl', ['serve', ...listenOn(at), '-o', `Realm=${realm}`, ...words]);
    if (before !== undefined)
      argv.splice(argv.indexOf('--') + 1, 0, 'sh', '-c', `${before}; exec "$@"`, 'sh');
    const logged = ['sh', '-c', 'exec "$@" 2>"$0"', join(directory, 'log'), ...argv];
    const served = new Served(at, new Background(logged, { env: host.environment() }), directory);
    try {
      await served.logged(/ event=ready /);
      return served;
    } catch (error) {
      await served.stop().catch(() => {});
      throw error;
    }
  }

  /** Its standard error. */
  log(): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8');
  }

  /** Waits for something in the log. */
  async logged(pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // Asked before the log is read: what it wrote last is in it then.
      const mayWrite = this.shown.isRunning && Date.now() <= deadline;
      const found = pattern.exec(this.#read());
      if (found !== null) return found[0];
      if (!mayWrite) throw new Error(`no ${pattern} in the log:\n${this.#read()}${this.shown.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async agent(): Promise<Agent> {
    const agent = await createAgent({ transport: 'udp', server: { address: '127.0.0.1', port: this.port } });
    this.#agents.push(agent);
    return agent;
  }

  /** The status that a registration of `user` ends with. */
  async register(user: string, password: string): Promise<number> {
    const agent = await this.agent();
    return (await agent.register({ user, password, domain: realm })).status;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.shown.pid, name);
  }

  /** Stops it; answers the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    await Promise.all(this.#agents.map((agent) => agent.close()));
    const status = await this.shown.stop(signal);
    rmSync(this.#directory, { recursive: true, force: true });
    return status;
  }

  #read(): string {
    try {
      return this.log();
    } catch {
      return '';
    }
  }
}

/** The words that make it listen on UDP and TCP of 127.0.0.1 and nowhere else. */
export function listenOn(port: number): string[] {
  return ['-o', `Listen=udp:127.0.0.1:${port}`, '-o', `Listen=tcp:127.0.0.1:${port}`];
}
