// What the files of ~/.sr must be to be used, for server and tools alike (DESIGN §2, §5 StrictModes).

import type { FileRules } from '../unix/trusted-file.ts';

/** Digest credentials: nobody else's to read. */
export const PASSWD: FileRules = { owners: 'user', private: true, maxBytes: 64 * 1024 };
/** Registered contacts. */
export const USRLOC: FileRules = { owners: 'user', private: false, maxBytes: 1024 * 1024 };
/** The user's settings, which root may have written for him. */
export const CONFIG: FileRules = { owners: 'user-or-root', private: false, maxBytes: 64 * 1024 };
/** Calls, read in pieces. They grow until somebody cuts them: the disk and the user's quota are the bound. */
export const ACCT: FileRules = { owners: 'user', private: false, maxBytes: Number.MAX_SAFE_INTEGER };

/** The most lines that the server reads of a user's file, for everybody else waits meanwhile. */
export const MAX_LINES = 5000;
