// The one interface to users' files, NSS and account rules (DESIGN §5): serialisable requests, promised answers.
// A backend runs the operations of one request in order, as their user, and stops at the first that refuses.

import type { Algorithm } from '../digest/hash.ts';

/** What a file was when it was looked at: equal versions mean equal content. Opaque, but for a missing file's. */
export type Version = string;

/** The version of a file that is not there. */
export const NO_FILE: Version = '';

/** The fields of an Authorization header field that a digest is made of (RFC 7616 §3.4), as octet strings. */
export interface DigestFields {
  readonly algorithm: Algorithm;
  /** As sent, perhaps with `@domain`. */
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly qop: 'auth' | undefined;
  readonly nc: string | undefined;
  readonly cnonce: string | undefined;
  readonly method: string;
  /** The did asked for, with `UseDid yes`. */
  readonly did: string;
}

export type Operation =
  | { readonly type: 'verify'; readonly credentials: DigestFields }
  | { readonly type: 'account'; readonly peerAddress: string }
  /** The names of the account's UNIX groups. */
  | { readonly type: 'groups' }
  | { readonly type: 'loadConfig'; readonly known: Version | undefined }
  | { readonly type: 'loadContacts'; readonly known: Version | undefined }
  /** Appends lines to the contacts of version `after`, or answers `changed`; skipped when a load found a change. */
  | {
      readonly type: 'appendContacts';
      readonly lines: readonly string[];
      readonly after: Version;
      /** Whether that version ends in a line without its end. */
      readonly isTorn: boolean;
    }
  /** Puts `content` in the place of the contacts of version `after`. */
  | { readonly type: 'compactContacts'; readonly content: string; readonly after: Version }
  /** Appends records of calls to ~/.sr/acct; skipped where the account has no ~/.sr. */
  | {
      readonly type: 'appendCall';
      readonly lines: readonly string[];
      /** They may have been written before: those that are at the end of the file are left out. */
      readonly isRepeated: boolean;
    };

export type Answer =
  /** Verified; `rspauth` for Authentication-Info and what LoadCredentials asks for. */
  | { readonly type: 'yes'; readonly rspauth: string; readonly attributes: Readonly<Record<string, string>> }
  /** Unknown, locked or wrong: one answer for all; `why` is for the log only. */
  | { readonly type: 'no'; readonly why: string }
  /** The account may use SIP. */
  | { readonly type: 'admitted'; readonly uid: number; readonly gecos: string; readonly home: string }
  | { readonly type: 'groups'; readonly names: readonly string[] }
  /** The account may not, or is none; answered 403, with the reason phrase if there is one, of a callee 404. */
  | { readonly type: 'refused'; readonly why: string; readonly reason?: string }
  /** The file as `known` says. */
  | { readonly type: 'unchanged' }
  /** The file's text (undefined: there is none) and its version; faults are about the file as a whole. */
  | { readonly type: 'text'; readonly text: string | undefined; readonly version: Version }
  /** Written; the version it has now. */
  | { readonly type: 'written'; readonly version: Version }
  /** Not written: the file is no longer what the decision was made on. Load and decide again. */
  | { readonly type: 'changed' }
  /** Temporary: home, NSS or lock out of reach, disk full; answered 500 or 503. */
  | { readonly type: 'failed'; readonly why: string }
  /** Not done because of what an earlier operation of the request answered. */
  | { readonly type: 'skipped' };

/** Access to what belongs to accounts. */
export interface Store {
  /** Runs the operations on `user`, in order; resolves to one answer each, and never rejects. */
  run(user: string, operations: readonly Operation[]): Promise<Answer[]>;
  close(): void;
}

/** As many answers as operations: what has none was not done because something before it refused. */
export function whole(answers: Answer[], operations: readonly Operation[]): Answer[] {
  while (answers.length < operations.length) answers.push({ type: 'skipped' });
  return answers;
}
