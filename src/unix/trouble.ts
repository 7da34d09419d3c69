// What keeps a file or directory from being used: a value for whoever owns it, in four kinds. Pure.

import { errno, errnoName } from './libc.ts';

/** Why a path isn't used. `why` continues a sentence that begins with the path: `is a symbolic link`. */
export interface Trouble {
  readonly type: 'trouble';
  /** `missing` and `untrusted` last until somebody mends them; `temporary` and `busy` may be gone the next time. */
  readonly kind: 'missing' | 'untrusted' | 'temporary' | 'busy';
  readonly path: string;
  readonly why: string;
  /** The command that mends it, where there is one. */
  readonly mend?: string;
}

/** Makes a trouble. */
export function trouble(kind: Trouble['kind'], path: string, why: string, mend?: string): Trouble {
  return mend === undefined
    ? { type: 'trouble', kind, path, why }
    : { type: 'trouble', kind, path, why, mend };
}

/** Says whether a value is a trouble. */
export function isTrouble(value: unknown): value is Trouble {
  return typeof value === 'object' && value !== null && (value as Trouble).type === 'trouble';
}

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a directory',
  EISDIR: 'is a directory',
  ELOOP: 'is a symbolic link',
  EXDEV: 'leads out of its directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENXIO: 'is not a regular file',
  ENODEV: 'is not a regular file',
  ENAMETOOLONG: 'has too long a name',
  EIO: 'input/output error',
  ESTALE: 'stale file handle',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  ENOMEM: 'out of memory',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large',
  EROFS: 'read-only file system',
};

/** What an owner or an administrator did, and not the machine: it stays until it is mended. */
const OWNERS_DOING = new Set([
  errno.ENOTDIR,
  errno.EISDIR,
  errno.ELOOP,
  errno.EXDEV,
  errno.EACCES,
  errno.EPERM,
  errno.ENXIO,
  errno.ENODEV,
  errno.ENAMETOOLONG,
]);

/** Makes a trouble of a failed call: what isn't the owner's doing is `temporary`. */
export function troubleOfErrno(number: number, path: string, mend?: string): Trouble {
  const kind = number === errno.ENOENT ? 'missing' : OWNERS_DOING.has(number) ? 'untrusted' : 'temporary';
  const name = errnoName(number);
  return trouble(kind, path, SENTENCES[name] ?? name, mend);
}

/** Writes a path as a shell reads it back. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) && !path.startsWith('-') ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
