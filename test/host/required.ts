// What a test needs of the host. Outside CI a test that lacks something is skipped by name; in CI it fails.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Whether `program` is found on PATH or among the administrator's programs. */
export function hasProgram(program: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The needs this host does not meet: `root`, or the name of a program. */
function missing(needs: readonly string[]): string[] {
  return needs.filter((need) => (need === 'root' ? process.getuid?.() !== 0 : !hasProgram(need)));
}

/** A suite whose tests need root (`root`) or programs (their names). */
export function describeNeeding(needs: readonly string[], name: string, body: () => void): void {
  const lacking = missing(needs);
  if (lacking.length === 0) describe(name, body);
  else if (process.env.CI)
    describe(name, () => {
      test(`has ${lacking.join(', ')}`, () => expect.fail(`missing on this host: ${lacking.join(', ')}`));
    });
  else describe.skip(`${name} (needs ${lacking.join(', ')})`, body);
}
