// Commander built from definitions: what a command gets, and what a faulty command line comes to.

import { describe, expect, test } from 'vitest';
import type { ProgramDefinition } from '../../src/cli/command.ts';
import { type Context, commandsOf, isSet, listOption, namesOf, textOption } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { runProgram } from '../../src/cli/program.ts';
import { sipacct } from '../../src/cli/sipacct-definition.ts';
import { sipctl } from '../../src/cli/sipctl-definition.ts';
import { sippasswd } from '../../src/cli/sippasswd-definition.ts';

/** Runs a program whose one command keeps its context. */
async function contextOf(words: readonly string[]): Promise<Context | undefined> {
  let kept: Context | undefined;
  const definition: ProgramDefinition = {
    name: 'sipctl',
    summary: '',
    commands: [
      {
        name: 'ul',
        summary: '',
        commands: [
          {
            name: 'add',
            summary: '',
            arguments: [
              { name: 'user', description: '', required: true },
              { name: 'contact', description: '' },
            ],
            options: [
              { short: '-f', value: 'FILE', description: '' },
              { short: '-o', value: 'K=V', description: '', repeatable: true },
              { short: '-t', description: '' },
              { short: '-T', description: '' },
              { long: '--month', value: 'MONTH', optionalValue: true, description: '' },
              { long: '--json', description: '' },
            ],
            run: async () => ({
              run: async (context) => {
                kept = context;
                return 7;
              },
            }),
          },
        ],
      },
    ],
  };
  expect(await runProgram(definition, words)).toBe(7);
  return kept;
}

describe('a command gets', () => {
  test('its words, options by long name or letter, and repeated values in order', async () => {
    const context = await contextOf([
      'ul',
      'add',
      'jan',
      'sip:x',
      '-f',
      'F',
      '-o',
      'a=1',
      '-T',
      '-o',
      'b=2',
      '--json',
    ]);
    if (context === undefined) throw new Error('did not run');
    expect(context).toMatchObject({ program: 'sipctl', command: ['ul', 'add'] });
    expect(context.arguments).toEqual({ user: 'jan', contact: 'sip:x' });
    expect(textOption(context, 'f')).toBe('F');
    expect(listOption(context, 'o')).toEqual(['a=1', 'b=2']);
    expect([isSet(context, 't'), isSet(context, 'T'), context.report.json]).toEqual([false, true, true]);
  });

  test('undefined for what is left out, and a mere presence for an optional value', async () => {
    const context = await contextOf(['ul', 'add', 'jan', '--month']);
    if (context === undefined) throw new Error('did not run');
    expect(context.arguments).toEqual({ user: 'jan', contact: undefined });
    expect([isSet(context, 'month'), textOption(context, 'month'), listOption(context, 'o')]).toEqual([
      true,
      undefined,
      [],
    ]);
  });
});

describe('the definitions', () => {
  const commands = [sippasswd, sipctl, sipacct].flatMap((program) => commandsOf(program));

  test('either run or have commands, and never give a name twice', () => {
    for (const { path, command } of commands) {
      expect((command.run === undefined) !== (command.commands === undefined), path.join(' ')).toBe(true);
      const names = [...(command.options ?? []).flatMap(namesOf), '-h', '--help'];
      expect(new Set(names).size, path.join(' ')).toBe(names.length);
    }
  });

  test('say everything in lines that fit', () => {
    for (const { command } of commands) {
      for (const { description } of [...(command.options ?? []), ...(command.arguments ?? [])]) {
        expect(description).toMatch(/^\S.{1,79}$/);
      }
    }
  });

  test('name modules that exist and export run', async () => {
    for (const { path, command } of commands) {
      if (command.run !== undefined)
        expect(typeof (await command.run()).run, path.join(' ')).toBe('function');
    }
  });
});

test("the exit codes of sippasswd are passwd(1)'s, the others sysexits(3)'s", () => {
  expect(Object.values(exitCodes.sippasswd).map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 130]);
  for (const [name, { code }] of Object.entries(exitCodes.sipctl)) {
    expect(name).toMatch(/^EX_/);
    expect(code === 0 || (code >= 64 && code <= 78)).toBe(true);
  }
});
