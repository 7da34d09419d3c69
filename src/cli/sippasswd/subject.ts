// What the actions on a password have in common: the account, the realm and the credentials it has now.

import { type Credential, parsePasswd } from '../../home/passwd.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { openToolStore } from '../../store/open-tool-store.ts';
import { readServerSettings, type ServerSettings } from '../../store/server-settings.ts';
import type { ToolStore } from '../../store/tool-store.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import type { Key } from './credential.ts';
import { isSelf } from './target.ts';

/** A realm and a did as they are given and shown. */
export interface Scope {
  readonly realm: string;
  readonly did: string;
}

const defaultDid = '_default';
const longest = 255;

/** The settings of the host, and where its accounts' credentials are. */
export interface Tools {
  readonly settings: ServerSettings;
  readonly store: ToolStore;
}

/** Opens them; what is wrong with the settings is said once. */
export async function openTools(context: Context): Promise<Tools | Refusal> {
  const { settings, faults } = readServerSettings({});
  for (const fault of faults) context.report.fault(fault);
  const store = await openToolStore(settings);
  return isTrouble(store) ? refusalOf(context.program, store) : { settings, store };
}

/** The realm and did of the command line, or the defaults. */
export function scopeOf(context: Context, account?: Account): Scope | Refusal {
  const realm = textOption(context, 'realm');
  const did = textOption(context, 'did');
  for (const [option, value] of [['realm', realm] as const, ['did', did] as const]) {
    if (value === undefined || (value !== '' && value.length <= longest && !/\p{Control}/u.test(value)))
      continue;
    return refusal(passwdExit.argument, `--${option}: expected 1 to ${longest} printable characters`);
  }
  const own = account !== undefined && isSelf(account) ? account : undefined;
  return { realm: realm ?? fromOctets(readServerSettings({ own }).settings.realm), did: did ?? defaultDid };
}

/** The key of an account's credential in a scope. */
export function keyOf(account: Account, { realm, did }: Scope): Key {
  return { user: toOctets(account.name), realm: toOctets(realm), did: toOctets(did) };
}

/** Says whether a credential has this key. */
export function hasKey(credential: Credential, key: Key): boolean {
  return credential.authUsername === key.user && credential.realm === key.realm && credential.did === key.did;
}

/** An account's credentials, faulty lines reported; undefined if there is no file. */
export async function credentialsOf(
  context: Context,
  { store }: Tools,
  account: Account,
): Promise<Credential[] | undefined | Refusal> {
  const content = await store.credentials(account);
  if (content === undefined) return undefined;
  if (isTrouble(content)) return refusalOf(context.program, content);
  const parsed = parsePasswd(content, {
    path: store.placeOf(account, 'passwd'),
    owner: toOctets(account.name),
  });
  for (const fault of parsed.faults) context.report.fault(fault);
  return parsed.credentials;
}

/** Today's date as `changed` has it: YYYY-MM-DD, UTC. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Reports a refusal and gives its exit code. */
export function stop(context: Context, refused: Refusal): number {
  context.report.error(refused.text);
  return refused.exit;
}
