// How the keeper starts processes (DESIGN §5): a server that has no privilege from its first instruction on, workers that have
// three, code that nobody but root can change, an environment of a few names.

import { constants, existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { asUser, effectiveUid } from '../unix/as-user.ts';
import { AT_FDCWD, cString, errno, libc, O_CLOEXEC } from '../unix/libc.ts';
import type { Account } from '../unix/nss.ts';
import { shellWord } from '../unix/trouble.ts';

/** Of the environment, what children get. */
const PASSED = /^(?:TZ|LANG|LC_[A-Z]+)$/;
/** Tests run whole programs under wrappers. */
const PASSED_IN_TESTS = /^(?:UNIXSIP_TEST|LD_PRELOAD|NSS_WRAPPER_\w+|PAM_WRAPPER\w*)$/;
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];
/** Of root's, what work in homes needs: to act as their users, and to read shadow files that root has no leave for. */
export const HOME_CAPABILITIES = ['setuid', 'setgid', 'dac_read_search'] as const;

/** The environment of children. */
export function childEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const isTest = env.UNIXSIP_TEST === '1';
  const names = Object.keys(env).filter(
    (name) => PASSED.test(name) || (isTest && PASSED_IN_TESTS.test(name)),
  );
  return Object.fromEntries(names.map((name) => [name, env[name] as string]));
}

/** The built file of a program beside the running one's, wherever the command's name is a link to. */
export function builtFile(name: string): string {
  return join(dirname(realpathSync(process.argv[1] as string)), '../dist', name);
}

/** The argv of a process that is the server's account from its first instruction on and can never be more. */
export function serverArgv({ uid, gid }: Account, file: string): string[] {
  return [
    setpriv(),
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
    // It lives no longer than its parent.
    '--pdeathsig=KILL',
    '--',
    ...node(file),
  ];
}

/** The argv of a root's process with no capabilities but these. */
export function workerArgv(file: string, capabilities: readonly string[]): string[] {
  const kept = capabilities.map((name) => `,+${name}`);
  return [
    setpriv(),
    '--inh-caps=-all',
    `--bounding-set=-all${kept.join('')}`,
    '--no-new-privs',
    // It lives no longer than its parent.
    '--pdeathsig=KILL',
    '--',
    ...node(file),
  ];
}

/** With the flags that this process has: how much garbage is let lie, which our programs say themselves. */
function node(file: string): string[] {
  return [process.execPath, ...process.execArgv, file];
}

function setpriv(): string {
  return SETPRIV.find((path) => existsSync(path)) ?? (SETPRIV[0] as string);
}

/** Why processes cannot be started safely, with what mends it; undefined: they can. */
export function launchFault(account: Account): string | undefined {
  if (!SETPRIV.some((path) => existsSync(path))) return `${SETPRIV[0]} is missing: install util-linux`;
  const files = codeFiles();
  return files.map(changeableBy).find((fault) => fault !== undefined) ?? unreadableBy(account, files);
}

/** What the children are made of: node, our files, and the library that calls libc. */
function codeFiles(): string[] {
  const dist = dirname(builtFile('x'));
  const koffi = dirname(createRequire(import.meta.url).resolve('koffi'));
  const below = readdirSync(dist, { recursive: true, encoding: 'utf8' }).map((name) => join(dist, name));
  return [process.execPath, dist, ...below, koffi];
}

/** Why a file may be changed by others than root. */
function changeableBy(path: string): string | undefined {
  const { uid, gid, mode } = lstatSync(path);
  const word = shellWord(path);
  // Whoever may call sudo(8) needs no way round it.
  if (uid !== 0 && uid !== effectiveUid() && String(uid) !== process.env.SUDO_UID)
    return `${path} belongs to uid ${uid}, who could have root run anything: chown -R root: ${word}`;
  if ((mode & 0o002) !== 0 && (mode & 0o170000) !== 0o120000)
    return `${path} can be written to by others: chmod o-w ${word}`;
  if ((mode & 0o020) !== 0 && gid !== 0 && (mode & 0o170000) !== 0o120000)
    return `${path} can be written to by group ${gid}: chmod g-w ${word}`;
  return undefined;
}

/** Why the server's account cannot load a file. */
function unreadableBy(account: Account, files: readonly string[]): string | undefined {
  const path = firstUnreadable(account, files);
  if (path === undefined) return undefined;
  return `ServerUser: ${account.name} may not read ${path}: install where everybody can: npm install -g`;
}

/** The first of some files that are there which an account may not read. */
export function firstUnreadable({ uid, gid }: Account, files: readonly string[]): string | undefined {
  const c = libc();
  return asUser({ uid, gid, groups: [] }, () =>
    files.find((path) => {
      const fd = c.openat(AT_FDCWD, cString(path), O_CLOEXEC | constants.O_NONBLOCK, 0);
      if (fd >= 0) c.close(fd);
      return fd < 0 && c.errno() === errno.EACCES;
    }),
  );
}
