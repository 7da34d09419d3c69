// SIP passwords set as people set them: by root for anyone, by an account for itself.

import { runOrThrow } from './run.ts';
import { command, type RunAs } from './server.ts';

/** The realm of every server under test. */
export const realm = 'sip.test';

/** Sets `user`'s password through sippasswd. */
export function setPassword(user: string, password: string, as: RunAs): void {
  runOrThrow(command('sippasswd', ['--stdin', '--realm', realm, user], as), { input: `${password}\n` });
}

/** Sets many passwords at once, as root. */
export function setPasswords(users: readonly { user: string; password: string }[], as: RunAs): void {
  const input = users.map(({ user, password }) => `${user}:${password}\n`).join('');
  runOrThrow(command('sippasswd', ['--batch', '--realm', realm], as), { input, timeoutMs: 60_000 });
}
