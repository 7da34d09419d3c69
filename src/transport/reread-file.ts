// A small file of the host's that its administrator may edit at any time: read when asked for, looked at by stat(2) at
// most once a second.

import { readFileSync, statSync } from 'node:fs';

const lookEveryMs = 1000;
/** Lists of blocked hosts reach some megabytes. */
const mostBytes = 16 * 1024 * 1024;

/** Makes a reader of what `parse` makes of the file; of an empty text where the file is missing, too long or unreadable. */
export function rereadFile<T>(
  path: string,
  parse: (text: string) => T,
  now: () => number = () => performance.now(),
): () => T {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let version = '';
  let value = parse('');
  return () => {
    if (now() - lookedAt < lookEveryMs) return value;
    lookedAt = now();
    const seen = versionOf(path);
    if (seen !== version) value = parse(seen === '' ? '' : readText(path));
    version = seen;
    return value;
  };
}

/** Another text whenever the file may be another; empty where there is none to read. */
function versionOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > mostBytes) return '';
  return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
