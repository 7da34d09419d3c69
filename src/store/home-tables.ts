// What `sipctl db serve` may have done in homes (DESIGN §7), and no more: each operation is checked as an attacker's would be.
// Hashes are handed out, and passwd and config written, only where root says so; without that hashes are blanked here.

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import {
  type Credential,
  formatCredential,
  parsePasswd,
  removeCredentials,
  setCredentials,
} from '../home/passwd.ts';
import { toOctets } from '../message/octets.ts';
import { type Account, listAccounts } from '../unix/nss.ts';
import { isTrouble, type Trouble } from '../unix/trouble.ts';
import type { AccessRules } from './access.ts';
import { createAccounts, type Looked } from './accounts.ts';
import { parseJson } from './channel.ts';
import { ACCT, CONFIG, PASSWD, USRLOC } from './home-files.ts';
import { createServerFile } from './server-file.ts';
import { hostKeyPath } from './server-key.ts';
import { appendUserFile, editUserFile, readUserFile, type UserFile } from './user-file.ts';

/** What is served, and what is allowed: a plain value. */
export interface HomeTablesSettings {
  readonly access: AccessRules;
  readonly strictModes: boolean;
  readonly syncUsrloc: boolean;
  /** KeyFile: what the server itself keeps is beside it. */
  readonly keyFile: string | undefined;
  /** DbReadHashes. */
  readonly readsHashes: boolean;
  /** DbWrite. */
  readonly writes: boolean;
}

/** One operation on the files of an account, or on none. */
export type TableOperation =
  | { readonly type: 'users' }
  | { readonly type: 'groups' }
  /** `known`: the version that is known already. */
  | { readonly type: 'read'; readonly file: keyof typeof FILES; readonly known: string }
  | { readonly type: 'append'; readonly file: 'usrloc' | 'acct'; readonly lines: readonly string[] }
  | {
      readonly type: 'replace';
      readonly file: 'config' | 'usrloc';
      readonly content: string;
      readonly after: string;
    }
  /** The server's own file of calls that are not over. */
  | { readonly type: 'readOpen' }
  | { readonly type: 'appendOpen'; readonly lines: readonly string[] }
  | { readonly type: 'replaceOpen'; readonly lines: readonly string[] }
  /** Lines of passwd that take the place of those of their key; keys as `keyOfLine` has them. */
  | { readonly type: 'credentials'; readonly set: readonly string[]; readonly remove: readonly string[] };

export type TableAnswer =
  | { readonly type: 'names'; readonly names: readonly string[] }
  | { readonly type: 'text'; readonly content: string | undefined; readonly version: string }
  | { readonly type: 'unchanged' }
  | { readonly type: 'written' }
  | { readonly type: 'changed' }
  /** No account of that name may use SIP. */
  | { readonly type: 'nobody' }
  | { readonly type: 'denied'; readonly why: string }
  | { readonly type: 'failed'; readonly why: string };

const FILES = { passwd: PASSWD, usrloc: USRLOC, config: CONFIG, acct: ACCT };
const LINE = /^[\x20-\x7e\x80-\xff]{1,4096}$/;
const OCTETS = /^[\x00-\xff]*$/;
const MOST_LINES = 1000;
const MOST_CONTENT = 1 << 20;
/** Calls that are not over. */
const MOST_OPEN = 100_000;

/** Reads one operation; undefined: it is none. */
export function tableOperationOf(json: string): TableOperation | undefined {
  const list = parseJson(json);
  const [value] = Array.isArray(list) && list.length === 1 ? (list as unknown[]) : [];
  if (typeof value !== 'object' || value === null) return undefined;
  return isOperation(value as Record<string, unknown>) ? (value as TableOperation) : undefined;
}

function isOperation({
  type,
  file,
  known,
  lines,
  content,
  after,
  set,
  remove,
}: Record<string, unknown>): boolean {
  const isText = (text: unknown) => typeof text === 'string' && text.length <= 4096;
  const areLines = (all: unknown) =>
    Array.isArray(all) &&
    all.length <= MOST_LINES &&
    all.every((line) => typeof line === 'string' && LINE.test(line));
  switch (type) {
    case 'users':
    case 'groups':
    case 'readOpen':
      return true;
    case 'appendOpen':
      return areLines(lines);
    case 'replaceOpen':
      return (
        Array.isArray(lines) &&
        lines.length <= MOST_OPEN &&
        lines.every((line) => typeof line === 'string' && LINE.test(line))
      );
    case 'read':
      return typeof file === 'string' && Object.hasOwn(FILES, file) && isText(known);
    case 'append':
      return (file === 'usrloc' || file === 'acct') && areLines(lines);
    case 'replace':
      return (
        (file === 'config' || file === 'usrloc') &&
        typeof content === 'string' &&
        content.length <= MOST_CONTENT &&
        OCTETS.test(content) &&
        isText(after)
      );
    case 'credentials':
      return areLines(set) && Array.isArray(remove) && remove.length <= MOST_LINES && remove.every(isText);
    default:
      return false;
  }
}

/** The key of a credential: its realm and domain id. */
export function keyOfLine({ realm, did }: Pick<Credential, 'realm' | 'did'>): string {
  return `${realm}\n${did}`;
}

/** Does what is asked; `own`: the only account there is. Synchronous, one user at a time. */
export function createHomeTables(
  { access, strictModes, syncUsrloc, keyFile, readsHashes, writes }: HomeTablesSettings,
  own: Account | undefined,
  onFault: (text: string) => void,
): (user: string, operation: TableOperation) => TableAnswer {
  const accounts = createAccounts(access, own, onFault);
  const open = createServerFile({
    own,
    directory: dirname(keyFile ?? hostKeyPath),
    name: 'db-calls',
    mode: 0o600,
    directoryMode: 0o700,
  });

  function lookAt(user: string): Looked | undefined {
    const looked = accounts.look(user);
    return looked === undefined || looked.isLocked || looked.admission.type !== 'admitted'
      ? undefined
      : looked;
  }

  function fileOf(name: keyof typeof FILES, { identity }: Looked): UserFile {
    return { name, rules: FILES[name], strictModes, groups: identity.groups };
  }

  function perform(user: string, operation: TableOperation): TableAnswer {
    if (operation.type === 'users') {
      const names = own === undefined ? listAccounts().map(({ name }) => name) : [own.name];
      return { type: 'names', names: names.filter((name) => lookAt(name) !== undefined) };
    }
    if (operation.type === 'readOpen') {
      const content = open.read();
      if (isTrouble(content)) return failed(content);
      return { type: 'text', content, version: '' };
    }
    if (operation.type === 'appendOpen' || operation.type === 'replaceOpen') {
      const text = operation.lines.map((line) => `${line}\n`).join('');
      const written = operation.type === 'appendOpen' ? open.append(text) : open.replace(text);
      return written === undefined ? { type: 'written' } : failed(written);
    }
    const looked = lookAt(user);
    if (looked === undefined) return { type: 'nobody' };
    const { account } = looked;
    switch (operation.type) {
      case 'groups':
        return { type: 'names', names: accounts.groupNamesOf(account) };
      case 'read':
        return read(looked, operation.file, operation.known);
      case 'append': {
        const { lines } = operation;
        const { file } = operation;
        const how = { create: file === 'usrloc', sync: file === 'usrloc' && syncUsrloc };
        const written = appendUserFile(account, fileOf(file, looked), how, () => lines);
        if (isTrouble(written) && operation.file === 'acct' && written.kind === 'missing')
          return { type: 'written' };
        return isTrouble(written) ? failed(written) : { type: 'written' };
      }
      case 'replace': {
        if (operation.file === 'config' && !writes) return { type: 'denied', why: 'DbWrite is no' };
        let isChanged = false;
        const written = editUserFile(account, fileOf(operation.file, looked), true, (before) => {
          isChanged = versionOf(before) !== operation.after;
          return isChanged ? before : operation.content;
        });
        return isTrouble(written) ? failed(written) : { type: isChanged ? 'changed' : 'written' };
      }
      case 'credentials':
        return writes ? edit(looked, operation) : { type: 'denied', why: 'DbWrite is no' };
    }
  }

  function read(looked: Looked, file: keyof typeof FILES, known: string): TableAnswer {
    const { account } = looked;
    const found = readUserFile(account, fileOf(file, looked));
    if (isTrouble(found)) return failed(found);
    const content = file === 'passwd' && !readsHashes ? withoutHashes(account, found) : found;
    const version = versionOf(content ?? '');
    return version === known ? { type: 'unchanged' } : { type: 'text', content, version };
  }

  function edit(looked: Looked, { set, remove }: TableOperation & { type: 'credentials' }): TableAnswer {
    const { account } = looked;
    const owner = toOctets(account.name);
    const { credentials, faults } = parsePasswd(set.map((line) => `${line}\n`).join(''), { path: '', owner });
    if (faults[0] !== undefined) return { type: 'denied', why: faults[0].text };
    const gone = new Set(remove);
    const written = editUserFile(account, fileOf('passwd', looked), true, (before) =>
      setCredentials(
        removeCredentials(before, (each) => each.authUsername === owner && gone.has(keyOfLine(each))),
        credentials,
      ),
    );
    return isTrouble(written) ? failed(written) : { type: 'written' };
  }

  return (user, operation) => {
    try {
      accounts.notice();
      return perform(user, operation);
    } catch (error) {
      return { type: 'failed', why: (error as Error).message };
    }
  };
}

/** The same lines, and nothing in them that a password could be guessed by. */
function withoutHashes({ name }: Account, content: string | undefined): string | undefined {
  if (content === undefined) return undefined;
  const { credentials } = parsePasswd(content, { path: '', owner: toOctets(name) });
  const blank = { password: '', ha1: '', ha1b: '', ha1Sha256: '', ha1bSha256: '' };
  const blanker = { ...blank, ha1Sha512_256: '', ha1bSha512_256: '', extra: [] };
  return credentials.map((each) => `${formatCredential({ ...each, ...blanker })}\n`).join('');
}

/** The version of a content. */
export function versionOf(content: string): string {
  return createHash('sha1').update(content, 'latin1').digest('base64');
}

function failed({ path, why }: Trouble): TableAnswer {
  return { type: 'failed', why: `${path}: ${why}` };
}
