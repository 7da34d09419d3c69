// Whom a user may call (DESIGN §4.7): AllowForeign and CallingGroup. Pure.

import { type Rejection, reject } from '../auth/rejection.ts';
import { matchesUriGlob } from '../home/glob.ts';
import type { CallingGroup } from '../home/keyword-values.ts';

/** What the server's configuration says of calls that leave it. */
export interface CallingRules {
  readonly allowForeign: boolean;
  readonly groups: readonly CallingGroup[];
}

/** The first line of CallingGroup that has a pattern for a URI says which group may call it; undefined: all may. */
export function groupThatMayCall(rules: CallingRules, uri: string): string | undefined {
  return rules.groups.find(({ patterns }) => patterns.some((pattern) => matchesUriGlob(pattern, uri)))?.group;
}

/**
 * Why a user may not call what is not ours, or undefined. `isGateway`: it leaves through one, which AllowForeign does not
 * concern. `groups` are his UNIX groups, asked for where a line needs them.
 */
export function refuseForeignCall(
  rules: CallingRules,
  user: string,
  uri: string,
  isGateway: boolean,
  groups: readonly string[],
): Rejection | undefined {
  if (!rules.allowForeign && !isGateway) return reject(403, `AllowForeign no: ${user} calls ${uri}`);
  const group = groupThatMayCall(rules, uri);
  if (group === undefined || groups.includes(group)) return undefined;
  return reject(403, `CallingGroup ${group}: ${user} calls ${uri}: gpasswd -a ${user} ${group}`);
}
