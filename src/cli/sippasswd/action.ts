// What a command line of sippasswd asks for, and which options go with it. Pure.

import { type Context, isSet } from '../command.ts';
import { passwdExit } from '../exit-codes.ts';
import { type Refusal, refusal } from '../refusal.ts';

/** Which other options each action takes; the first is what no action's option means. */
const actions = {
  set: ['stdin', 'generate', 'realm', 'did', 'format', 'json'],
  lock: ['json'],
  unlock: ['json'],
  expire: ['json'],
  delete: ['realm', 'did', 'json'],
  status: ['all', 'realm', 'did', 'json'],
  verify: ['stdin', 'realm', 'did', 'json'],
  batch: ['realm', 'did', 'format', 'json'],
  import: ['realm', 'did', 'format', 'json'],
} as const satisfies Record<string, readonly string[]>;

export type Action = keyof typeof actions;

/** Finds the action; two of them, or an option that does not go with it, is refused. */
export function actionOf(context: Context): Action | Refusal {
  const given = Object.keys(context.options).filter((key) => isSet(context, key));
  const chosen = given.filter((key) => key in actions);
  const [action = 'set', other] = chosen as Action[];
  if (other !== undefined) return refusal(passwdExit.usage, `--${action} and --${other} exclude each other`);
  const taken: readonly string[] = actions[action];
  const stray = given.find((key) => key !== action && !taken.includes(key));
  if (stray !== undefined) return refusal(passwdExit.usage, strayOption(action, stray));
  const user = context.arguments.user;
  const root = action === 'lock' || action === 'unlock' || action === 'expire';
  if (root && user === undefined)
    return refusal(passwdExit.usage, `--${action} needs the name of an account`);
  const many = action === 'batch' || action === 'import' || isSet(context, 'all');
  if (many && user !== undefined)
    return refusal(passwdExit.usage, `no account is named with --${isSet(context, 'all') ? 'all' : action}`);
  return action;
}

function strayOption(action: Action, stray: string): string {
  if (stray === 'all') return '--all needs --status';
  return action === 'set' ? `--${stray} needs another option` : `--${stray} does not go with --${action}`;
}
