// Groups are made and filled, and accounts made, by the host's own tools, groupadd(8), gpasswd(1) and useradd(8): they know its
// files, locks and logs.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { restoreGroups } from './as-user.ts';

const directories = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The words that make a group for the system's own use. */
export function createGroup(group: string): readonly string[] {
  return ['groupadd', '--system', group];
}

/** The words that make an account that nobody logs in to. */
export function createServerAccount(name: string): readonly string[] {
  return [
    'useradd',
    '--system',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ];
}

/** The words that make an account a member of a group. */
export function addMember(user: string, group: string): readonly string[] {
  return ['gpasswd', '-a', user, group];
}

/** The absolute path of a tool of the host; undefined where it has none. */
export function findTool(name: string): string | undefined {
  return directories.map((directory) => `${directory}/${name}`).find((path) => existsSync(path));
}

/** Runs a tool to its end, without a shell; what went wrong, or undefined. */
export function runTool(words: readonly string[]): string | undefined {
  const [name = '', ...rest] = words;
  const path = findTool(name);
  if (path === undefined) return 'not found';
  // A started program gets the groups that this one was started with.
  restoreGroups();
  const env = { PATH: directories.join(':'), LC_ALL: 'C' };
  const { status, signal, error, stderr } = spawnSync(path, rest, { env, encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim() || `it ended with ${status ?? signal}`);
}
