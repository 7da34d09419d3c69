// A gateway for tests: a phone at an address of its own that asks who we are before it does anything.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Algorithm } from '../../src/digest/hash.ts';
import { createRegistrar } from '../agent/responder.ts';
import { type Incoming, Phone } from './phone.ts';
import { statusOf, type TestServer } from './running-server.ts';

/** What the gateway knows us by. */
export const secret = 'gat:eway "secret"';

/** How it asks. */
export interface GatewayOptions {
  readonly address?: string;
  readonly algorithms?: readonly Algorithm[];
  readonly status?: 401 | 407;
  readonly staleNonces?: number;
}

/** One gateway. */
export class TestGateway extends Phone {
  /** The statuses of its challenges so far. */
  readonly challenges: number[] = [];
  readonly #registrar: ReturnType<typeof createRegistrar>;

  private constructor(agent: Phone['agent'], options: GatewayOptions) {
    super(agent, 'gateway');
    const { algorithms = ['SHA-256', 'MD5'], status = 407, staleNonces = 0 } = options;
    this.#registrar = createRegistrar({ password: secret, algorithms, status, staleNonces });
  }

  /** One at 127.0.0.2 unless told. */
  static async open(server: TestServer, options: GatewayOptions = {}): Promise<TestGateway> {
    return new TestGateway(await server.agent('udp', options.address ?? '127.0.0.2'), options);
  }

  /** The lines of its block, `lines` behind Address. */
  block(name: string, ...lines: string[]): string[] {
    const { address, port } = this.agent.local;
    return [`Gateway ${name}`, `Address ${address}:${port}`, ...lines];
  }

  /** The next request of a method with the right credentials; others are challenged. */
  async authenticated(method: string): Promise<Incoming> {
    for (;;) {
      const incoming = await this.next(method);
      for await (const answer of this.#registrar.behave(incoming.octets)) {
        if (statusOf(String(answer)) === 200) return incoming;
        this.challenges.push(statusOf(String(answer)));
        await this.agent.sendRaw(String(answer));
      }
    }
  }
}

/** Writes a file for Credentials; its path. */
export function writeCredentials(server: TestServer, content = `trunk:example.org:${secret}\n`): string {
  const directory = join(server.home, 'gateways');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'provider');
  writeFileSync(path, content, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}
