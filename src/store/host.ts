// All that a server asks of its host (DESIGN §5): by itself where it serves its own account, else by its keeper.

import type { Fault } from '../home/fault.ts';
import type { Gateway } from '../home/gateway.ts';
import type { GatewayCredentials } from '../home/gateway-credentials.ts';
import type { Unwritten } from '../unix/login-log.ts';
import type { Trouble } from '../unix/trouble.ts';
import type { LoginRecord } from '../unix/wtmp.ts';
import type { ServerSettings } from './server-settings.ts';
import type { Store } from './store.ts';

/** A file that the server alone writes; octets in and out. A Trouble says why something was not done; nothing rejects. */
export interface KeptFile {
  /** For messages. */
  readonly path: string;
  /** Undefined: there is none. */
  read(): Promise<string | undefined | Trouble>;
  /** The last octets, at most so many; none where there is no file. */
  tail(bytes: number): Promise<string | Trouble>;
  /** Appends whole lines in one write(2), or none of them. */
  append(text: string): Promise<Trouble | undefined>;
  /** Puts a file of this content in its place. */
  replace(content: string): Promise<Trouble | undefined>;
}

/** The journal of sessions, as `SessionFile` has it. */
export interface KeptSessions {
  readonly path: string;
  read(): Promise<string | undefined | Trouble>;
  append(text: string, waitMs: number): Promise<Trouble | undefined>;
  renew(content: string): Promise<Trouble | undefined>;
}

/** The host's log of logins. */
export interface KeptLogins {
  /** Whether the host keeps one at the moment. */
  isKept(): boolean;
  /** Appends records, all or none of them; answers why not, and which of them may be written by another attempt. */
  write(records: readonly LoginRecord[]): Promise<Unwritten | undefined>;
  /** Those of the records that are not at its end: a crash came between. */
  missing(records: readonly LoginRecord[]): LoginRecord[];
}

/** A server's host. */
export interface Host {
  /** Opens the store for these settings; what was opened before goes on until it is closed. */
  openStore(settings: ServerSettings, onFault: (text: string) => void): Store;
  /** Root's copy of all calls; undefined: there is none. */
  readonly truth: KeptFile | undefined;
  /** Calls that are not over. */
  readonly calls: KeptFile;
  readonly sessions: KeptSessions;
  /** Undefined: the host is told nothing. */
  readonly logins: KeptLogins | undefined;
  /** The credentials of a gateway as their file has them now. */
  credentialsOf(gateway: Gateway & { readonly credentials: string }): Promise<GatewayCredentials | Fault>;
  /** Whether more is asked about homes than gets done. */
  isBehind(): boolean;
  close(): void;
}
