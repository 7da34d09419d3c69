// bash completion from a program's definition: a walk over the words before the cursor, then what fits there. Pure.

import {
  type CommandDefinition,
  commandsOf,
  completedWords,
  namesOf,
  type OptionDefinition,
  optionsOf,
  type ProgramDefinition,
} from './command.ts';

/** Formats the completion of a program for bash 4 and later; needs no other package. */
export function bashCompletion(program: ProgramDefinition): string {
  const commands = commandsOf(program);
  return `# bash completion of ${program.name}, generated from its definition by: node build.js --completions

_${program.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path=${program.name} count=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
${grouped(
  commands.flatMap(({ path, command }) => walkCases(path.join(' '), command)),
  6,
)}
      *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case "$path $prev" in
${grouped(
  commands.flatMap(({ path, command }) => valueCases(path.join(' '), command)),
  4,
)}
  esac
  if [[ $cur == -* ]]; then
    case $path in
${grouped(
  commands.map(({ path, command }) => optionCase(path.join(' '), command)),
  6,
)}
    esac
    return
  fi
  case "$path $count" in
${grouped(
  commands.flatMap(({ path, command }) => wordCases(path.join(' '), command)),
  4,
)}
  esac
}

complete -F _${program.name} ${program.name}
`;
}

/** One line of a case statement: what is matched and what is done. */
interface Case {
  readonly pattern: string;
  readonly action: string;
}

/** What a word before the cursor means: a command, or an option whose value is the next word. */
function walkCases(path: string, command: CommandDefinition): Case[] {
  const inner = (command.commands ?? []).map(({ name }) => name);
  const valued = withValue(command).flatMap(namesOf);
  return [
    ...inner.map((name) => ({ pattern: `${path} ${name}`, action: 'path+=" $word" count=0' })),
    ...valued.map((name) => ({ pattern: `${path} ${name}`, action: 'i=$((i + 1))' })),
  ];
}

function valueCases(path: string, command: CommandDefinition): Case[] {
  const offered = (command.options ?? []).filter((option) => option.optionalValue && offer(option) !== '');
  return [...withValue(command), ...offered].flatMap((option) => {
    const complete = `${offer(option)}return`;
    // A value that need not be there is offered where no option has begun.
    const action = option.optionalValue ? `if [[ $cur != -* ]]; then ${complete}; fi` : complete;
    return namesOf(option).map((name) => ({ pattern: `${path} ${name}`, action }));
  });
}

function optionCase(path: string, command: CommandDefinition): Case {
  return { pattern: path, action: words(optionsOf(command).flatMap(namesOf)) };
}

function wordCases(path: string, command: CommandDefinition): Case[] {
  const inner = (command.commands ?? []).map(({ name }) => name);
  if (inner.length > 0) return [{ pattern: `${path} 0`, action: words(inner) }];
  return (command.arguments ?? [])
    .map((argument, at) => ({ pattern: `${path} ${at}`, action: offer(argument) }))
    .filter(({ action }) => action !== '');
}

/** Commands that fill COMPREPLY, each ended by a semicolon; empty if nothing can be offered. */
function offer({ choices, completes }: Pick<OptionDefinition, 'choices' | 'completes'>): string {
  if (choices !== undefined) return words(choices);
  const listed = completes === undefined ? undefined : completedWords[completes];
  if (listed !== undefined) return words(listed);
  if (completes === 'month') return reply(`compgen -W "${MONTHS}" -- "$cur"`);
  if (completes === 'user') return reply('compgen -u -- "$cur"');
  return completes === 'file' ? `compopt -o filenames 2>/dev/null; ${reply('compgen -f -- "$cur"')}` : '';
}

/** The months from this one back. */
const MONTHS = '$(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)';

function withValue(command: CommandDefinition) {
  return (command.options ?? []).filter((option) => option.value !== undefined && !option.optionalValue);
}

function words(list: readonly string[]): string {
  return reply(`compgen -W '${list.join(' ')}' -- "$cur"`);
}

function reply(command: string): string {
  return `mapfile -t COMPREPLY < <(${command}); `;
}

/** Formats cases, those that do the same in one. */
function grouped(cases: readonly Case[], indent: number): string {
  const patterns = new Map<string, string[]>();
  for (const { pattern, action } of cases)
    patterns.set(action, [...(patterns.get(action) ?? []), `'${pattern}'`]);
  return [...patterns]
    .map(([action, list]) => `${' '.repeat(indent)}${list.join(' | ')}) ${action.replace(/; $/, '')} ;;`)
    .join('\n');
}
