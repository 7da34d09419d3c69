// What a server and its keeper say to each other (DESIGN §5), a line each. The keeper takes the server's lines for an
// attacker's (keeper/requests.ts).
//
// Server to keeper:
//   run ID USER JSON       operations on an account's files; USER as encodeURIComponent has it
//   ask ID JSON            a `Question`
//   tell JSON              one of `Told`
// Keeper to server:
//   ID JSON                what was answered
//   tell JSON              one of `Ordered`

import type { InheritedSocket } from '../unix/inherited-sockets.ts';
import type { LoginRecord } from '../unix/wtmp.ts';
import type { SettingsText } from './server-settings.ts';

/** Files that the server has the keeper keep. */
export type KeptName = 'truth' | 'calls' | 'sessions';

/** What the server asks, besides operations on accounts. */
export type Question =
  | { readonly type: 'read'; readonly file: KeptName }
  | { readonly type: 'tail'; readonly file: KeptName; readonly bytes: number }
  /** `waitMs`: how long it waits for the lock of the sessions' directory. */
  | { readonly type: 'append'; readonly file: KeptName; readonly text: string; readonly waitMs: number }
  | { readonly type: 'replace'; readonly file: KeptName; readonly text: string }
  | { readonly type: 'logins'; readonly records: readonly LoginRecord[] }
  /** Of the gateway of that name. */
  | { readonly type: 'credentials'; readonly gateway: string }
  /** Answers the faults of the configuration; with any of them nothing changes. */
  | { readonly type: 'reload' };

/** What the server says of itself: it serves, it could not begin, it lives, it is to stop, it has stopped. */
export type Told =
  | { readonly type: 'ready'; readonly status: string }
  | { readonly type: 'fault'; readonly why: string }
  | { readonly type: 'alive' }
  | { readonly type: 'stop' };

/** What the keeper orders. */
export type Ordered =
  | {
      readonly type: 'start';
      readonly settings: SettingsText;
      /** KeyFile's, in hexadecimal digits. */
      readonly key: string;
      /** Descriptors of sockets that are bound, as they are in the server. */
      readonly sockets: readonly InheritedSocket[];
      /** The control socket's, which listens. */
      readonly controlFd: number;
      /** The log of logins. */
      readonly wtmp: string;
      /** How often the server is to say that it is alive, in milliseconds; undefined: nobody asks. */
      readonly aliveMs: number | undefined;
    }
  | { readonly type: 'reload'; readonly settings: SettingsText }
  /** For the log: nothing changed. */
  | { readonly type: 'reload-refused'; readonly faults: readonly string[] }
  /** Said once more, it is to wait for nothing. */
  | { readonly type: 'stop' }
  /** For the log: a fault of a user's file. */
  | { readonly type: 'fault'; readonly text: string }
  /** A descriptor was passed: the socket of a worker in homes. */
  | { readonly type: 'worker' }
  /** A user's home does not answer: he is served apart, by the keeper. Without a name a worker was lost, and that is all. */
  | { readonly type: 'stalled'; readonly user: string; readonly why: string }
  | { readonly type: 'well'; readonly user: string };
