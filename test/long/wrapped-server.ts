// The built server over the accounts of a wrapped host, on one port for all its lives: started, killed, started again.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';
import { withMounts } from '../host/private-host.ts';
import { isRoot, type WrappedHost } from './wrapped-host.ts';

export interface WrappedServerOptions {
  /** `--own`: the invoking account alone. */
  readonly own: boolean;
  /** Lines of its config besides Listen, Realm, KeyFile and WriteWtmp. */
  readonly config?: readonly string[];
  readonly nodeOptions?: readonly string[];
}

/** A server that listens on UDP and TCP of 127.0.0.1; `start` it first. */
export class WrappedServer {
  readonly port: number;
  readonly #argv: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  #process: Background | undefined;

  private constructor(port: number, argv: readonly string[], environment: NodeJS.ProcessEnv) {
    this.port = port;
    this.#argv = argv;
    this.#environment = environment;
  }

  /** Chooses its port and writes its config. */
  static async prepare(host: WrappedHost, options: WrappedServerOptions): Promise<WrappedServer> {
    const port = await freePort();
    const file = join(host.directory, 'config');
    const state = join(host.directory, 'state');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const listen = [`Listen udp:127.0.0.1:${port}`, `Listen tcp:127.0.0.1:${port}`];
    const own = [
      `Realm ${realm}`,
      `KeyFile ${join(state, 'key')}`,
      `ControlSocket ${join(state, 'control')}`,
      'WriteWtmp no',
    ];
    writeFileSync(file, `${[...listen, ...own, ...(options.config ?? [])].join('\n')}\n`);
    const serve = ['serve', ...(options.own ? ['--own'] : []), '-f', file];
    const argv = host.command('sipctl', serve, options.nodeOptions);
    // Root's server writes calls to /var/log/sr.
    return new WrappedServer(port, isRoot ? withMounts([[state, '/var/log']], argv) : argv, host.environment);
  }

  /** The process that runs, or ran last. */
  get process(): Background {
    if (this.#process === undefined) throw new Error('the server was never started');
    return this.#process;
  }

  /** Starts it and waits for its ready line; resolves to how many milliseconds that took. */
  async start(): Promise<number> {
    const began = performance.now();
    this.#process = new Background(this.#argv, { env: this.#environment });
    await this.#process.match(/\bevent=ready\b/, 30_000);
    return performance.now() - began;
  }

  /** Ends it by SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** Resolves when it has ended, because one of its processes was killed. */
  async ended(): Promise<void> {
    await this.process.end();
  }

  /** Stops it, if it runs, as an administrator does; it must end well. */
  async stop(): Promise<void> {
    const status = await this.#process?.stop();
    if (status !== undefined && status !== 0 && status !== 'SIGKILL')
      throw new Error(`the server ended with ${status}:\n${this.process.output.slice(-4000)}`);
  }
}
