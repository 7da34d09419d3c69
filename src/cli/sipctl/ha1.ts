// sipctl ha1: the hashes that a password answers challenges with (RFC 7616 §3.4.2). No file is touched.

import { ha1, ha1b } from '../../digest/response.ts';
import { checkNewPassword, MAX_PASSWORD_BYTES } from '../../home/password-form.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { type Account, invokingAccount } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { askPassword } from '../password-prompt.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { passwordOctets } from '../sippasswd/credential.ts';
import { readStandardInput } from '../text-input.ts';
import { readSettings } from './settings.ts';
import { perform } from './target.ts';

/** Runs `sipctl ha1`. */
export function run(context: Context): Promise<number> {
  return perform(context, printHashes);
}

async function printHashes(context: Context): Promise<number | Refusal> {
  const self = context.arguments.user === undefined ? invokingAccount() : undefined;
  const user = context.arguments.user ?? (self as Account).name;
  const realm = textOption(context, 'realm') ?? fromOctets(readSettings(context.report, self).server.realm);
  for (const [what, text] of [
    ['user', user],
    ['realm', realm],
  ] as const)
    if (text === '' || /\p{Control}/u.test(text))
      return refusal(sysExit.EX_DATAERR, `${what}: expected printable characters`);
  const password = await readPassword(user);
  if (isRefusal(password)) return password;
  const hashes = hashesOf(toOctets(user), toOctets(realm), passwordOctets(password));
  if (context.report.json) context.report.value({ user, realm, ...hashes });
  else for (const [name, hash] of Object.entries(hashes)) context.report.print(`${name}: ${hash}`);
  return sysExit.EX_OK.code;
}

/** Named as the fields of passwd are. */
function hashesOf(user: string, realm: string, password: string): Record<string, string> {
  const both = (field: string, algorithm: Parameters<typeof ha1>[0]) => ({
    [`ha1${field}`]: ha1(algorithm, user, realm, password),
    [`ha1b${field}`]: ha1b(algorithm, user, realm, realm, password),
  });
  return { ...both('', 'MD5'), ...both('_sha256', 'SHA-256'), ...both('_sha512_256', 'SHA-512-256') };
}

async function readPassword(user: string): Promise<string | Refusal> {
  const text = process.stdin.isTTY ? await typedPassword(user) : inputPassword();
  if (isRefusal(text)) return text;
  const why = checkNewPassword(text);
  return why === undefined ? text : refusal(sysExit.EX_DATAERR, why);
}

async function typedPassword(user: string): Promise<string | Refusal> {
  const typed = await askPassword(`SIP password of ${user}:`);
  return typed.type === 'typed' ? typed.text : refusal(sysExit.EX_NOINPUT, 'interrupted');
}

function inputPassword(): string | Refusal {
  const input = readStandardInput(MAX_PASSWORD_BYTES + 1);
  return input.type === 'text' ? input.text.replace(/\n$/, '') : refusal(sysExit.EX_NOINPUT, input.why);
}
