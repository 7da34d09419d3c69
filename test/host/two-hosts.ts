// Two network namespaces with a cable between them: in one a server, in the other whoever sends to it from addresses that are
// not the server's own. Needs root.

import { Background, type BackgroundOptions } from './background.ts';

/** The programs that it takes. */
export const twoHostsNeeds = ['root', 'unshare', 'nsenter', 'ip'] as const;

/** Longer than any test. */
const LIFE_SECONDS = 600;

/** The network; `stop` it at the end. */
export class TwoHosts {
  readonly #far: Background;
  readonly #servers: readonly string[];
  readonly #others: readonly string[];

  private constructor(far: Background, servers: readonly string[], others: readonly string[]) {
    this.#far = far;
    this.#servers = servers;
    this.#others = others;
  }

  /** Makes the far host. `servers` are the server's addresses, `others` those of the far host. */
  static async make(servers: readonly string[], others: readonly string[]): Promise<TwoHosts> {
    const script = `ip link set lo up && echo up && exec sleep ${LIFE_SECONDS}`;
    const far = new Background(['unshare', '--net', 'sh', '-c', script]);
    await far.match(/^up$/m);
    return new TwoHosts(far, servers, others);
  }

  /** Starts the server's command in a namespace of its own, and lays the cable first; once for each network. */
  serve(argv: readonly string[], options: BackgroundOptions = {}): Background {
    const far = `nsenter -t ${this.#far.pid} -n`;
    const steps = [
      'ip link set lo up',
      `ip link add sr0 type veth peer name sr0 netns ${this.#far.pid}`,
      ...['ip link set sr0 up', `${far} ip link set sr0 up`],
      ...this.#servers.map(addAddress),
      ...this.#others.map((address) => `${far} ${addAddress(address)}`),
      ...this.#servers.map((address) => `${far} ip route add ${address} dev sr0`),
      ...this.#others.map((address) => `ip route add ${address} dev sr0`),
      'exec "$@"',
    ];
    return new Background(['unshare', '--net', 'sh', '-c', steps.join(' && '), 'sh', ...argv], options);
  }

  /** Starts a command on the far host. */
  far(argv: readonly string[]): Background {
    return new Background(['nsenter', '-t', `${this.#far.pid}`, '-n', ...argv]);
  }

  async stop(): Promise<void> {
    await this.#far.stop('SIGKILL');
  }
}

function addAddress(address: string): string {
  return `ip addr add ${address} dev sr0${address.includes(':') ? ' nodad' : ''}`;
}
