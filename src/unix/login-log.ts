// The host's log of logins, whichever it keeps: wtmp, else wtmpdb, else none.

import { existsSync } from 'node:fs';
import type { Trouble } from './trouble.ts';
import { trouble } from './trouble.ts';
import { appendLoginRecords, type LoginRecord, readLoginRecords } from './wtmp.ts';
import { hasWtmpdb, writeWtmpdb } from './wtmpdb.ts';

/** A log of logins. */
export interface LoginLog {
  /** Whether the host keeps one at the moment. */
  isKept(): boolean;
  /** Appends records in one write, all or none of them; nothing where none is kept. */
  write(records: readonly LoginRecord[]): Unwritten | undefined;
  /** Those of the records that are not at its end: a crash came between. */
  missing(records: readonly LoginRecord[]): LoginRecord[];
}

/** What could not be written, and which of it another attempt may write. */
export interface Unwritten {
  readonly trouble: Trouble;
  readonly records: readonly LoginRecord[];
}

/** What is looked through for records that should be there: some 10,000 of them. */
const TAIL_BYTES = 4 * 1024 * 1024;

/** The log at `path`, or the database of a host without that file. */
export function openLoginLog(path: string): LoginLog {
  return {
    isKept: () => existsSync(path) || hasWtmpdb(),
    write(records) {
      if (existsSync(path) || !hasWtmpdb()) {
        const failed = appendLoginRecords(path, records);
        return failed === undefined ? undefined : { trouble: failed, records };
      }
      const refused = writeWtmpdb(records);
      if (refused === 0) return undefined;
      // It does not say why: what has no login there has no logout either.
      return {
        trouble: trouble('temporary', 'wtmpdb', `refused ${refused} of ${records.length}`),
        records: [],
      };
    },
    missing(records) {
      if (records.length === 0 || !existsSync(path)) return [];
      const read = readLoginRecords(path, TAIL_BYTES);
      if (!Array.isArray(read)) return [];
      const known = new Set(read.map(identityOf));
      return records.filter((record) => !known.has(identityOf(record)));
    },
  };
}

function identityOf({ type, line, at }: LoginRecord): string {
  return `${type} ${line} ${Math.floor(at)}`;
}
