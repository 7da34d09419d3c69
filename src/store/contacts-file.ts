// ~/.sr/usrloc for the tools: read, and appended to under its lock, as its user (DESIGN §2). Never rewritten here.

import { parseUsrloc, type UsrlocFold } from '../home/usrloc.ts';
import type { Account } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import { USRLOC } from './home-files.ts';
import { appendUserFile, readUserFile, troubleWithUserFile, type UserFile } from './user-file.ts';

/** Contacts and the octets they were read from. */
export interface ContactsFile {
  readonly content: string;
  readonly fold: UsrlocFold;
}

/** Where an account's contacts are. */
export function contactsPath(account: Account): string {
  return `${account.home}/.sr/usrloc`;
}

/** Reads an account's contacts; none where there is no file. */
export function readContacts(account: Account, strictModes = true): ContactsFile | Trouble {
  const content = readUserFile(account, usrlocFile(strictModes));
  if (typeof content === 'object') return content;
  return { content: content ?? '', fold: parseUsrloc(content ?? '', contactsPath(account)) };
}

/** Appends the lines that `decide` makes of the contacts there are, and answers them; makes ~/.sr with `create`. */
export function appendContacts(
  account: Account,
  decide: (fold: UsrlocFold) => readonly string[],
  { strictModes = true, create = false }: { strictModes?: boolean; create?: boolean } = {},
): readonly string[] | Trouble {
  return appendUserFile(account, usrlocFile(strictModes), { create, sync: true }, (content) =>
    decide(parseUsrloc(content, contactsPath(account))),
  );
}

/** What would keep a registration from being written. */
export function troubleWithContacts(account: Account, strictModes: boolean): Trouble | undefined {
  return troubleWithUserFile(account, usrlocFile(strictModes));
}

function usrlocFile(strictModes: boolean): UserFile {
  return { name: 'usrloc', rules: USRLOC, strictModes };
}
