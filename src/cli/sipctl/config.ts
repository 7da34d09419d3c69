// sipctl config: a user's settings in ~/.sr/config, shown, changed and checked by the keyword table (DESIGN §2, §3, §6).

import { formatSetting, type Settings } from '../../home/config.ts';
import { setKeyword, unsetKeyword } from '../../home/config-edit.ts';
import { type KeywordName, keywordEntry, keywords } from '../../home/keywords.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { configPath, editUserConfig, readUserConfig } from '../../store/config-file.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { checkFile } from './config-check.ts';
import { editInEditor } from './config-editor.ts';
import { readKeyword, readValue } from './config-value.ts';
import { readSettings, type ToolSettings, userConfig, userSettings } from './settings.ts';
import { perform, targetOf } from './target.ts';

const actions: Readonly<Record<string, (context: Context) => Promise<number | Refusal> | number | Refusal>> =
  {
    show,
    get,
    set,
    unset,
    edit: editInEditor,
    check: checkFile,
  };

/** Runs `sipctl config show|get|set|unset|edit|check`. */
export function run(context: Context): Promise<number> {
  const action = actions[context.command.at(-1) ?? ''];
  if (action === undefined) throw new Error(`no action ${context.command.join(' ')}`);
  return perform(context, action);
}

/** Whose settings they are, those of the server above them, and what holds. */
interface Subject {
  readonly account: Account;
  readonly server: ToolSettings;
  readonly effective: Settings;
}

function subjectOf(context: Context): Subject | Refusal {
  const account = targetOf(textOption(context, 'user'));
  if (isRefusal(account)) return account;
  const server = readSettings(context.report, account);
  const content = readUserConfig(account, server.strictModes) ?? '';
  if (isTrouble(content)) return refusalOf(context.program, content);
  const path = configPath(account);
  for (const fault of userConfig(content, path).faults) context.report.fault(fault);
  return { account, server, effective: userSettings(server, content, path) };
}

/** Prints every keyword of a user's that is in effect, as a configuration file has it. */
function show(context: Context): number | Refusal {
  const subject = subjectOf(context);
  if (isRefusal(subject)) return subject;
  const names = (Object.keys(keywords) as KeywordName[]).filter(
    (name) => keywordEntry(name).scope !== 'server',
  );
  const { report } = context;
  if (report.json)
    report.value(Object.fromEntries(names.map((name) => [name, shownValue(subject.effective[name])])));
  else
    for (const name of names)
      for (const line of formatSetting(name, subject.effective[name])) report.print(fromOctets(line));
  return sysExit.EX_OK.code;
}

/** Prints the value of one keyword that is in effect, a line of the file a line; nothing where there is none. */
function get(context: Context): number | Refusal {
  const keyword = readKeyword(context.arguments.keyword ?? '');
  if (isRefusal(keyword)) return keyword;
  const subject = subjectOf(context);
  if (isRefusal(subject)) return subject;
  const value: unknown = subject.effective[keyword];
  if (context.report.json) context.report.value(shownValue(value));
  else if (value !== undefined)
    for (const words of keywordEntry(keyword).value.format(value))
      context.report.print(fromOctets(words.join(' ')));
  return sysExit.EX_OK.code;
}

function set(context: Context): number | Refusal {
  const keyword = readKeyword(context.arguments.keyword ?? '');
  if (isRefusal(keyword)) return keyword;
  const read = readValue(keyword, context.arguments.value ?? '', 'user');
  if (isRefusal(read)) return read;
  return change(context, keyword, read.value, (content) => setKeyword(content, keyword, read.words));
}

/** Also takes out what is no keyword, where the file has it. */
function unset(context: Context): number | Refusal {
  const { keyword: given = '', name } = context.arguments;
  if (name !== undefined && readKeyword(given) !== 'Attr')
    return refusal(sysExit.EX_USAGE, 'only a line of Attr has a name');
  const found = readKeyword(given);
  const keyword = isRefusal(found) ? given : found;
  let changed = false;
  const done = change(context, isRefusal(found) ? undefined : found, undefined, (content) => {
    const edited = unsetKeyword(content, keyword, name === undefined ? undefined : toOctets(name));
    changed = edited !== content;
    return edited;
  });
  return isRefusal(found) && !changed && done === sysExit.EX_OK.code ? found : done;
}

function change(
  context: Context,
  keyword: KeywordName | undefined,
  value: unknown,
  edit: (content: string) => string,
): number | Refusal {
  const account = targetOf(textOption(context, 'user'));
  if (isRefusal(account)) return account;
  const server = readSettings(context.report, account);
  const written = editUserConfig(account, edit, server.strictModes);
  if (isTrouble(written)) return refusalOf(context.program, written);
  if (keyword !== undefined && value !== undefined) warn(context, keyword, value, server);
  if (context.report.json) context.report.value({ path: configPath(account), changed: written });
  return sysExit.EX_OK.code;
}

/** Says what a value that was taken does not do. */
function warn({ report }: Context, keyword: KeywordName, value: unknown, { server }: ToolSettings): void {
  const entry = keywordEntry(keyword);
  const most = server.keywords[keyword];
  if (entry.capped && typeof most === 'number' && typeof value === 'number' && value > most)
    report.warning(`${keyword}: the server's ${most} is the most`);
}

/** A value for `--json`: text as UTF-8, undefined as null. */
function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return fromOctets(value);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shownValue(part)]));
}
