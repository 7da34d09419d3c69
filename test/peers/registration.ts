// What is expected of every phone: it tells its user the truth, and ~/.sr/usrloc agrees.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Binding, parseUsrloc } from '../../src/home/usrloc.ts';
import type { Account } from '../host/accounts.ts';
import type { Line } from './phone.ts';
import { type phoneNames, phones } from './phones.ts';

type PhoneName = (typeof phoneNames)[number];

const usrloc = ({ home }: Account) => join(home, '.sr/usrloc');

/** The live contacts of an account; a faulty line fails the test. */
export function liveContacts(account: Account): readonly Binding[] {
  const path = usrloc(account);
  if (!existsSync(path)) return [];
  const { bindings, faults, torn } = parseUsrloc(readFileSync(path, 'latin1'), path);
  expect({ faults, torn }).toEqual({ faults: [], torn: undefined });
  return bindings.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > Date.now());
}

/** The phone registers, its contact is the only one, and goes when the phone does (or its owner removes it). */
export async function expectRegistered(
  name: PhoneName,
  account: Account,
  line: Omit<Line, 'user'>,
): Promise<void> {
  const { register, userAgent } = phones[name];
  const { outcome, hangUp } = await register({ ...line, user: account.name });
  const agents = liveContacts(account).map((contact) => contact.userAgent?.slice(0, userAgent.length));
  const goes = await hangUp();
  const left = goes ? liveContacts(account).length : 0;
  rmSync(usrloc(account), { force: true });
  expect({ outcome, agents, left }).toEqual({ outcome: 'registered', agents: [userAgent], left: 0 });
}

/** The phone says that it was refused, and leaves no contact. */
export async function expectRefused(
  name: PhoneName,
  account: Account,
  line: Omit<Line, 'user'>,
): Promise<void> {
  const { outcome, hangUp } = await phones[name].register({ ...line, user: account.name });
  const contacts = liveContacts(account);
  await hangUp();
  expect({ outcome, contacts }).toEqual({ outcome: 'refused', contacts: [] });
}
