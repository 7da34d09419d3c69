// What setup asks, and where each answer comes from: a flag, the terminal, or what holds already.

import { matchesGlob } from '../../home/glob.ts';
import { keywordEntry } from '../../home/keywords.ts';
import { fromOctets, toOctets } from '../../message/octets.ts';
import { refusalOf } from '../../store/access.ts';
import type { ServerSettings } from '../../store/server-settings.ts';
import { type Account, findAccount, groupExists } from '../../unix/nss.ts';
import { createNssCache } from '../../unix/nss-cache.ts';
import { type Context, isSet, type OptionValue } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { readValue } from './config-value.ts';

/** What a host is to be. Words and group are octets. */
export interface Answers {
  readonly realm: string;
  /** The words of one line of `Listen`. */
  readonly listen: readonly string[];
  readonly group: string;
  readonly users: readonly Account[];
}

/** One question. Elements of an answer are separated by commas. */
interface Question<T> {
  /** The key of its option. */
  readonly flag: string;
  readonly message: string;
  readonly initial: string;
  readonly read: (text: string) => T | Refusal;
}

/** Finds all answers; `settings` is what holds already. */
export async function askAll(context: Context, settings: ServerSettings): Promise<Answers | Refusal> {
  const realm = await answer(context, realmQuestion(settings));
  if (isRefusal(realm)) return realm;
  const listen = await answer(context, listenQuestion(settings));
  if (isRefusal(listen)) return listen;
  const group = await answer(context, groupQuestion(settings));
  if (isRefusal(group)) return group;
  const users = await answer(context, usersQuestion(settings, group));
  return isRefusal(users) ? users : { realm, listen, group: toOctets(group), users };
}

/** Asks whether to go on; Enter means yes. */
export async function confirm(message: string): Promise<boolean | Refusal> {
  return prompt({ type: 'confirm', name: 'answer', message, default: true });
}

function realmQuestion({ realm }: ServerSettings): Question<string> {
  return {
    flag: 'realm',
    message: 'Realm of challenges and passwords:',
    initial: fromOctets(realm),
    read(text) {
      const read = readValue('Realm', text, 'server');
      return isRefusal(read) ? read : (read.value as string);
    },
  };
}

function listenQuestion({ keywords }: ServerSettings): Question<readonly string[]> {
  const lines = keywordEntry('Listen').value.format(keywords.Listen);
  return {
    flag: 'listen',
    message: 'Listen on, * being all addresses:',
    initial: fromOctets(lines.map((words) => words.join(' ')).join(', ')),
    read(text) {
      const read = readValue('Listen', text.replaceAll(',', ' '), 'server');
      return isRefusal(read) ? read : read.words;
    },
  };
}

function groupQuestion({ access }: ServerSettings): Question<string> {
  const named = access.allowGroups.find((name) => !/[*?]/.test(name));
  return {
    flag: 'group',
    message: 'Group whose members are served:',
    initial: named === undefined ? 'sip' : fromOctets(named),
    read(text) {
      const isName = /^[a-z_][a-z\d_-]{0,31}$/.test(text) || (/^[^-]/.test(text) && groupExists(text));
      return isName
        ? text
        : refusal(sysExit.EX_DATAERR, 'group: expected a name of small letters, digits, _ and -');
    },
  };
}

function usersQuestion({ access }: ServerSettings, group: string): Question<readonly Account[]> {
  const nss = createNssCache();
  const allowed = access.allowGroups.some((name) => matchesGlob(name, toOctets(group)))
    ? access.allowGroups
    : [toOctets(group)];
  return {
    flag: 'user',
    message: 'First users, none or some:',
    initial: '',
    read(text) {
      const accounts: Account[] = [];
      for (const name of new Set(text.split(/[\s,]+/).filter(Boolean))) {
        const account = findAccount(name);
        if (account === undefined) return refusal(sysExit.EX_NOUSER, `user ${name} does not exist`);
        const groups = [...nss.groupNamesOf(account), toOctets(group)];
        const why = refusalOf(account, groups, { ...access, allowGroups: allowed });
        if (why !== undefined) return refusal(sysExit.EX_CONFIG, `user ${name}: ${why}`);
        accounts.push(account);
      }
      return accounts;
    },
  };
}

async function answer<T>(context: Context, question: Question<T>): Promise<T | Refusal> {
  const given = textOf(context.options[question.flag]);
  if (given !== undefined) return question.read(given);
  if (isSet(context, 'yes')) return question.read(question.initial);
  const typed = await prompt<string>({
    type: 'input',
    name: 'answer',
    message: question.message,
    default: question.initial,
    validate: (text: string) => {
      const read = question.read(text.trim());
      return isRefusal(read) ? read.text : true;
    },
  });
  return isRefusal(typed) ? typed : question.read(typed.trim());
}

function textOf(value: OptionValue | undefined): string | undefined {
  if (value === undefined || value === true) return undefined;
  return typeof value === 'string' ? value : value.join(',');
}

async function prompt<T>(question: {
  readonly type: 'input' | 'confirm';
  readonly name: 'answer';
  readonly message: string;
  readonly default: string | boolean;
  readonly validate?: (text: string) => string | true;
}): Promise<T | Refusal> {
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.createPromptModule({ output: process.stderr });
  try {
    return ((await ask([question as never])) as { answer: T }).answer;
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError')
      return refusal(sysExit.EX_NOINPUT, 'interrupted; nothing changed');
    throw error;
  }
}
