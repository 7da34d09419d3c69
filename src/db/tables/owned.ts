// Tables whose rows are made of one file of each user.

import type { HomeFile, Homes, HomeText } from '../homes.ts';
import type { Row } from '../table.ts';

/** Users that are asked about at once. */
const AT_ONCE = 100;
/** How often a change is decided anew where somebody else changed the file meanwhile. */
export const MOST_DECISIONS = 5;

/** Rows of users, as `rowsOf` makes them of their file; those of nobody are none. */
export async function rowsOfUsers(
  homes: Homes,
  users: readonly string[] | undefined,
  file: HomeFile,
  rowsOf: (user: string, text: HomeText) => readonly Row[],
): Promise<Row[]> {
  return ofEach(users ?? (await homes.users()), async (user) => {
    const text = await homes.read(user, file);
    return text === undefined ? [] : rowsOf(user, text);
  });
}

/** Asks about users, many at once, as each answer is a while on its way; in their order. */
export async function ofEach<T>(
  users: readonly string[],
  ask: (user: string) => Promise<readonly T[]>,
): Promise<T[]> {
  const each = [...new Set(users)];
  const found: T[] = [];
  for (let at = 0; at < each.length; at += AT_ONCE)
    found.push(...(await Promise.all(each.slice(at, at + AT_ONCE).map(ask))).flat());
  return found;
}

/** Rows by whose they are. */
export function byOwner<T>(items: readonly T[], ownerOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const owner = ownerOf(item);
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [item]);
    else group.push(item);
  }
  return groups;
}
