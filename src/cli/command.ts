// What a program and its commands are, as plain data: the one source of parsing, help, completions and man checks. Pure.

import { exitCodes, type ProgramName } from './exit-codes.ts';
import type { Report } from './report.ts';

/** What a shell offers as a value: accounts, files, the last twelve months, days and times, or nothing. */
type Completes = 'user' | 'file' | 'month' | 'day' | 'time';

/** A positional argument; all of them are single words. */
export interface ArgumentDefinition {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly completes?: Completes;
}

/** An option. Its key in `Context.options` is its long name, or its letter where it has none. */
export interface OptionDefinition {
  /** One dash and one letter. */
  readonly short?: string;
  /** Two dashes and a word. */
  readonly long?: string;
  /** The name of its value, in capitals as help shows it; without one the option is a switch. */
  readonly value?: string;
  readonly optionalValue?: boolean;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly completes?: Completes;
  /** May be given more than once: its value is then a list. */
  readonly repeatable?: boolean;
}

/** What a command gets to run: the parsed command line and the way to speak. */
export interface Context {
  readonly program: ProgramName;
  /** The words that chose the command: `['ul', 'show']`; empty for a program without commands. */
  readonly command: readonly string[];
  /** By the argument's name; undefined where it was left out. */
  readonly arguments: Readonly<Record<string, string | undefined>>;
  readonly options: Options;
  readonly report: Report;
}

export type OptionValue = string | true | readonly string[];
type Options = Readonly<Record<string, OptionValue | undefined>>;

/** A command: either it runs, or it has commands of its own. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options?: readonly OptionDefinition[];
  readonly commands?: readonly CommandDefinition[];
  /** Loads the module that does it; `run` resolves to the exit code. */
  readonly run?: () => Promise<{ run(context: Context): Promise<number> }>;
}

/** A whole program. */
export interface ProgramDefinition extends CommandDefinition {
  readonly name: ProgramName;
  /** Lines under its help. */
  readonly epilogue?: string;
}

/** The words that are offered for days and times; dates are typed. */
export const completedWords: Partial<Record<Completes, readonly string[]>> = {
  day: ['today', 'yesterday'],
  time: ['today', 'yesterday', 'now', '-7d', '-30d'],
};

/** The key of an option in `Context.options`. */
export function optionKey(option: OptionDefinition): string {
  return option.long?.slice(2) ?? option.short?.slice(1) ?? '';
}

/** Whether a switch was given. */
export function isSet(context: Context, key: string): boolean {
  return context.options[key] !== undefined;
}

/** The value of an option with a single one; undefined where it was not given or came without its value. */
export function textOption(context: Context, key: string): string | undefined {
  const value = context.options[key];
  return typeof value === 'string' ? value : undefined;
}

/** The values of a repeatable option in their order. */
export function listOption(context: Context, key: string): readonly string[] {
  const value = context.options[key];
  return Array.isArray(value) ? value : [];
}

/** A program's commands with the words that choose each; the program itself comes first. */
export function commandsOf(
  definition: CommandDefinition,
  path: readonly string[] = [definition.name],
): { path: readonly string[]; command: CommandDefinition }[] {
  const inner = (definition.commands ?? []).flatMap((command) =>
    commandsOf(command, [...path, command.name]),
  );
  return [{ path, command: definition }, ...inner];
}

/** The help option that every command has. */
export const helpOption: OptionDefinition = { short: '-h', long: '--help', description: 'show this help' };

/** The option that every program has, and none of its commands. */
export const versionOption: OptionDefinition = { long: '--version', description: 'show the version' };

/** A command's options, the one for help last. */
export function optionsOf(command: CommandDefinition): readonly OptionDefinition[] {
  const ofPrograms = command.name in exitCodes ? [versionOption] : [];
  return [...(command.options ?? []), ...ofPrograms, helpOption];
}

/** The names an option is written with: `['-l', '--lock']`. */
export function namesOf(option: OptionDefinition): string[] {
  return [option.short, option.long].filter((name) => name !== undefined);
}
