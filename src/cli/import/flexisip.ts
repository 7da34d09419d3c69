// Reads the userdb file of Flexisip: `version:1`, then `user@domain clrtxt:… md5:… sha256:… ;` a line. Pure.

import type { Algorithm } from '../../digest/hash.ts';
import { type Imported, numberedLines, parseHash } from './entry.ts';

const algorithms: Readonly<Record<string, Algorithm>> = { md5: 'MD5', sha256: 'SHA-256' };

/** Whether the text looks like a Flexisip userdb. */
export function isFlexisip(content: string): boolean {
  return /^version:\d+\s*$/m.test(content);
}

/** Reads it. The hashes of Flexisip are made with the domain as their realm. */
export function parseFlexisip(content: string, path: string): Imported {
  const imported: Imported = { entries: [], faults: [] };
  for (const { line, text } of numberedLines(content)) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    if (/^version:/.test(text)) {
      if (text.trim() !== 'version:1') imported.faults.push({ path, line, text: 'only version:1 is known' });
      continue;
    }
    const why = parseLine(text, line, imported);
    if (why !== undefined) imported.faults.push({ path, line, text: why });
  }
  return imported;
}

/** Adds the line's entry, or says what is wrong with it. */
function parseLine(text: string, line: number, imported: Imported): string | undefined {
  // Phone numbers and aliases may follow the semicolon; they have no password.
  const [id = '', ...words] = text.replace(/ ;.*$/, '').trim().split(/\s+/);
  const at = id.indexOf('@');
  if (at <= 0) return 'expected user@domain';
  const ha1: Partial<Record<Algorithm, string>> = {};
  let password: string | undefined;
  for (const word of words) {
    const colon = word.indexOf(':');
    const kind = word.slice(0, colon);
    const value = word.slice(colon + 1);
    const algorithm = algorithms[kind];
    const hash = algorithm && parseHash(algorithm, value);
    if (kind === 'clrtxt') password = value;
    else if (algorithm !== undefined && hash !== undefined) ha1[algorithm] = hash;
    else return `expected clrtxt:, md5: or sha256: after ${id}`;
  }
  if (password === undefined && Object.keys(ha1).length === 0) return `no password for ${id}`;
  const entry = { line, user: id.slice(0, at), realm: id.slice(at + 1), ha1 };
  imported.entries.push(password === undefined ? entry : { ...entry, password });
  return undefined;
}
