// A home of the invoking user's own in a temporary directory, and programs that use the modules of src/unix/ from outside.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';
import { asUser, type Identity } from '../../src/unix/as-user.ts';
import type { Account } from '../../src/unix/nss.ts';
import {
  closeUserDirectory,
  openUserDirectory,
  type UserDirectory,
} from '../../src/unix/trusted-directory.ts';
import type { FileRules } from '../../src/unix/trusted-file.ts';

export const RULES: FileRules = { owners: 'user', private: true, maxBytes: 65_536 };

const projectRoot = resolve(import.meta.dirname, '../..');

/** A temporary directory, removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sr-unix-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The invoking user with a home of the test's own, which is `home` below a temporary directory. */
export function temporaryAccount(): Account {
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home, { mode: 0o755 });
  const { uid, gid, username: name } = userInfo();
  return { name, uid, gid, gecos: '', home, shell: '/bin/sh' };
}

/** The identity of an account without its supplementary groups. */
export function identityOf(account: { readonly uid: number; readonly gid: number }): Identity {
  return { uid: account.uid, gid: account.gid, groups: [] };
}

/** Opens ~/.sr, making it, runs `fn` as the account and closes it. Throws when it can't be opened. */
export function inDirectory<T>(account: Account, fn: (directory: UserDirectory) => T): T {
  return asUser(identityOf(account), () => {
    const directory = openUserDirectory(account, { strictModes: true, create: true });
    if (directory.type === 'trouble') throw new Error(`${directory.path}: ${directory.why}`);
    try {
      return fn(directory);
    } finally {
      closeUserDirectory(directory);
    }
  });
}

/** Bundles a program written in TypeScript over src/unix/, imported as `unix/`; gives the path to run with node. */
export function bundleProgram(source: string): string {
  const directory = temporaryDirectory();
  // The bundle loads koffi at run time from beside itself.
  symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
  const outfile = join(directory, 'program.mjs');
  buildSync({
    stdin: { contents: source, resolveDir: join(projectRoot, 'src'), loader: 'ts' },
    alias: { unix: join(projectRoot, 'src/unix') },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    outfile,
  });
  return outfile;
}
