// One party of a call, played by sipp on a port of its own: it registers if it has an account, then follows its steps.

import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';
import { phoneHome, uriHost } from './phone.ts';
import { registration, type Step, scenario } from './sipp-steps.ts';

export interface PartyOptions {
  /** Whose phone it is; its password is `secret`. */
  readonly user?: string;
  /** The server's, or a neighbour's. */
  readonly port: number;
  readonly address?: '127.0.0.1' | '::1';
  /** Where it sends to; its own address unless told. */
  readonly server?: string;
  readonly transport?: 'udp' | 'tcp';
  /** Where it listens itself; a free one unless told. */
  readonly localPort?: number;
  /** Of the call it makes; sipp's own unless told. */
  readonly callId?: string;
}

/** A party that follows its steps. */
export interface Playing {
  /** What it sent and received so far, as sipp writes it. */
  messages(): string;
  /** Waits for its last step; fails with its trace when one was not met. */
  end(): Promise<void>;
  /** Gives the cue that its step `awaitsCue` of the call waits for. */
  cue(callId: string): Promise<void>;
  /** Ends it without a word. */
  die(): Promise<void>;
  remove(): void;
}

/** A phone, or a neighbour. */
export class Party {
  readonly localPort: number;
  readonly #options: PartyOptions;
  readonly #home = phoneHome();

  private constructor(localPort: number, options: PartyOptions) {
    this.localPort = localPort;
    this.#options = options;
  }

  static async create(options: PartyOptions): Promise<Party> {
    return new Party(options.localPort ?? (await freePort()), options);
  }

  /** A registered phone. */
  static async registered(options: PartyOptions & { user: string }, parameters = ''): Promise<Party> {
    const party = await Party.create(options);
    await finished(party.#sipp(registration(options.user, parameters)));
    return party;
  }

  /** Starts its steps; it listens when this resolves. */
  async plays(...steps: readonly Step[]): Promise<Playing> {
    const sipp = this.#sipp(steps, ['-trace_err', '-trace_msg']);
    await listens(this.localPort);
    return {
      messages: () => this.#trace('messages'),
      end: async () => {
        try {
          await finished(sipp);
        } catch (error) {
          throw new Error(
            `${(error as Error).message}\n${this.#trace('errors')}\n${this.#trace('messages')}`,
          );
        }
      },
      cue: (callId) => sendCue(this.localPort, callId),
      die: async () => {
        await sipp.stop('SIGKILL');
      },
      remove: this.#home.remove,
    };
  }

  #sipp(steps: readonly Step[], traces: readonly string[] = []): Background {
    const {
      user = 'nobody',
      address = '127.0.0.1',
      port,
      transport = 'udp',
      server = address,
      callId,
    } = this.#options;
    const file = join(this.#home.home, 'steps.xml');
    writeFileSync(file, scenario(steps));
    const peer = [`${uriHost(server)}:${port}`, '-t', transport === 'udp' ? 'u1' : 't1'];
    const local = ['-i', address, '-p', `${this.localPort}`];
    const digest = ['-au', user, '-ap', 'secret', '-auth_uri', realm];
    const call = callId === undefined ? [] : ['-cid_str', callId];
    const bounds = ['-m', '1', '-nostdin', '-timeout', '12', '-timeout_error'];
    const argv = ['sipp', ...peer, ...local, '-sf', file, ...digest, ...call, ...bounds, ...traces];
    return new Background(argv, { cwd: this.#home.home });
  }

  /** The end of what the last sipp wrote of its errors or messages. */
  #trace(of: 'errors' | 'messages'): string {
    const { home } = this.#home;
    const names = readdirSync(home).filter((name) => name.endsWith(`_${of}.log`));
    return names.map((name) => readFileSync(join(home, name), 'latin1').slice(-12_000)).join('');
  }
}

let cues = 0;

/** Sends sipp a request of a call from elsewhere, which changes nothing in it but the step. */
async function sendCue(port: number, callId: string): Promise<void> {
  const lines = [
    `INFO sip:cue@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKcue${++cues}`,
    'From: <sip:cue@127.0.0.1>;tag=cue',
    `To: <sip:cue@127.0.0.1:${port}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${cues} INFO`,
    'Content-Length: 0',
    '\r\n',
  ];
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) =>
    socket.send(lines.join('\r\n'), port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
  );
  socket.close();
}

async function finished(sipp: Background): Promise<void> {
  const status = await sipp.end(30_000);
  if (status !== 0) throw new Error(`sipp ended with ${status}:\n${sipp.output.slice(-600)}`);
}

/** Waits until a UDP port of this host is bound. */
async function listens(port: number): Promise<void> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const deadline = Date.now() + 5000;
  const isBound = () =>
    ['udp', 'udp6', 'tcp', 'tcp6'].some((name) => readFileSync(`/proc/net/${name}`, 'latin1').includes(hex));
  while (!isBound()) {
    if (Date.now() > deadline) throw new Error(`sipp does not listen on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
