// ~/.sr/config for the tools: read, and edited in one step, as its user (DESIGN §2). Root may own it (StrictModes).

import type { Account } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import { CONFIG } from './home-files.ts';
import { editUserFile, readUserFile, type UserFile } from './user-file.ts';

/** Where an account's settings are. */
export function configPath(account: Account): string {
  return `${account.home}/.sr/config`;
}

/** Reads an account's settings as octets; undefined if it has none. */
export function readUserConfig(account: Account, strictModes = true): string | undefined | Trouble {
  return readUserFile(account, configFile(strictModes));
}

/** Edits them under the lock and makes what is missing; answers whether anything changed. */
export function editUserConfig(
  account: Account,
  edit: (content: string) => string,
  strictModes = true,
): boolean | Trouble {
  return editUserFile(account, configFile(strictModes), true, edit);
}

function configFile(strictModes: boolean): UserFile {
  return { name: 'config', rules: CONFIG, strictModes };
}
