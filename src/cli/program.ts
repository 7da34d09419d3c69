// Builds commander's parser from a program's definition and runs the command that the words choose.

import { Command, CommanderError, Option } from 'commander';
import {
  type CommandDefinition,
  type Context,
  helpOption,
  namesOf,
  type OptionDefinition,
  type OptionValue,
  optionKey,
  type ProgramDefinition,
  versionOption,
} from './command.ts';
import { softwareExit, usageExit } from './exit-codes.ts';
import { createReport } from './report.ts';
import { version } from './version.ts';

/** Runs a program with the words after its name and resolves to its exit code; prints what it has to say. */
export async function runProgram(definition: ProgramDefinition, words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const root = buildCommand(definition, definition, [], async (code) => {
    exitCode = await code;
  });
  root.version(version, versionOption.long, versionOption.description);
  if (definition.epilogue !== undefined) root.addHelpText('after', `\n${definition.epilogue}`);
  try {
    await root.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExit(definition.name);
    createReport(definition.name, { json: false }).error(`internal error: ${describe(error)}`);
    return softwareExit(definition.name);
  }
}

function buildCommand(
  program: ProgramDefinition,
  definition: CommandDefinition,
  path: readonly string[],
  done: (code: Promise<number>) => Promise<void>,
): Command {
  const command = new Command(definition.name)
    .description(definition.summary)
    .helpOption(namesOf(helpOption).join(', '), helpOption.description)
    .helpCommand(false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeErr: (text) => process.stderr.write(text),
      outputError: (text, write) => write(prefixed(program.name, text)),
    });
  for (const argument of definition.arguments ?? []) {
    const name = argument.required ? `<${argument.name}>` : `[${argument.name}]`;
    command.argument(name, argument.description);
  }
  for (const option of definition.options ?? []) command.addOption(buildOption(option));
  for (const inner of definition.commands ?? []) {
    command.addCommand(buildCommand(program, inner, [...path, inner.name], done));
  }
  const { run } = definition;
  if (run !== undefined) {
    command.action(() => {
      const context = contextOf(program, definition, path, command);
      return done(run().then((module) => module.run(context)));
    });
  }
  return command;
}

function buildOption(option: OptionDefinition): Option {
  const names = namesOf(option).join(', ');
  const value =
    option.value === undefined ? '' : option.optionalValue ? ` [${option.value}]` : ` <${option.value}>`;
  const built = new Option(names + value, option.description);
  if (option.choices !== undefined) built.choices([...option.choices]);
  if (option.repeatable) {
    built.argParser((word: string, before: string[] | undefined) => [...(before ?? []), word]);
  }
  return built;
}

function contextOf(
  program: ProgramDefinition,
  definition: CommandDefinition,
  path: readonly string[],
  command: Command,
): Context {
  const options: Record<string, OptionValue | undefined> = {};
  const values = command.opts<Record<string, OptionValue | undefined>>();
  for (const [index, option] of command.options.entries()) {
    const described = definition.options?.[index];
    if (described !== undefined) options[optionKey(described)] = values[option.attributeName()];
  }
  const words: Record<string, string | undefined> = {};
  for (const [index, argument] of (definition.arguments ?? []).entries()) {
    words[argument.name] = command.processedArgs[index];
  }
  const report = createReport(program.name, { json: options.json !== undefined });
  return { program: program.name, command: path, arguments: words, options, report };
}

function prefixed(program: string, text: string): string {
  return `${program}: ${text.replace(/^error: /, '')}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
