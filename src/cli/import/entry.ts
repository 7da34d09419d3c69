// What an import finds in a foreign file: one account's password or the hashes of it. Pure.

import type { Algorithm } from '../../digest/hash.ts';
import type { Fault } from '../../home/fault.ts';

/** One account of a foreign file. Texts are ordinary strings. */
export interface ImportEntry {
  readonly line: number;
  readonly user: string;
  /** What the hashes were made with; undefined beside a plaintext password that names none. */
  readonly realm: string | undefined;
  readonly password?: string;
  /** H(user:realm:password) in lower-case hex. */
  readonly ha1: Readonly<Partial<Record<Algorithm, string>>>;
  /** H(user@realm:realm:password) by MD5, where the file has it. */
  readonly ha1b?: string;
}

/** What was read: both lists in the file's order. */
export interface Imported {
  readonly entries: ImportEntry[];
  readonly faults: Fault[];
}

const hexLength: Readonly<Record<Algorithm, number>> = { MD5: 32, 'SHA-256': 64, 'SHA-512-256': 64 };

/** The hash in lower case, or undefined if it is none of that algorithm. */
export function parseHash(algorithm: Algorithm, text: string): string | undefined {
  return text.length === hexLength[algorithm] && /^[0-9a-fA-F]*$/.test(text) ? text.toLowerCase() : undefined;
}

/** The lines of a text with their numbers, without carriage returns. */
export function* numberedLines(content: string): Generator<{ line: number; text: string }> {
  let line = 0;
  for (const text of content.split('\n')) yield { line: ++line, text: text.replace(/\r$/, '') };
}
