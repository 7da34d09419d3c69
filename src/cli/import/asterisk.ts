// Reads Asterisk's pjsip.conf (type=auth: password, md5_cred, password_digest) and sip.conf (secret, md5secret). Pure.

import type { Algorithm } from '../../digest/hash.ts';
import { type ImportEntry, type Imported, numberedLines, parseHash } from './entry.ts';

interface Section {
  readonly name: string;
  readonly line: number;
  readonly settings: Map<string, string[]>;
}

/** What Asterisk challenges with unless it is told otherwise. */
const defaultRealm = 'asterisk';

/** Whether the text looks like a configuration of Asterisk. */
export function isAsterisk(content: string): boolean {
  return (
    /^\s*\[[^\]\n]+\]/m.test(content) &&
    /^\s*(md5_cred|password_digest|password|secret|md5secret)\s*=/m.test(content)
  );
}

/** Reads it; sections without a password are passed over. */
export function parseAsterisk(content: string, path: string): Imported {
  const imported: Imported = { entries: [], faults: [] };
  const sections = parseSections(content);
  const globalRealm = sections
    .filter(({ name }) => name === 'global' || name === 'general')
    .map((section) => single(section, 'default_realm') ?? single(section, 'realm'))
    .find((realm) => realm !== undefined);
  for (const section of sections) {
    const entry = entryOf(section, globalRealm ?? defaultRealm);
    if (typeof entry === 'string') imported.faults.push({ path, line: section.line, text: entry });
    else if (entry !== undefined) imported.entries.push(entry);
  }
  return imported;
}

function entryOf(section: Section, globalRealm: string): ImportEntry | string | undefined {
  const password = single(section, 'password') ?? single(section, 'secret');
  const digests = [
    ...(section.settings.get('password_digest') ?? []),
    ...[single(section, 'md5_cred') ?? single(section, 'md5secret') ?? '']
      .filter(Boolean)
      .map((hash) => `MD5:${hash}`),
  ];
  if (password === undefined && digests.length === 0) return undefined;
  const user = single(section, 'username') ?? single(section, 'defaultuser') ?? section.name;
  const realm = single(section, 'realm') ?? globalRealm;
  const ha1: Partial<Record<Algorithm, string>> = {};
  for (const digest of digests) {
    const colon = digest.indexOf(':');
    const algorithm = algorithmOf(digest.slice(0, colon));
    const hash = algorithm && parseHash(algorithm, digest.slice(colon + 1).trim());
    if (algorithm === undefined || hash === undefined)
      return `[${section.name}]: a digest is not ALGORITHM:hex`;
    ha1[algorithm] = hash;
  }
  const entry = { line: section.line, user, realm, ha1 };
  return password === undefined || password === '' ? entry : { ...entry, password };
}

function algorithmOf(name: string): Algorithm | undefined {
  const upper = name.trim().toUpperCase();
  return upper === 'MD5' || upper === 'SHA-256' || upper === 'SHA-512-256' ? upper : undefined;
}

function single(section: Section, key: string): string | undefined {
  return section.settings.get(key)?.at(-1);
}

function parseSections(content: string): Section[] {
  const sections: Section[] = [];
  for (const { line, text } of numberedLines(content)) {
    // A semicolon begins a comment unless a backslash stands before it.
    const bare = text
      .replace(/(^|[^\\]);.*$/, '$1')
      .replaceAll('\\;', ';')
      .trim();
    const head = /^\[([^\]]+)\]/.exec(bare);
    if (head !== null) {
      sections.push({ name: head[1] ?? '', line, settings: new Map() });
      continue;
    }
    const equals = bare.indexOf('=');
    const section = sections.at(-1);
    if (equals <= 0 || section === undefined) continue;
    const key = bare.slice(0, equals).trim().toLowerCase();
    const value = bare
      .slice(equals + 1)
      .replace(/^>/, '')
      .trim();
    section.settings.set(key, [...(section.settings.get(key) ?? []), value]);
  }
  return sections;
}
