// Our built programs as root or an ordinary account runs them, and the real server, stopped by its process id.

import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Account, asAccount } from './accounts.ts';
import { Background } from './background.ts';
import { freePort } from './free-port.ts';
import type { PrivateHost } from './private-host.ts';

const bin = resolve(import.meta.dirname, '../../bin');

/** Who runs one of our programs, and in which host: root in the real one unless told. */
export interface RunAs {
  readonly account?: Account | undefined;
  /** Where root's programs find /etc/sr and the server's state. */
  readonly host?: PrivateHost | undefined;
  /** Of Node, before the program. */
  readonly nodeOptions?: readonly string[] | undefined;
  /** TZ; the host's zone unless told. */
  readonly zone?: string | undefined;
}

/** The command that runs one of our built programs. */
export function command(
  name: 'sippasswd' | 'sipctl' | 'sipacct',
  rest: readonly string[],
  as: RunAs = {},
): string[] {
  const argv = [...(as.nodeOptions ?? []), join(bin, `${name}.js`), ...rest];
  const environment = as.zone === undefined ? [] : [`TZ=${as.zone}`];
  const whole = as.account
    ? asAccount(as.account, argv, environment)
    : [...(environment.length === 0 ? [] : ['env', ...environment]), process.execPath, ...argv];
  return as.host?.command(whole) ?? whole;
}

export interface ServerOptions extends RunAs {
  /** Lines of its config besides Listen. */
  readonly config?: readonly string[];
  /** A free one unless told. */
  readonly port?: number;
}

/** A server that listens on UDP and TCP of 127.0.0.1 and ::1. */
export class Server {
  readonly port: number;
  readonly process: Background;
  readonly #directory: string;

  private constructor(port: number, process: Background, directory: string) {
    this.port = port;
    this.process = process;
    this.#directory = directory;
  }

  /** Starts it and waits for its ready line; run by an account it serves that account alone (--own). */
  static async start(options: ServerOptions): Promise<Server> {
    const port = options.port ?? (await freePort());
    const directory = mkdtempSync(join(tmpdir(), 'sr-server-'));
    const file = join(directory, 'config');
    const sockets = ['udp:127.0.0.1', 'tcp:127.0.0.1', 'udp:[::1]', 'tcp:[::1]'];
    const listen = sockets.map((socket) => `Listen ${socket}:${port}`);
    const { account } = options;
    // This host may have no account sr.
    const own = account ? [] : ['ServerUser nobody'];
    writeFileSync(file, `${[...listen, ...own, ...(options.config ?? [])].join('\n')}\n`);
    if (account) for (const path of [directory, file]) chownSync(path, account.uid, account.gid);
    const serve = ['serve', ...(account ? ['--own'] : []), '-f', file];
    const server = new Server(port, new Background(command('sipctl', serve, options)), directory);
    try {
      await server.process.match(/^.*\bevent=ready\b.*$/m);
      return server;
    } catch (error) {
      await server.stop().catch(() => {});
      throw error;
    }
  }

  /** Ends it without a warning (SIGKILL). */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
    rmSync(this.#directory, { recursive: true });
  }

  /** Stops it and waits for its end. */
  async stop(): Promise<void> {
    const status = await this.process.stop();
    rmSync(this.#directory, { recursive: true });
    if (status !== 0)
      throw new Error(`the server ended with ${status}:\n${this.process.output.slice(-4000)}`);
  }
}
