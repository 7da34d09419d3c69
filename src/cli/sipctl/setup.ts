// sipctl setup: a host made ready, its configuration, its group, its account and its first users; what is so already is left alone.

import { resolve } from 'node:path';
import { parsePasswd } from '../../home/passwd.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { credentialsPath, readCredentials } from '../../store/credentials-file.ts';
import { readServerConfig, replaceServerConfig } from '../../store/server-config.ts';
import { hostConfigPath, type ServerSettings, serverSettingsOf } from '../../store/server-settings.ts';
import { addMember, createGroup, createServerAccount, findTool, runTool } from '../../unix/group-tools.ts';
import { type Account, findAccount, findGroup, groupIdsOf } from '../../unix/nss.ts';
import { shellWord } from '../../unix/trouble.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { passwordState } from './password-state.ts';
import { changedLines, editedConfig } from './setup-plan.ts';
import { type Answers, askAll, confirm } from './setup-questions.ts';
import { isRoot, perform } from './target.ts';

/** Runs `sipctl setup`. */
export function run(context: Context): Promise<number> {
  return perform(context, setUp);
}

async function setUp(context: Context): Promise<number | Refusal> {
  if (!isRoot())
    return refusal(sysExit.EX_NOPERM, 'only root may write the configuration and the groups of a host');
  if (!isSet(context, 'yes') && !process.stdin.isTTY)
    return refusal(
      sysExit.EX_USAGE,
      'no terminal to ask on: give --yes, and by --realm, --listen, --group and --user what is not to stay as it is',
    );
  const path = resolve(textOption(context, 'f') ?? hostConfigPath);
  const file = readServerConfig(path);
  if (isTrouble(file)) return refusalOf(context.program, file);
  const before = file?.content ?? '';
  const { settings, faults } = serverSettingsOf(path, before);
  for (const fault of faults) context.report.fault(fault);
  if (faults.length > 0) return refusal(sysExit.EX_CONFIG, `${path} is to be mended first; nothing changed`);

  const answers = await askAll(context, settings);
  if (isRefusal(answers)) return answers;
  const after = editedConfig(before, settings, answers);
  const lines = changedLines(before, after);
  const { ServerUser } = serverSettingsOf(path, after).settings.keywords;
  const commands = commandsFor(answers, ServerUser);
  const missing = commands.map(([name = '']) => name).find((name) => findTool(name) === undefined);
  if (missing !== undefined)
    return refusal(sysExit.EX_UNAVAILABLE, `this host has no ${missing}; nothing changed`);

  const { report } = context;
  if (lines.length > 0) report.print(file === undefined ? `${path}, a new file:` : `${path}:`);
  for (const line of lines) report.print(`  ${fromOctets(line)}`);
  if (commands.length > 0) report.print('groups and accounts:');
  for (const words of commands)
    report.print(`  ${words.map((word) => (word.startsWith('-') ? word : shellWord(word))).join(' ')}`);
  if (lines.length + commands.length === 0) report.print('nothing to change: all of this is so already');
  else {
    const goOn = isSet(context, 'yes') || (await confirm('Do this?'));
    if (isRefusal(goOn)) return goOn;
    if (!goOn) {
      report.print('nothing changed');
      return sysExit.EX_OK.code;
    }
    if (lines.length > 0) {
      const trouble = replaceServerConfig(path, after, file?.version);
      if (trouble !== undefined) return refusalOf(context.program, trouble);
    }
    for (const words of commands) {
      const why = runTool(words);
      if (why !== undefined)
        return refusal(sysExit.EX_OSERR, `${words.join(' ')}: ${why}; what comes before it is done`);
    }
    report.print('done');
  }
  sayNext(context, path, serverSettingsOf(path, after).settings, answers.users);
  return sysExit.EX_OK.code;
}

/** The commands that make the group, its members and the server's own account what they are not yet. */
function commandsFor({ group: octets, users }: Answers, serverUser: string): (readonly string[])[] {
  const name = fromOctets(octets);
  const group = findGroup(name);
  const outside = users.filter((user) => group === undefined || !groupIdsOf(user).includes(group.gid));
  return [
    ...(group === undefined ? [createGroup(name)] : []),
    ...outside.map((user) => addMember(user.name, name)),
    ...(findAccount(serverUser) === undefined ? [createServerAccount(serverUser)] : []),
  ];
}

/** Prints the commands that are left to a person. */
function sayNext(
  { report }: Context,
  path: string,
  settings: ServerSettings,
  users: readonly Account[],
): void {
  const isHosts = path === hostConfigPath;
  const realm = isHosts ? '' : ` --realm ${shellWord(fromOctets(settings.realm))}`;
  report.print('next:');
  for (const user of users) {
    const ready = isReady(user, settings);
    const name = shellWord(user.name);
    if (ready === undefined) report.print(`  sipctl check ${name}`);
    else if (!ready) report.print(`  sippasswd${realm} ${name}`);
  }
  report.print(isHosts ? '  sipctl serve' : `  sipctl serve -f ${shellWord(path)}`);
}

/** Whether an account has a password for the server; undefined where its files are not fit to be read. */
function isReady(account: Account, settings: ServerSettings): boolean | undefined {
  const content = readCredentials(account, settings.strictModes);
  if (isTrouble(content)) return undefined;
  const options = { path: credentialsPath(account), owner: toOctets(account.name) };
  const { type } = passwordState(parsePasswd(content ?? '', options).credentials, settings);
  return type !== 'none' && type !== 'other-realm' && type !== 'other-did';
}
