// sipctl config edit: an editor on a private copy, as visudo(8) does; what comes back is checked before it is installed.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toOctets } from '../../message/octets.ts';
import { configPath, editUserConfig, readUserConfig } from '../../store/config-file.ts';
import { restoreGroups } from '../../unix/as-user.ts';
import type { Account } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { readNamedFile } from '../text-input.ts';
import { checkUserContent, reportFindings } from './config-check.ts';
import { readSettings } from './settings.ts';
import { targetOf } from './target.ts';

const maxBytes = 256 * 1024;

/** Edits a user's settings; nothing is installed that has a fault, unless the person insists. */
export async function editInEditor(context: Context): Promise<number | Refusal> {
  const account = targetOf(textOption(context, 'user'));
  if (isRefusal(account)) return account;
  const { strictModes } = readSettings(context.report, account);
  const before = readUserConfig(account, strictModes) ?? '';
  if (isTrouble(before)) return refusalOf(context.program, before);
  const directory = mkdtempSync(join(tmpdir(), 'sipctl-'));
  const copy = join(directory, 'config');
  let keep = false;
  try {
    writeFileSync(copy, Buffer.from(before, 'latin1'), { mode: 0o600 });
    const edited = await editCopy(context, copy, configPath(account), before);
    if (typeof edited !== 'string') return edited;
    const done = install(context, account, strictModes, before, edited);
    keep = isRefusal(done);
    return isRefusal(done) ? { ...done, text: `${done.text}; your edit is in ${copy}` } : done;
  } finally {
    if (!keep) rmSync(directory, { recursive: true });
  }
}

/** Runs the editor until the file is good, or the person takes it as it is; a number is the exit code of giving up. */
async function editCopy(
  context: Context,
  copy: string,
  path: string,
  before: string,
): Promise<string | number | Refusal> {
  for (;;) {
    const failed = runEditor(copy);
    if (failed !== undefined) return failed;
    const input = readNamedFile(copy, maxBytes);
    if (input.type === 'unreadable') return refusal(sysExit.EX_DATAERR, `${input.why}; nothing changed`);
    const edited = ended(toOctets(input.text));
    if (edited === before) {
      context.report.print(`${path} is unchanged`);
      return sysExit.EX_OK.code;
    }
    const findings = checkUserContent(edited, path);
    reportFindings(context, findings);
    if (findings.faults.length === 0) return edited;
    const answer = process.stdin.isTTY ? await ask() : 'discard';
    if (answer === 'install') return edited;
    if (answer === 'discard') return refusal(sysExit.EX_DATAERR, `${path} is unchanged`);
  }
}

/** Some editors leave the last line without its end; then it would not count. */
function ended(content: string): string {
  return content === '' || content.endsWith('\n') ? content : `${content}\n`;
}

function runEditor(copy: string): Refusal | undefined {
  const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
  // A started program gets the groups that this one was started with.
  restoreGroups();
  const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', copy], { stdio: 'inherit' });
  if (status === 0) return undefined;
  const why = error === undefined ? `it ended with ${status}` : error.message;
  return refusal(sysExit.EX_UNAVAILABLE, `editor ${editor}: ${why}; nothing changed`);
}

async function ask(): Promise<'edit' | 'discard' | 'install'> {
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  const question = {
    type: 'expand',
    name: 'answer',
    message: 'What now?',
    default: 'e',
    choices: [
      { key: 'e', name: 'edit again', value: 'edit' },
      { key: 'x', name: 'exit without changes', value: 'discard' },
      { key: 'q', name: 'install it as it is; faulty lines do not count', value: 'install' },
    ],
  } as const;
  try {
    return (await prompt([question])).answer;
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') return 'discard';
    throw error;
  }
}

/** Installs the edit over the file that was copied, and over no other. */
function install(
  context: Context,
  account: Account,
  strictModes: boolean,
  before: string,
  edited: string,
): number | Refusal {
  let changed = false;
  const written = editUserConfig(
    account,
    (content) => {
      changed = content !== before;
      return changed ? content : edited;
    },
    strictModes,
  );
  if (isTrouble(written)) return refusalOf(context.program, written);
  return changed
    ? refusal(sysExit.EX_TEMPFAIL, `${configPath(account)} was changed meanwhile`)
    : sysExit.EX_OK.code;
}
