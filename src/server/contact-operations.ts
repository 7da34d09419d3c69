// How contacts are read and written through the store, so that a decision holds for the file it was made on alone.

import { type Binding, foldLines } from '../home/usrloc.ts';
import type { Operation, Version } from '../store/store.ts';
import type { User } from './users.ts';

/** Loads his contacts unless they are as last seen. */
export function loadContacts(user: User): Operation {
  return { type: 'loadContacts', known: user.contactsVersion };
}

/** The lines go to the contacts as they were when it was decided, and to no others. */
export function appending(user: User, lines: readonly string[]): Operation {
  const after = user.contactsVersion as Version;
  return { type: 'appendContacts', lines, after, isTorn: user.contacts.torn !== undefined };
}

/** Takes in what was written; `meanings` as in `foldLines`. */
export function contactsAppended(
  user: User,
  lines: readonly string[],
  meanings: readonly (Binding | undefined)[],
  version: Version,
): void {
  user.contacts = foldLines(user.contacts, lines, meanings);
  user.contactsVersion = version;
}
