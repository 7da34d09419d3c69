// sr_config(5) and the keyword table say the same; sipctl(8) has every command, option and exit code.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandsOf, namesOf } from '../../../src/cli/command.ts';
import { sysExit } from '../../../src/cli/exit-codes.ts';
import { sipctl } from '../../../src/cli/sipctl-definition.ts';
import { formatSetting } from '../../../src/home/config.ts';
import { gatewayKeywordEntry, gatewayKeywordNames } from '../../../src/home/gateway-keywords.ts';
import { blockKeywords, type KeywordName, keywordEntry, keywords } from '../../../src/home/keywords.ts';
import { SERVER_NAMES } from '../../../src/home/usrloc-text.ts';

const directory = resolve(import.meta.dirname, '../../../man');
const read = (page: string) => readFileSync(resolve(directory, page), 'utf8').split('\n');

/** The lines between a section's heading and the next. */
function section(lines: readonly string[], title: string): string[] {
  const start = lines.indexOf(`.Sh ${title}`);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('.Sh '));
  return start < 0 ? [] : lines.slice(start + 1, start + 1 + length);
}

interface Documented {
  readonly keyword: string;
  readonly isUsers: boolean;
  readonly lines: readonly string[];
}

/** The keywords of a section with the lines under each; items of inner lists are not among them. */
function keywordsIn(title: string, isUsers: boolean): Documented[] {
  const found: { keyword: string; isUsers: boolean; lines: string[] }[] = [];
  let depth = 0;
  for (const line of section(read('sr_config.5'), title)) {
    if (line.startsWith('.Bl ')) depth += 1;
    if (line === '.El') depth -= 1;
    const keyword = depth === 1 ? /^\.It Cm (\S+)/.exec(line)?.[1] : undefined;
    if (keyword !== undefined) found.push({ keyword, isUsers, lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

const documented = [...keywordsIn('SERVER KEYWORDS', false), ...keywordsIn('USER KEYWORDS', true)];
const names = Object.keys(keywords) as KeywordName[];

/** The values after `Default:`, or the sentence there. */
function defaultOf({ lines }: Documented): string[] | string {
  const at = lines.findIndex((line) => line.startsWith('Default:'));
  if (at < 0) return 'no default';
  const sentence = (lines[at] as string).slice('Default:'.length).trim();
  if (sentence !== '') return sentence;
  const rest = lines.slice(at + 1).filter((line) => !line.startsWith('.El'));
  const values = rest.map((line) => /^\.Cm (\S+) [.,]$/.exec(line)?.[1]?.replaceAll('\\&', ''));
  return values.includes(undefined) ? rest.join(' ') : (values as string[]);
}

test('sr_usrloc(5) has every parameter of the server, and no other', () => {
  const items = read('sr_usrloc.5').filter((line) => line.startsWith('.It Cm sr-'));
  const documented = items.flatMap((line) => line.slice('.It Cm '.length).split(' , '));
  expect(documented.sort()).toEqual([...SERVER_NAMES].sort());
});

describe('sr_config(5)', () => {
  test('has every keyword once, and no other', () => {
    expect(documented.map(({ keyword }) => keyword).sort()).toEqual([...names].sort());
    expect(keywordsIn('BLOCKS', true).map(({ keyword }) => keyword)).toEqual(Object.keys(blockKeywords));
  });

  test.each(documented.map((one) => [one.keyword, one] as const))(
    '%s as the table has it',
    (keyword, one) => {
      const entry = keywordEntry(keyword as KeywordName);
      expect(one.isUsers, 'its section').toBe(entry.scope !== 'server');
      const formatted = formatSetting(keyword as KeywordName, entry.default);
      if (formatted.length > 0)
        expect(defaultOf(one)).toEqual(formatted.map((line) => line.slice(keyword.length + 1)));
      else if (entry.help.includes('default:')) expect(defaultOf(one)).not.toMatch(/^(none\.|no default)$/);
      else expect(defaultOf(one)).toBe('none.');
    },
  );
});

describe('sr_config(5) on gateways', () => {
  const inBlock = keywordsIn('GATEWAY KEYWORDS', false);

  test('has the keywords of the table in its order, and no other', () => {
    expect(inBlock.map(({ keyword }) => keyword)).toEqual(gatewayKeywordNames);
  });

  test.each(gatewayKeywordNames)('%s as the table has it', (keyword) => {
    const entry = gatewayKeywordEntry(keyword);
    const one = inBlock.find((item) => item.keyword === keyword) as Documented;
    if (entry.help.includes('default:')) expect(defaultOf(one)).not.toMatch(/^(none\.|no default)$/);
    else if (entry.default === undefined || entry.list) expect(defaultOf(one)).toBe('none.');
    else expect(defaultOf(one)).toEqual(entry.value.format(entry.default).map((words) => words.join(' ')));
  });
});

describe('sipctl(8)', () => {
  const lines = read('sipctl.8');
  const synopsis = section(lines, 'SYNOPSIS');

  test('has the synopsis of every command with its arguments and options', () => {
    const written = synopsis
      .join('\n')
      .split(/^\.Nm$/m)
      .slice(1)
      .flatMap((text) => {
        const command = /^\.Cm (.*)$/m.exec(text)?.[1] ?? '';
        const [, group = '', alternatives = ''] = /^(\w+ )?(\w+(?: \| \w+)*)$/.exec(command) ?? [];
        const options = [...text.matchAll(/Fl (\S+)(?: \| (\S+))?/g)].flatMap((match) => match.slice(1));
        return alternatives.split(' | ').map((name) => ({
          command: `sipctl ${group}${name}`,
          options: options
            .filter((option) => option !== undefined)
            .map((option) => `-${option}`)
            .sort(),
          words: [...text.matchAll(/^\.(?:Op )?Ar ([\w ]+)$/gm)].flatMap((match) =>
            (match[1] as string).split(' '),
          ),
        }));
      });
    const defined = commandsOf(sipctl)
      .filter(({ command }) => command.run !== undefined)
      .map(({ path, command }) => ({
        command: path.join(' '),
        options: (command.options ?? []).flatMap(namesOf).sort(),
        words: (command.arguments ?? []).map(({ name }) => name),
      }));
    const byName = (one: { command: string }, other: { command: string }) =>
      one.command < other.command ? -1 : 1;
    expect(written.sort(byName)).toEqual(defined.sort(byName));
  });

  test('describes every command', () => {
    const items = section(lines, 'DESCRIPTION').flatMap(
      (line) => /^\.It Cm ([a-z\d ]+)/.exec(line)?.[1]?.trim() ?? [],
    );
    const commands = commandsOf(sipctl).filter(({ command }) => command.run !== undefined);
    expect(items.sort()).toEqual(commands.map(({ path }) => path.slice(1).join(' ')).sort());
  });

  test('lists the exit codes of the table with their meanings', () => {
    const status = section(lines, 'EXIT STATUS');
    const listed = status.flatMap((line, at) => {
      const [, name, code] = /^\.It Dv (\w+) Pq (\d+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, { code: Number(code), meaning: status[at + 1] }]];
    });
    expect(listed).toEqual(Object.entries(sysExit));
  });
});
