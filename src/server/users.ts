// What the server knows of each user's files: contacts and settings as parsed from the versions last seen.
// An index only: the files are the truth, and a version that differs is read again.

import { type ParsedConfig, parseConfig } from '../home/config.ts';
import type { Fault } from '../home/fault.ts';
import { parseUsrloc, type UsrlocFold } from '../home/usrloc.ts';
import type { Answer, Version } from '../store/store.ts';

/** One user as last seen; undefined versions were never read. */
export interface User {
  readonly name: string;
  /** Where his files are, for fault lines; empty until the store has said. */
  home: string;
  uid: number;
  /** The name in his account; empty until the store has said. */
  gecos: string;
  contactsVersion: Version | undefined;
  contacts: UsrlocFold;
  configVersion: Version | undefined;
  config: ParsedConfig;
  /** True while the file is being rewritten. */
  isCompacting: boolean;
  /** Settles when the last request that waits for its turn to write his contacts is done, and how many wait. */
  turn: Promise<void>;
  waiting: number;
}

/** The users that proved to be ones since the start, the first of them dropped beyond `max`. */
export interface Users {
  /** A user who only claims to be one: known already, or made up and not remembered. */
  claimed(name: string): User;
  /** Remembers a user who proved to be one; answers the one to go on with. */
  proved(user: User): User;
  /** Takes in who he is. */
  admitted(user: User, account: Answer): void;
  /** Takes in what a load of contacts answered. */
  contactsLoaded(user: User, answer: Answer): void;
  configLoaded(user: User, answer: Answer): void;
  size(): number;
  /** How many contacts of theirs have not expired. */
  countContacts(nowMs: number): number;
}

const NO_CONTACTS = parseUsrloc('', '');
const NO_CONFIG = parseConfig('', { path: '', scope: 'user' });

/** Who is told of what was read. */
export interface UsersEvents {
  onFault(fault: Fault): void;
  /** His contacts were read from his file. */
  onContacts(user: User): void;
}

/** Starts with nobody: a user costs nothing until he is asked for. */
export function createUsers(max: number, { onFault, onContacts }: UsersEvents): Users {
  const users = new Map<string, User>();

  return {
    claimed: (name) => users.get(name) ?? newUser(name),
    proved(user) {
      const known = users.get(user.name);
      if (known !== undefined) return known;
      users.set(user.name, user);
      if (users.size > max) users.delete(users.keys().next().value as string);
      return user;
    },
    admitted(user, account) {
      if (account.type !== 'admitted') return;
      user.home = account.home;
      user.uid = account.uid;
      user.gecos = account.gecos;
    },
    contactsLoaded(user, answer) {
      if (answer.type !== 'text') return;
      const fold =
        answer.text === undefined ? NO_CONTACTS : parseUsrloc(answer.text, `${user.home}/.sr/usrloc`);
      for (const fault of fold.faults) onFault(fault);
      user.contactsVersion = answer.version;
      user.contacts = fold;
      onContacts(user);
    },
    configLoaded(user, answer) {
      if (answer.type !== 'text') return;
      const path = `${user.home}/.sr/config`;
      user.config = answer.text === undefined ? NO_CONFIG : parseConfig(answer.text, { path, scope: 'user' });
      for (const fault of user.config.faults) onFault(fault);
      user.configVersion = answer.version;
    },
    size: () => users.size,
    countContacts(nowMs) {
      let count = 0;
      for (const { contacts } of users.values())
        for (const { expiresAt } of contacts.bindings)
          if (expiresAt === undefined || expiresAt > nowMs) count++;
      return count;
    },
  };
}

function newUser(name: string): User {
  return {
    name,
    home: '',
    uid: -1,
    gecos: '',
    contactsVersion: undefined,
    contacts: NO_CONTACTS,
    configVersion: undefined,
    config: NO_CONFIG,
    isCompacting: false,
    turn: Promise.resolve(),
    waiting: 0,
  };
}
