// Sets a password: the old one first for everyone but root, then the new one, written in one step (DESIGN §6).

import { type Credential, setCredentials } from '../../home/passwd.ts';
import { fromOctets } from '../../message/octets.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { admissionWarning } from './admission.ts';
import {
  credentialOfPassword,
  isPasswordOf,
  type Key,
  passwordOctets,
  type StoredFormat,
} from './credential.ts';
import { generatePassword } from './generate.ts';
import { openPasswordInput, readNewPassword } from './password-input.ts';
import { credentialsOf, hasKey, keyOf, type Scope, scopeOf, stop, type Tools, today } from './subject.ts';
import { isRoot, targetOf } from './target.ts';

/** Sets the password of the account that the command line names. */
export async function setPassword(context: Context, tools: Tools): Promise<number> {
  const account = targetOf(context.arguments.user, tools.store);
  if (isRefusal(account)) return stop(context, account);
  const scope = scopeOf(context, account);
  if (isRefusal(scope)) return stop(context, scope);
  const credentials = await credentialsOf(context, tools, account);
  if (isRefusal(credentials)) return stop(context, credentials);
  const key = keyOf(account, scope);
  const password = await passwordFor(context, account, oldOnes(credentials ?? [], key));
  if (isRefusal(password)) return stop(context, password);

  const format = (textOption(context, 'format') ?? 'ha1') as StoredFormat;
  const credential = credentialOfPassword(key, password, format, today());
  const change = (content: string) => setCredentials(content, [credential]);
  const written = await tools.store.editCredentials(account, change, true);
  if (isTrouble(written)) return stop(context, refusalOf(context.program, written));
  sayDone(context, account, scope, isSet(context, 'generate') ? fromOctets(password) : undefined);
  warnOf(context, account, tools);
  return passwdExit.ok.code;
}

/** The credentials whose password has to be known: the one that is replaced, else any. None by root. */
function oldOnes(credentials: readonly Credential[], key: Key): readonly Credential[] {
  if (isRoot()) return [];
  const replaced = credentials.filter((credential) => hasKey(credential, key));
  return replaced.length > 0 ? replaced : credentials;
}

/** Asks for the old password where there is one, and gets or makes the new one. Octets. */
async function passwordFor(
  context: Context,
  account: Account,
  old: readonly Credential[],
): Promise<string | Refusal> {
  const generate = isSet(context, 'generate');
  if (generate && old.length === 0) return generatePassword();
  const needs = [...(old.length > 0 ? ['the old password'] : []), ...(generate ? [] : ['the new password'])];
  const what = needs.length === 2 ? 'two: the old password, then the new one' : `one: ${needs[0]}`;
  const input = openPasswordInput(context, needs.length, what);
  if (isRefusal(input)) return input;
  if (old.length > 0) {
    const given = await input.next(`Old SIP password of ${account.name}:`);
    if (isRefusal(given)) return given;
    const octets = passwordOctets(given);
    if (!old.some((credential) => isPasswordOf(credential, octets))) {
      return refusal(passwdExit.denied, 'wrong password; nothing changed');
    }
  }
  return generate ? generatePassword() : readNewPassword(input, account.name);
}

function sayDone(context: Context, account: Account, scope: Scope, generated: string | undefined): void {
  const { report } = context;
  if (report.json) {
    const value = { user: account.name, ...scope, changed: today() };
    report.value(generated === undefined ? value : { ...value, password: generated });
  } else if (generated !== undefined) report.print(generated);
  else report.print(`SIP password of ${account.name} for realm ${scope.realm} set`);
}

function warnOf(context: Context, account: Account, { settings, store }: Tools): void {
  if (!store.isUnix) return;
  const warning = admissionWarning(account, settings);
  if (warning !== undefined) context.report.warning(warning);
}
