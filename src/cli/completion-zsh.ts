// zsh completion from a program's definition: one function a command, by _arguments. Pure.

import {
  type ArgumentDefinition,
  type CommandDefinition,
  commandsOf,
  completedWords,
  namesOf,
  type OptionDefinition,
  optionsOf,
  type ProgramDefinition,
} from './command.ts';

/** Formats the completion of a program for zsh 5. */
export function zshCompletion(program: ProgramDefinition): string {
  const functions = commandsOf(program).map(({ path, command }) => functionOf(path, command));
  return `#compdef ${program.name}
# Generated from its definition by: node build.js --completions

${functions.reverse().join('\n')}
_${program.name} "$@"
`;
}

function functionOf(path: readonly string[], command: CommandDefinition): string {
  const specs = optionsOf(command).map(optionSpec);
  const inner = command.commands ?? [];
  if (inner.length === 0) {
    const words = (command.arguments ?? []).map(argumentSpec);
    return `${nameOf(path)}() {\n  _arguments -s \\\n    ${[...specs, ...words].join(' \\\n    ')}\n}\n`;
  }
  const described = inner.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n');
  const cases = inner.map(({ name }) => `        ${name}) ${nameOf([...path, name])} ;;`).join('\n');
  return `${nameOf(path)}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${described}
  )
  _arguments -C \\
    ${specs.join(' \\\n    ')} \\
    '1: :->command' \\
    '*:: :->words'
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
${cases}
      esac
      ;;
  esac
}
`;
}

function optionSpec(option: OptionDefinition): string {
  const names = namesOf(option);
  const once = option.repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  const text = `[${option.description.replaceAll(/[[\]]/g, '\\$&')}]`;
  const colon = option.optionalValue ? '::' : ':';
  const value = option.value === undefined ? '' : `${colon}${option.value}:${action(option)}`;
  if (names.length === 1) return quote(once + names[0] + text + value);
  return `${once === '' ? '' : quote(once)}{${names.join(',')}}${quote(text + value)}`;
}

function argumentSpec(argument: ArgumentDefinition): string {
  return quote(`${argument.required ? ':' : '::'}${argument.name}:${action(argument)}`);
}

function action({ choices, completes }: Pick<OptionDefinition, 'choices' | 'completes'>): string {
  if (choices !== undefined) return `(${choices.join(' ')})`;
  const listed = completes === undefined ? undefined : completedWords[completes];
  if (listed !== undefined) return `{compadd -- ${listed.join(' ')}}`;
  if (completes === 'month') return `{compadd -- ${MONTHS}}`;
  if (completes === 'user') return '_users';
  return completes === 'file' ? '_files' : ' ';
}

/** The months from this one back. */
const MONTHS = '$(for i in {0..11}; do date -d "$(date +%Y-%m-15) -$i month" +%Y-%m; done)';

function nameOf(path: readonly string[]): string {
  return `_${path.join('_')}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
