// Tables whose rows are made of one file of each user.

import type { HomeFile, Homes, HomeText } from '../homes.ts';
import type { Row } from '../table.ts';

/** How often a change is decided anew where somebody else changed the file meanwhile. */
export const MOST_DECISIONS = 5;

/** Rows of users, as `rowsOf` makes them of their file; those of nobody are none. */
export async function rowsOfUsers(
  homes: Homes,
  users: readonly string[] | undefined,
  file: HomeFile,
  rowsOf: (user: string, text: HomeText) => readonly Row[],
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const user of new Set(users ?? (await homes.users()))) {
    const text = await homes.read(user, file);
    if (text !== undefined) rows.push(...rowsOf(user, text));
  }
  return rows;
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
