// The man pages agree with the programs: the options of sippasswd(1), and exit codes wherever a page lists them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandsOf, namesOf, optionsOf } from '../../src/cli/command.ts';
import { exitCodes, type ProgramName } from '../../src/cli/exit-codes.ts';
import { sippasswd } from '../../src/cli/sippasswd-definition.ts';
import { hasProgram } from '../host/required.ts';
import { run } from '../host/run.ts';

const directory = resolve(import.meta.dirname, '../../man');
const pages = readdirSync(directory);
const read = (page: string) => readFileSync(join(directory, page), 'utf8');

/** The lines of a section of a page. */
function section(page: string, title: string): string[] {
  const lines = read(page).split('\n');
  const start = lines.indexOf(`.Sh ${title}`);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('.Sh '));
  return start < 0 ? [] : lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
}

/** The codes of EXIT STATUS with the line under each. */
function codesOf(page: string): { code: number; meaning: string }[] {
  const lines = section(page, 'EXIT STATUS');
  return lines.flatMap((line, index) => {
    const code = /^\.It (?:Er |Dv |Cm |Li )?(?:EX_\w+ )?(?:Pq )?(\d+)$/.exec(line)?.[1];
    return code === undefined ? [] : [{ code: Number(code), meaning: lines[index + 1] ?? '' }];
  });
}

test('sippasswd(1) describes every option, and no other', () => {
  const described = section('sippasswd.1', 'DESCRIPTION').flatMap((line) => {
    const words = /^\.It Fl (.*)$/.exec(line)?.[1];
    return words === undefined ? [] : words.replace(/ Ar .*$/, '').split(' , ');
  });
  const defined = commandsOf(sippasswd).flatMap(({ command }) => optionsOf(command).flatMap(namesOf));
  expect(described.map((name) => `-${name}`).sort()).toEqual(defined.sort());
});

test('sippasswd(1) lists the exit codes of the table', () => {
  expect(codesOf('sippasswd.1')).toEqual(Object.values(exitCodes.sippasswd));
});

const toolPages = ['sipctl', 'sipacct'].flatMap((program) =>
  pages
    .filter((page) => page.startsWith(`${program}.`))
    .map((page) => [page, program as ProgramName] as const),
);

test.skipIf(toolPages.length === 0)('the pages of the other programs list codes of the table only', () => {
  for (const [page, program] of toolPages) {
    const known = Object.values(exitCodes[program]).map(({ code }) => code as number);
    const listed = codesOf(page).map(({ code }) => code);
    expect(listed.length, page).toBeGreaterThan(0);
    expect(
      listed.filter((code) => !known.includes(code)),
      page,
    ).toEqual([]);
  }
});

describe.skipIf(!hasProgram('mandoc'))('mandoc -T lint (needs mandoc)', () => {
  test.each(pages)('finds nothing in %s', (page) => {
    const { stdout, stderr } = run(['mandoc', '-T', 'lint', join(directory, page)]);
    const found = `${stdout}${stderr}`.split('\n').filter((line) => {
      // Our own pages are not installed where mandoc looks for them, nor is every page of the system.
      const [, name, number] = /referenced manual not found: Xr (\S+) (\d)/.exec(line) ?? [];
      const ours = name !== undefined && existsSync(join(directory, `${name}.${number}`));
      return (
        line !== '' && !ours && !/referenced manual not found: Xr (?!sip|sr_)|outdated mandoc\.db/.test(line)
      );
    });
    expect(found).toEqual([]);
  });
});
