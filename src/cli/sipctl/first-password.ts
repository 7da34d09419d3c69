// The first SIP password of an account that serves itself: made once where there is none, and returned to be shown.

import type { Fault } from '../../home/fault.ts';
import { parsePasswd, setCredentials } from '../../home/passwd.ts';
import { toOctets } from '../../message/octets.ts';
import { credentialsPath, editCredentials } from '../../store/credentials-file.ts';
import type { Account } from '../../unix/nss.ts';
import { credentialOfPassword } from '../sippasswd/credential.ts';
import { generatePassword } from '../sippasswd/generate.ts';

/** Makes a password for the realm if the account has none; undefined: it has one. A fault says what is in the way. */
export function firstPassword(account: Account, realm: string): string | undefined | Fault {
  const path = credentialsPath(account);
  const password = generatePassword();
  let made: string | undefined;
  const edited = editCredentials(account, (content) => {
    const { credentials } = parsePasswd(content, { path, owner: toOctets(account.name) });
    if (credentials.some((credential) => credential.realm === realm)) return content;
    made = password;
    const key = { user: toOctets(account.name), realm, did: '_default' };
    const today = new Date().toISOString().slice(0, 10);
    return setCredentials(content, [credentialOfPassword(key, password, 'ha1', today)]);
  });
  if (typeof edited !== 'object') return made;
  const mend = edited.mend === undefined ? '' : `: ${edited.mend}`;
  return { path: edited.path, line: 0, text: `${edited.why}${mend}` };
}
