// ~/.sr/passwd for the tools: read, and edited in one step, as its user (DESIGN §2).

import type { Account } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import { PASSWD } from './home-files.ts';
import { editUserFile, readUserFile, type UserFile } from './user-file.ts';

/** Where an account's credentials are. */
export function credentialsPath(account: Account): string {
  return `${account.home}/.sr/passwd`;
}

/** Reads an account's credentials as octets; undefined if it has none. */
export function readCredentials(account: Account, strictModes = true): string | undefined | Trouble {
  return readUserFile(account, passwdFile(strictModes));
}

/** Edits them under the lock and makes what is missing; answers whether anything changed. */
export function editCredentials(
  account: Account,
  edit: (content: string) => string,
  { strictModes = true, create = true }: { strictModes?: boolean; create?: boolean } = {},
): boolean | Trouble {
  return editUserFile(account, passwdFile(strictModes), create, edit);
}

function passwdFile(strictModes: boolean): UserFile {
  return { name: 'passwd', rules: PASSWD, strictModes };
}
