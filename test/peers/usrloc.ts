// What a home's ~/.sr/usrloc says, read as the owner would.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Binding, parseUsrloc } from '../../src/home/usrloc.ts';
import type { Account } from '../host/accounts.ts';

/** The live contacts of an account; a faulty line fails the test. */
export function liveContacts({ home }: Account): readonly Binding[] {
  const path = join(home, '.sr/usrloc');
  if (!existsSync(path)) return [];
  const { bindings, faults, torn } = parseUsrloc(readFileSync(path, 'latin1'), path);
  expect({ faults, torn }).toEqual({ faults: [], torn: undefined });
  return bindings.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > Date.now());
}
