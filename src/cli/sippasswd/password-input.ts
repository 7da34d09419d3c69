// Where the passwords of one run come from: a terminal without echo, or the lines of standard input.

import { checkNewPassword, MAX_PASSWORD_BYTES } from '../../home/password-form.ts';
import { type Context, isSet } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { askPassword } from '../password-prompt.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { readStandardInput } from '../text-input.ts';
import { passwordOctets } from './credential.ts';

/** Gives passwords, in the order in which they are asked for, as text. */
export interface PasswordInput {
  /** Whether there is somebody to ask twice. */
  readonly interactive: boolean;
  next(prompt: string): Promise<string | Refusal>;
}

/** Opens the input for `count` passwords; without a terminal it needs `--stdin`. `what` names the lines expected. */
export function openPasswordInput(context: Context, count: number, what: string): PasswordInput | Refusal {
  if (process.stdin.isTTY) return { interactive: true, next: ask };
  if (!isSet(context, 'stdin')) {
    return refusal(passwdExit.usage, 'standard input is not a terminal: give the password to --stdin');
  }
  const input = readStandardInput(MAX_PASSWORD_BYTES * 8);
  if (input.type === 'unreadable') return refusal(passwdExit.failure, input.why);
  const lines = input.text.replace(/\n$/, '').split('\n');
  if (lines.length !== count) {
    const denied = lines.length < count ? passwdExit.denied : passwdExit.failure;
    return refusal(denied, `standard input has ${countOf(lines.length)}, expected ${what}`);
  }
  return { interactive: false, next: async () => lines.shift() ?? '' };
}

/** Reads a new password, on a terminal twice, and checks it. Octets. */
export async function readNewPassword(input: PasswordInput, name: string): Promise<string | Refusal> {
  const password = await input.next(`New SIP password of ${name}:`);
  if (isRefusal(password)) return password;
  const why = checkNewPassword(password);
  if (why !== undefined) return refusal(passwdExit.failure, `${why}; nothing changed`);
  if (input.interactive) {
    const again = await input.next(`Retype the SIP password of ${name}:`);
    if (isRefusal(again)) return again;
    if (again !== password) return refusal(passwdExit.failure, 'the passwords do not match; nothing changed');
  }
  return passwordOctets(password);
}

async function ask(prompt: string): Promise<string | Refusal> {
  const typed = await askPassword(prompt);
  return typed.type === 'typed'
    ? typed.text
    : refusal(passwdExit.interrupted, 'interrupted; nothing changed');
}

function countOf(lines: number): string {
  return lines === 1 ? '1 line' : `${lines} lines`;
}
