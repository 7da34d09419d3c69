// Who a uid is to the control socket (DESIGN §6): root and the server's own account may all, and on a host's server the
// members of group sipadmin.

import type { Caller } from '../control/dispatch.ts';
import { type Account, findAccountByUid, findGroup, groupIdsOf } from '../unix/nss.ts';

const ADMINISTRATORS = 'sipadmin';

/** Looks a uid up. Throws NssError. */
export function callerOf(uid: number, own: Account | undefined): Caller {
  if (own !== undefined && own.uid === uid) return { uid, name: own.name, isAdministrator: true };
  const account = findAccountByUid(uid);
  const isAdministrator =
    uid === 0 ||
    uid === process.geteuid?.() ||
    (own === undefined && account !== undefined && isMember(account));
  return { uid, name: account?.name, isAdministrator };
}

function isMember(account: Account): boolean {
  const group = findGroup(ADMINISTRATORS);
  return group !== undefined && groupIdsOf(account).includes(group.gid);
}
