// Which accounts may use SIP at all: MinUid and sshd's order of Deny and Allow rules, through NSS. Pure over its inputs.

import { matchesGlob } from '../home/glob.ts';

/** The keywords MinUid, DenyUsers, AllowUsers, DenyGroups and AllowGroups. Empty lists say nothing. */
export interface AccessRules {
  readonly minUid: number;
  readonly denyUsers: readonly string[];
  readonly allowUsers: readonly string[];
  readonly denyGroups: readonly string[];
  readonly allowGroups: readonly string[];
}

/** Says why an account is refused and by which rule, or undefined. Order as sshd_config(5): users, then groups. */
export function refusalOf(
  account: { readonly name: string; readonly uid: number },
  groups: readonly string[],
  rules: AccessRules,
): string | undefined {
  if (account.uid < rules.minUid) return `uid ${account.uid} is below MinUid ${rules.minUid}`;
  if (matches(account.name, rules.denyUsers)) return `DenyUsers names ${account.name}`;
  if (rules.allowUsers.length > 0 && !matches(account.name, rules.allowUsers))
    return `AllowUsers does not name ${account.name}`;
  const denied = groups.find((group) => matches(group, rules.denyGroups));
  if (denied !== undefined) return `DenyGroups names ${denied}`;
  if (rules.allowGroups.length > 0 && !groups.some((group) => matches(group, rules.allowGroups))) {
    const group = rules.allowGroups[0];
    return `not in AllowGroups ${rules.allowGroups.join(' ')}: gpasswd -a ${account.name} ${group}`;
  }
  return undefined;
}

/** Names and patterns of sshd_config(5): `*` any text, `?` one character. */
function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => pattern === name || matchesGlob(pattern, name));
}
