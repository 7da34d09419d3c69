// The accounts of the host as operations that somebody with leave does (store/home-tables.ts): another process, or this one.

import { formatCredential } from '../home/passwd.ts';
import { type TableAnswer, type TableOperation, versionOf } from '../store/home-tables.ts';
import type { HomeFile, Homes, HomeText } from './homes.ts';
import { SqlError } from './wire.ts';

/** Has one operation done. */
export type Perform = (user: string, operation: TableOperation) => Promise<TableAnswer>;

/** Texts that are remembered: those asked for again are asked about by their version. */
const MOST_REMEMBERED = 20_000;
const MOST_CHARACTERS = 65_536;
/** How long the names of all accounts hold. */
const USERS_MS = 2000;

/** Makes the client. */
export function createHomes(perform: Perform): Homes {
  const remembered = new Map<string, HomeText>();
  let known: { readonly names: readonly string[]; readonly untilMs: number } | undefined;

  return {
    async users() {
      if (known !== undefined && known.untilMs > performance.now()) return known.names;
      const names = namesOf(await perform('', { type: 'users' }));
      known = { names, untilMs: performance.now() + USERS_MS };
      return names;
    },
    async read(user, file) {
      if (!isName(user)) return undefined;
      const key = `${file} ${user}`;
      const before = remembered.get(key);
      const answer = await perform(user, { type: 'read', file, known: before?.version ?? '' });
      if (answer.type === 'nobody') return undefined;
      if (answer.type === 'unchanged' && before !== undefined) return before;
      if (answer.type !== 'text') throw errorOf(answer);
      remember(key, file, answer);
      return answer;
    },
    async groups(user) {
      if (!isName(user)) return [];
      const answer = await perform(user, { type: 'groups' });
      return answer.type === 'nobody' ? [] : namesOf(answer);
    },
    async append(user, file, lines) {
      if (lines.length === 0) return;
      done(await perform(user, { type: 'append', file, lines }));
      // What is there now is known, unless somebody else wrote; then its version says so.
      const key = `${file} ${user}`;
      const before = remembered.get(key);
      if (before === undefined) return;
      const content = (before.content ?? '') + lines.map((line) => `${line}\n`).join('');
      remember(key, file, { content, version: versionOf(content) });
    },
    async replace(user, file, content, after) {
      const answer = await perform(user, { type: 'replace', file, content, after });
      return answer.type !== 'changed' && done(answer);
    },
    async setCredentials(user, set, remove) {
      done(await perform(user, { type: 'credentials', set: set.map(formatCredential), remove }));
    },
    async readOpen() {
      const answer = await perform('', { type: 'readOpen' });
      if (answer.type !== 'text') throw errorOf(answer);
      return (answer.content ?? '').split('\n').slice(0, -1);
    },
    async appendOpen(line) {
      done(await perform('', { type: 'appendOpen', lines: [line] }));
    },
    async replaceOpen(lines) {
      done(await perform('', { type: 'replaceOpen', lines }));
    },
  };

  function remember(key: string, file: HomeFile, text: HomeText): void {
    remembered.delete(key);
    if (file === 'acct' || (text.content?.length ?? 0) > MOST_CHARACTERS) return;
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(key, text);
  }
}

/** What no account is called is asked of nobody. */
function isName(user: string): boolean {
  return /^[^\x00-\x20\x7f:/]{1,256}$/.test(user);
}

function namesOf(answer: TableAnswer): readonly string[] {
  if (answer.type !== 'names') throw errorOf(answer);
  return answer.names;
}

function done(answer: TableAnswer): true {
  if (answer.type !== 'written') throw errorOf(answer);
  return true;
}

function errorOf(answer: TableAnswer): SqlError {
  if (answer.type === 'denied') return new SqlError('42501', answer.why, 'See sr_config(5).');
  if (answer.type === 'nobody') return new SqlError('23503', 'no such account may use SIP');
  return new SqlError('58030', answer.type === 'failed' ? answer.why : 'not answered');
}
