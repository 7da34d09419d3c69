// Reads what htdigest(1) writes: `user:realm:MD5(user:realm:password)` a line. Pure.

import { type Imported, numberedLines, parseHash } from './entry.ts';

/** Whether the text looks like an htdigest file. */
export function isHtdigest(content: string): boolean {
  return /^[^:\n#]+:[^:\n]*:[0-9a-fA-F]{32}\r?$/m.test(content);
}

export function parseHtdigest(content: string, path: string): Imported {
  const imported: Imported = { entries: [], faults: [] };
  for (const { line, text } of numberedLines(content)) {
    if (text === '' || text.startsWith('#')) continue;
    const [user = '', realm = '', hash = '', ...more] = text.split(':');
    const md5 = parseHash('MD5', hash);
    if (user === '' || md5 === undefined || more.length > 0) {
      imported.faults.push({ path, line, text: 'expected user:realm:md5' });
    } else {
      imported.entries.push({ line, user, realm, ha1: { MD5: md5 } });
    }
  }
  return imported;
}
