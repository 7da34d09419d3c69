// What the keeper of a database server (`sipctl db serve`) tells it first: plain values.

/** What may be done, and what is served; octet strings. */
export interface DatabaseRules {
  readonly realm: string;
  readonly domains: readonly string[];
  /** DbReadHashes. */
  readonly readsHashes: boolean;
  /** DbWrite: passwd and config too. */
  readonly writes: boolean;
}

/** Who may come in. */
export interface DatabaseAccess {
  /** Accounts that need no password on a UNIX socket. */
  readonly peerUids: readonly number[];
  /** The user that may come in with a password. */
  readonly user: string | undefined;
}

/** All of it; octets in base64. */
export interface DatabaseStart {
  readonly rules: DatabaseRules;
  readonly access: DatabaseAccess;
  readonly verifier:
    | {
        readonly salt: string;
        readonly iterations: number;
        readonly storedKey: string;
        readonly serverKey: string;
      }
    | undefined;
}
