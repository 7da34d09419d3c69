// sipctl config check: every fault of a configuration file (DESIGN §2, §3).

import { realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { ParsedConfig } from '../../home/config.ts';
import type { Fault } from '../../home/fault.ts';
import { toOctets } from '../../message/octets.ts';
import { configPath, readUserConfig } from '../../store/config-file.ts';
import { hostConfigPath, readServerSettings } from '../../store/server-settings.ts';
import { type Context, isSet, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { readNamedFile } from '../text-input.ts';
import { readSettings, userConfig } from './settings.ts';
import { targetOf } from './target.ts';

const maxBytes = 1024 * 1024;

/** What is wrong with a file. */
export interface Findings {
  readonly path: string;
  readonly faults: readonly Fault[];
}

/** Checks the file that is named, or the user's own. */
export function checkFile(context: Context): number | Refusal {
  const { file } = context.arguments;
  const found = file === undefined ? checkOwn(context) : checkNamed(file, isServerFile(context, file));
  if (isRefusal(found)) return found;
  if (context.report.json) context.report.value({ ...found, ok: found.faults.length === 0 });
  else reportFindings(context, found);
  return found.faults.length > 0 ? sysExit.EX_CONFIG.code : sysExit.EX_OK.code;
}

/** Reports findings on stderr. */
export function reportFindings({ report }: Context, { faults }: Findings): void {
  for (const fault of faults) report.fault(fault);
}

/** Checks the content of a user's file. */
export function checkUserContent(content: string, path: string): Findings {
  const parsed = userConfig(content, path);
  return { path, faults: [...parsed.faults, ...tornFault(parsed)] };
}

function checkOwn(context: Context): Findings | Refusal {
  const account = targetOf(textOption(context, 'user'));
  if (isRefusal(account)) return account;
  const content = readUserConfig(account, readSettings(context.report, account).strictModes);
  if (isTrouble(content)) return refusalOf(context.program, content);
  return checkUserContent(content ?? '', configPath(account));
}

function checkNamed(path: string, isServers: boolean): Findings | Refusal {
  const input = readNamedFile(path, maxBytes);
  if (input.type === 'unreadable') return refusal(sysExit.EX_NOINPUT, input.why);
  if (!isServers) return checkUserContent(toOctets(input.text), path);
  return { path, faults: readServerSettings({ file: path }).faults };
}

/** The file of the host, one named like the one of an own server, or what is said to be a server's. */
function isServerFile(context: Context, file: string): boolean {
  return (
    isSet(context, 'server') || basename(file) === 'server' || realPath(file) === realPath(hostConfigPath)
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function tornFault({ path, tornLine }: ParsedConfig): Fault[] {
  return tornLine === undefined ? [] : [{ path, line: tornLine, text: 'the last line does not end' }];
}
