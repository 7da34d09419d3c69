// /etc/sr/aliases as it is now: read again when it changed, so that an edit governs the next call (DESIGN §2).

import { type Expansion, expandAlias } from '../home/alias-expansion.ts';
import { type ParsedAliases, parseAliases } from '../home/aliases.ts';
import { fileVersionAt, readRootFile } from '../unix/root-file.ts';

/** Everybody's to read, or at least the server's. */
export const ALIASES = '/etc/sr/aliases';
const MAX_BYTES = 4 * 1024 * 1024;

/** Expands a name as `expandAlias` does. */
export type AliasLookup = (name: string) => Expansion | undefined;

/** Opens the file; `onFault` gets what is wrong with it, once a version. Without a file there are no aliases. */
export function openAliases(onFault: (text: string) => void): AliasLookup {
  let version: string | undefined;
  let entries: ParsedAliases['entries'] = new Map();

  function reread(): void {
    const file = readRootFile(ALIASES, { private: false, maxBytes: MAX_BYTES, uid: 0 });
    entries = new Map();
    if (file === undefined) return;
    if ('type' in file) {
      onFault(`${ALIASES}: ${file.why}: no alias counts`);
      return;
    }
    const parsed = parseAliases(file.content, ALIASES);
    for (const fault of parsed.faults) onFault(`${fault.path}:${fault.line}: ${fault.text}`);
    entries = parsed.entries;
  }

  return (name) => {
    const now = fileVersionAt(ALIASES);
    if (now !== version) {
      version = now;
      reread();
    }
    return entries.size === 0 ? undefined : expandAlias(entries, name);
  };
}
