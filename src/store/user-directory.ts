// Whether an account's ~/.sr is fit for use, found out as its user and by the rules of every other access (DESIGN §5).

import { asUser } from '../unix/as-user.ts';
import { type Account, groupIdsOf } from '../unix/nss.ts';
import type { Trouble } from '../unix/trouble.ts';
import { closeUserDirectory, openUserDirectory } from '../unix/trusted-directory.ts';

/** Opens ~/.sr and closes it; what is wrong with it, with its home or the way there. */
export function troubleWithDirectory(account: Account, strictModes: boolean): Trouble | undefined {
  const identity = { uid: account.uid, gid: account.gid, groups: groupIdsOf(account) };
  return asUser(identity, () => {
    const directory = openUserDirectory(account, { strictModes, create: false });
    if (directory.type === 'trouble') return directory;
    closeUserDirectory(directory);
    return undefined;
  });
}
