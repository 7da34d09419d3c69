// An alias through other aliases to the users, numbers and URIs it stands for, whatever the file says: bounded. Pure.

import { lowerCase } from '../message/octets.ts';
import { shown } from './lines.ts';

/** How far an expansion goes. */
export interface ExpansionLimits {
  readonly targets: number;
  /** Aliases on the way to a target, the first included. */
  readonly depth: number;
}

const LIMITS: ExpansionLimits = { targets: 50, depth: 10 };

/** The final targets of a name. */
export interface Expansion {
  /** In the order written, each once; empty where all of it is a loop. */
  readonly targets: readonly string[];
  /** The first thing that was left out and why, for the log; undefined: nothing. */
  readonly leftOut: string | undefined;
}

/**
 * Expands a name, without case, through other aliases to final targets; undefined where it is no alias. In its own
 * entry a name is the user: `jan: jan, eva` calls both. Each alias is expanded once.
 */
export function expandAlias(
  entries: ReadonlyMap<string, readonly string[]>,
  name: string,
  limits: ExpansionLimits = LIMITS,
): Expansion | undefined {
  const first = lowerCase(name);
  if (!entries.has(first)) return undefined;
  const targets = new Set<string>();
  const begun = new Set<string>();
  let leftOut: string | undefined;
  const leaveOut = (target: string, why: string) => {
    leftOut ??= `${shown(target)}: ${why}`;
  };
  const visit = (alias: string, way: readonly string[]): void => {
    begun.add(alias);
    const deeper = [...way, alias];
    for (const target of entries.get(alias) ?? []) {
      const next = lowerCase(target);
      if (next === alias || !entries.has(next)) {
        if (targets.size < limits.targets) targets.add(target);
        else if (!targets.has(target)) leaveOut(target, `more than ${limits.targets} targets`);
      } else if (deeper.includes(next)) leaveOut(target, `a loop by way of ${shown(alias)}`);
      else if (deeper.length >= limits.depth) leaveOut(target, `more than ${limits.depth} aliases deep`);
      else if (!begun.has(next)) visit(next, deeper);
    }
  };
  visit(first, []);
  return { targets: [...targets], leftOut };
}
