// fish completion from a program's definition: a function that finds the command, then one line an option. Pure.

import {
  type CommandDefinition,
  commandsOf,
  completedWords,
  type OptionDefinition,
  optionsOf,
  type ProgramDefinition,
} from './command.ts';

/** Formats the completion of a program for fish 3. */
export function fishCompletion(program: ProgramDefinition): string {
  const commands = commandsOf(program);
  const chosen = commands.slice(1).map(({ path }) => quote(path.join(' ')));
  return `# fish completion of ${program.name}, generated from its definition by: node build.js --completions

function __${program.name}_at
  set -l words (commandline -opc)
  set -l path ${program.name}
  for word in $words[2..]
${chosen.length > 0 ? `    switch "$path $word"\n      case ${chosen.join(' ')}\n        set path "$path $word"\n    end\n` : ''}  end
  test "$path" = "$argv"
end

complete -c ${program.name} -f
${commands.flatMap(({ path, command }) => linesOf(program.name, path, command)).join('\n')}
`;
}

function linesOf(program: string, path: readonly string[], command: CommandDefinition): string[] {
  const here = `complete -c ${program} -n '__${program}_at ${path.join(' ')}'`;
  const inner = command.commands ?? [];
  const completes = new Set((command.arguments ?? []).map((argument) => argument.completes));
  return [
    ...inner.map(({ name, summary }) => `${here} -a ${name} -d ${quote(summary)}`),
    ...(completes.has('user') ? [`${here} -a '(__fish_complete_users)'`] : []),
    ...(completes.has('file') ? [`${here} -F`] : []),
    ...optionsOf(command).map((option) => `${here}${optionWords(option)} -d ${quote(option.description)}`),
  ];
}

/** The months from this one back. */
const MONTHS = '(for i in (seq 0 11); date -d (date +%Y-%m-15)" -$i month" +%Y-%m; end)';

function optionWords(option: OptionDefinition): string {
  const names = `${option.short ? ` -s ${option.short.slice(1)}` : ''}${option.long ? ` -l ${option.long.slice(2)}` : ''}`;
  const { completes } = option;
  const listed = completes === undefined ? undefined : completedWords[completes];
  const forced = option.optionalValue ? '' : ' -x';
  if (listed !== undefined) return `${names}${forced} -a ${quote(listed.join(' '))}`;
  if (completes === 'month') return `${names}${forced} -a ${quote(MONTHS)}`;
  if (option.value === undefined || option.optionalValue) return names;
  if (option.choices !== undefined) return `${names} -x -a ${quote(option.choices.join(' '))}`;
  if (option.completes === 'user') return `${names} -x -a '(__fish_complete_users)'`;
  return option.completes === 'file' ? `${names} -r -F` : `${names} -x`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
