// What is an account's, for the tools: in its home, or in the database that the host's accounts are in (DESIGN §6, §7).

import { parseUsrloc } from '../home/usrloc.ts';
import type { Account } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import type { ContactsFile } from './contacts-file.ts';

/** Credentials in the grammar of passwd and contacts in that of usrloc, octets, wherever they are. */
export interface ToolStore {
  /** Whether accounts are the host's own. */
  readonly isUnix: boolean;
  /** Where credentials and contacts of an account are, for messages. */
  placeOf(account: Account, what: 'passwd' | 'usrloc'): string;
  /** Undefined: there is no such account. Of a database anyone might be one. */
  find(name: string): Account | undefined;
  /** All accounts that may have credentials. */
  list(): Promise<Account[]>;
  /** All accounts that may have contacts. */
  listRegistered(): Promise<Account[]>;
  /** Undefined: there are none. */
  credentials(account: Account): Promise<string | undefined | Trouble>;
  /** Edits them in one step; answers whether anything changed. */
  editCredentials(
    account: Account,
    edit: (content: string) => string,
    create: boolean,
  ): Promise<boolean | Trouble>;
  contacts(account: Account): Promise<ContactsFile | Trouble>;
  /** Appends the lines that `decide` makes of the contacts there are, and answers them. */
  appendContacts(
    account: Account,
    decide: (contacts: ContactsFile['fold']) => readonly string[],
    create: boolean,
  ): Promise<readonly string[] | Trouble>;
  close(): void;
}

/** Contacts of a text that no file has. */
export function contactsOfText(content: string, place: string): ContactsFile {
  return { content, fold: parseUsrloc(content, place) };
}
