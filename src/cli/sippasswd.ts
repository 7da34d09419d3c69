// sippasswd: finds out what is asked for and has it done.

import { warmThreadPool } from '../unix/as-user.ts';
import type { Context } from './command.ts';
import { isRefusal } from './refusal.ts';
import { type Action, actionOf } from './sippasswd/action.ts';
import { batchPasswords, importPasswords } from './sippasswd/bulk.ts';
import { deletePassword } from './sippasswd/delete.ts';
import { expireAccount, lockAccount, unlockAccount } from './sippasswd/lock.ts';
import { setPassword } from './sippasswd/set.ts';
import { showStatus } from './sippasswd/status.ts';
import { openTools, stop, type Tools } from './sippasswd/subject.ts';
import { verifyPassword } from './sippasswd/verify.ts';

const runs = {
  set: setPassword,
  lock: lockAccount,
  unlock: unlockAccount,
  expire: expireAccount,
  delete: deletePassword,
  status: showStatus,
  verify: verifyPassword,
  batch: batchPasswords,
  import: importPasswords,
} satisfies Record<Action, (context: Context, tools: Tools) => Promise<number>>;

/** Runs one invocation and resolves to its exit code. */
export async function run(context: Context): Promise<number> {
  const action = actionOf(context);
  if (isRefusal(action)) return stop(context, action);
  await warmThreadPool();
  const tools = await openTools(context);
  if (isRefusal(tools)) return stop(context, tools);
  try {
    return await runs[action](context, tools);
  } finally {
    tools.store.close();
  }
}
