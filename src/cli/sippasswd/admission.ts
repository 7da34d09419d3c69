// Whether the server will let an account register at all: a password alone does not, and whoever sets one is told so.

import { refusalOf } from '../../store/access.ts';
import type { ServerSettings } from '../../store/server-settings.ts';
import { type Account, findGroupName, groupExists, groupIdsOf } from '../../unix/nss.ts';
import { isRoot } from './target.ts';

/**
 * Says which rule of the host keeps an account out, and the command that mends it; undefined if none does. An ordinary
 * user on a host without a server of root's is served by his own, which needs no group.
 */
export function admissionWarning(account: Account, { access, path }: ServerSettings): string | undefined {
  const [group] = access.allowGroups;
  const exists = group === undefined || groupExists(group);
  if (!isRoot() && path === undefined && !exists) return undefined;
  const groups = groupIdsOf(account).map((gid) => findGroupName(gid) ?? String(gid));
  const why = refusalOf(account, groups, access);
  if (why === undefined) return undefined;
  const first = exists ? '' : `; there is no group ${group} yet: groupadd ${group}`;
  return `${account.name} can not register yet: ${why}${first}`;
}
