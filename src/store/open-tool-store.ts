// Where the tools find what is an account's: as the server's settings say.

import { findAccount, listAccounts } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import { appendContacts, contactsPath, readContacts } from './contacts-file.ts';
import { credentialsPath, editCredentials, readCredentials } from './credentials-file.ts';
import type { ServerSettings } from './server-settings.ts';
import type { ToolStore } from './tool-store.ts';

/** Opens the store of a server's accounts. A Trouble says why that can't be. */
export async function openToolStore(settings: ServerSettings): Promise<ToolStore | Trouble> {
  if (settings.database === undefined) return unixToolStore(settings.strictModes);
  const { openSqlToolStore } = await import('./sql/tool-store.ts');
  return openSqlToolStore(settings, settings.database);
}

/** Of the accounts of NSS. */
function unixToolStore(strictModes: boolean): ToolStore {
  return {
    isUnix: true,
    placeOf: (account, what) => (what === 'passwd' ? credentialsPath : contactsPath)(account),
    find: findAccount,
    list: async () => listAccounts(),
    listRegistered: async () => listAccounts(),
    credentials: async (account) => readCredentials(account, strictModes),
    editCredentials: async (account, edit, create) => editCredentials(account, edit, { strictModes, create }),
    contacts: async (account) => readContacts(account, strictModes),
    appendContacts: async (account, decide, create) =>
      appendContacts(account, decide, { strictModes, create }),
    close() {},
  };
}
