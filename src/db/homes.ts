// What a table needs of the accounts of the host, wherever that is done. Texts are octets.

import type { Credential } from '../home/passwd.ts';

/** Files of ~/.sr that tables are made of. */
export type HomeFile = 'passwd' | 'usrloc' | 'config' | 'acct';

/** A file as it was read. */
export interface HomeText {
  /** Undefined: there is none. */
  readonly content: string | undefined;
  /** Equal versions mean equal content. */
  readonly version: string;
}

/** The accounts that may use SIP. What cannot be done rejects with a SqlError. */
export interface Homes {
  /** Their names. */
  users(): Promise<readonly string[]>;
  /** Undefined: nobody of that name may use SIP. */
  read(user: string, file: HomeFile): Promise<HomeText | undefined>;
  /** The names of the account's UNIX groups. */
  groups(user: string): Promise<readonly string[]>;
  /** Appends whole lines. */
  append(user: string, file: 'usrloc' | 'acct', lines: readonly string[]): Promise<void>;
  /** Puts a content in the place of one of that version; false: it has another by now. */
  replace(user: string, file: 'config' | 'usrloc', content: string, after: string): Promise<boolean>;
  /** Takes credentials away by `keyOfLine`, then puts others in, or in the place of those of their key. */
  setCredentials(user: string, set: readonly Credential[], remove: readonly string[]): Promise<void>;
  /** The lines of calls that are not over; none where there are none. */
  readOpen(): Promise<string[]>;
  appendOpen(line: string): Promise<void>;
  replaceOpen(lines: readonly string[]): Promise<void>;
}
