// What the phones of this folder have in common: how one is set up, and what it says of its registration.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one types into a phone. */
export interface Line {
  readonly user: string;
  readonly password: string;
  /** The domain of its address: a name, or the bare IP of the server. */
  readonly domain: string;
  /** Where the server listens. */
  readonly address: '127.0.0.1' | '::1';
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
}

/** What the phone tells its user. */
export type Outcome = 'registered' | 'refused';

/** A phone that has registered, or was refused, and is still running. */
export interface Registration {
  readonly outcome: Outcome;
  /** Ends the phone, which takes its contact away if it is one that does; false: it leaves it behind. */
  hangUp(): Promise<boolean>;
}

/** A phone of the host's: sets itself up in an empty home, registers once, and says how it went. */
export type Phone = (line: Line) => Promise<Registration>;

/** A registered phone that answers calls by itself. */
export interface Calling {
  dial(uri: string): void;
  hangUp(): void;
  established(): Promise<unknown>;
  ended(): Promise<unknown>;
  /** What it heard so far, a WAV file; empty before a call. */
  heard(): Buffer;
  stop(): Promise<void>;
}

/** A phone of the host's that plays a tone of `hz` into its calls. */
export type CallingPhone = (line: Line, hz: number) => Promise<Calling>;

/** An address as it stands in a URI. */
export function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** An empty home for a phone, and how to remove it. */
export function phoneHome(): { home: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'phone-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}
