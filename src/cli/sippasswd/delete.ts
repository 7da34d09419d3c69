// Deletes passwords of an account: all, or those of a realm or domain id.

import { removeCredentials } from '../../home/passwd.ts';
import { toOctets } from '../../message/octets.ts';
import { type Context, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, refusal, refusalOf } from '../refusal.ts';
import { credentialsOf, stop, type Tools } from './subject.ts';
import { targetOf } from './target.ts';

/** Deletes what the command line names; that there is nothing is a failure. */
export async function deletePassword(context: Context, tools: Tools): Promise<number> {
  const account = targetOf(context.arguments.user, tools.store);
  if (isRefusal(account)) return stop(context, account);
  const credentials = await credentialsOf(context, tools, account);
  if (isRefusal(credentials)) return stop(context, credentials);
  if (credentials === undefined)
    return stop(context, refusal(passwdExit.missing, `${account.name} has no SIP password`));

  const user = toOctets(account.name);
  const realm = textOption(context, 'realm');
  const did = textOption(context, 'did');
  let deleted = 0;
  const written = await tools.store.editCredentials(
    account,
    (content) =>
      removeCredentials(content, (credential) => {
        if (credential.authUsername !== user) return false;
        if (realm !== undefined && credential.realm !== toOctets(realm)) return false;
        if (did !== undefined && credential.did !== toOctets(did)) return false;
        deleted += 1;
        return true;
      }),
    false,
  );
  if (isTrouble(written)) return stop(context, refusalOf(context.program, written));
  if (deleted === 0)
    return stop(context, refusal(passwdExit.failure, `${account.name} has no such SIP password`));
  if (context.report.json) context.report.value({ user: account.name, deleted });
  else context.report.print(`SIP password of ${account.name} deleted`);
  return passwdExit.ok.code;
}
