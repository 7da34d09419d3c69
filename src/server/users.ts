// What the server knows of each user's files: contacts and settings as parsed from the versions last seen.
// An index only: the files are the truth, and a version that differs is read again.

import { type ParsedConfig, parseConfig } from '../home/config.ts';
import type { Fault } from '../home/fault.ts';
import { foldLines, parseUsrloc, type UsrlocFold } from '../home/usrloc.ts';
import type { Answer, Version } from '../store/store.ts';

/** One user as last seen. */
export interface User {
  readonly name: string;
  /** Where his files are, for fault lines; empty until the store has said. */
  home: string;
  contactsVersion: Version;
  contacts: UsrlocFold;
  /** Lines sent to the store and not answered yet: they hold over whatever is read meanwhile. */
  pending: readonly (readonly string[])[];
  configVersion: Version;
  config: ParsedConfig;
  /** True while the file is being rewritten. */
  isCompacting: boolean;
}

/** The users asked for since the start, the least recently used dropped beyond `max`. */
export interface Users {
  /** A user who only claims to be one: known already, or made up and not remembered. */
  claimed(name: string): User;
  /** Remembers a user who proved to be one; answers the one to go on with. */
  proved(user: User): User;
  /** Takes in what a load of contacts answered. */
  contactsLoaded(user: User, answer: Answer): void;
  configLoaded(user: User, answer: Answer): void;
  /** Holds lines as written before the store says so; `written` settles them. */
  writing(user: User, lines: readonly string[]): void;
  /** False: the store could not write them, and they never held. */
  written(user: User, lines: readonly string[], answer: Answer): boolean;
  size(): number;
}

const NO_CONTACTS = parseUsrloc('', '');
const NO_CONFIG = parseConfig('', { path: '', scope: 'user' });

function newUser(name: string): User {
  return {
    name,
    home: '',
    contactsVersion: undefined,
    contacts: NO_CONTACTS,
    pending: [],
    configVersion: undefined,
    config: NO_CONFIG,
    isCompacting: false,
  };
}

/** Starts with nobody: a user costs nothing until he is asked for. */
export function createUsers(max: number, onFault: (fault: Fault) => void): Users {
  const users = new Map<string, User>();

  function proved(user: User): User {
    const known = users.get(user.name) ?? user;
    users.delete(user.name);
    users.set(user.name, known);
    if (users.size > max) dropOldest();
    return known;
  }

  function dropOldest(): void {
    for (const [name, user] of users) {
      if (user.pending.length > 0 || user.isCompacting) continue;
      users.delete(name);
      return;
    }
  }

  return {
    claimed: (name) => users.get(name) ?? newUser(name),
    proved,
    size: () => users.size,
    contactsLoaded(user, answer) {
      if (answer.type !== 'text') return;
      const fold =
        answer.text === undefined ? NO_CONTACTS : parseUsrloc(answer.text, `${user.home}/.sr/usrloc`);
      for (const fault of fold.faults) onFault(fault);
      user.contactsVersion = answer.version;
      user.contacts = user.pending.reduce((so, lines) => foldLines(so, lines), fold);
    },
    configLoaded(user, answer) {
      if (answer.type !== 'text') return;
      const path = `${user.home}/.sr/config`;
      user.config = answer.text === undefined ? NO_CONFIG : parseConfig(answer.text, { path, scope: 'user' });
      for (const fault of user.config.faults) onFault(fault);
      user.configVersion = answer.version;
    },
    writing(user, lines) {
      user.pending = [...user.pending, lines];
      user.contacts = foldLines(user.contacts, lines);
    },
    written(user, lines, answer) {
      user.pending = user.pending.filter((other) => other !== lines);
      const isWritten = answer.type === 'written';
      // Somebody else wrote in between, or nothing was written: what the file holds now is to be read.
      const follows = isWritten && answer.before === user.contactsVersion;
      user.contactsVersion = follows ? answer.version : undefined;
      return isWritten;
    },
  };
}
