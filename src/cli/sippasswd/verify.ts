// Tests a password against the stored one and changes nothing.

import { type Context, isSet } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, refusal } from '../refusal.ts';
import { isPasswordOf, passwordOctets } from './credential.ts';
import { openPasswordInput } from './password-input.ts';
import { credentialsOf, hasKey, keyOf, scopeOf, stop, type Tools } from './subject.ts';
import { targetOf } from './target.ts';

/** Exits with 0 if the password that is given is the one of the account and the realm. */
export async function verifyPassword(context: Context, tools: Tools): Promise<number> {
  const account = targetOf(context.arguments.user, tools.store);
  if (isRefusal(account)) return stop(context, account);
  const scope = scopeOf(context, account);
  if (isRefusal(scope)) return stop(context, scope);
  const input = openPasswordInput(context, 1, 'one: the password');
  if (isRefusal(input)) return stop(context, input);
  const password = await input.next(`SIP password of ${account.name}:`);
  if (isRefusal(password)) return stop(context, password);

  const credentials = await credentialsOf(context, tools, account);
  if (isRefusal(credentials)) return stop(context, credentials);
  if (credentials === undefined)
    return stop(context, refusal(passwdExit.missing, `${account.name} has no SIP password`));
  const key = keyOf(account, scope);
  const credential = credentials.find((candidate) => hasKey(candidate, key));
  const match = credential !== undefined && isPasswordOf(credential, passwordOctets(password));
  if (isSet(context, 'json')) context.report.value({ user: account.name, ...scope, match });
  if (match) return passwdExit.ok.code;
  const why =
    credential === undefined
      ? `${account.name} has no SIP password for realm ${scope.realm}`
      : 'wrong password';
  return stop(context, refusal(passwdExit.denied, why));
}
