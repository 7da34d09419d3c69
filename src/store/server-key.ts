// The secret behind nonces and routes (keyword KeyFile): made once, 0600, kept across restarts.

import { randomBytes } from 'node:crypto';
import type { Fault } from '../home/fault.ts';
import type { Account } from '../unix/nss.ts';
import { readRootFile, replaceRootFile } from '../unix/root-file.ts';
import type { Trouble } from '../unix/trouble.ts';
import { editUserFile } from './user-file.ts';

/** Where the host's server has its key, unless KeyFile says otherwise. */
export const hostKeyPath = '/var/lib/sr/key';

const KEY_BYTES = 32;

/**
 * Reads the key, or makes it where there is none: the file named, or `~/.sr/key` of `own`. A file that others can read,
 * or that holds no key, is a fault: a key somebody else knows is worse than none.
 */
export function readServerKey(path: string | undefined, own: Account | undefined): Buffer | Fault {
  return path === undefined && own !== undefined ? ownKey(own) : namedKey(path ?? hostKeyPath);
}

function namedKey(path: string): Buffer | Fault {
  const rules = { private: true, maxBytes: 4096, uid: process.geteuid?.() ?? 0 };
  const file = readRootFile(path, rules);
  if (file === undefined) {
    const text = newKey();
    const written = replaceRootFile(path, text, {
      mode: 0o600,
      sync: true,
      createMode: 0o700,
      uid: rules.uid,
    });
    if ('kind' in written) return faultOf(written);
    return Buffer.from(text.trim(), 'hex');
  }
  if ('kind' in file) return faultOf(file);
  return parseKey(file.content, path);
}

function ownKey(own: Account): Buffer | Fault {
  const path = `${own.home}/.sr/key`;
  let content = '';
  const rules = { owners: 'user', private: true, maxBytes: 4096 } as const;
  const edited = editUserFile(own, { name: 'key', rules, strictModes: true }, true, (before) => {
    content = before === '' ? newKey() : before;
    return content;
  });
  if (typeof edited === 'object') return faultOf(edited);
  return parseKey(content, path);
}

function newKey(): string {
  return `${randomBytes(KEY_BYTES).toString('hex')}\n`;
}

function parseKey(content: string, path: string): Buffer | Fault {
  const text = content.trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    return { path, line: 1, text: 'expected 64 hexadecimal digits: remove the file, and a key is made' };
  return Buffer.from(text, 'hex');
}

function faultOf({ path, why, mend }: Trouble): Fault {
  return { path, line: 0, text: mend === undefined ? why : `${why}: ${mend}` };
}
