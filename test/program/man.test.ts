// The man pages agree with the programs: the options of sippasswd(1), and exit codes wherever a page lists them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callCsvHead } from '../../src/accounting/machine-text.ts';
import { commandsOf, namesOf, optionsOf } from '../../src/cli/command.ts';
import { exitCodes, type ProgramName } from '../../src/cli/exit-codes.ts';
import { sipacct } from '../../src/cli/sipacct-definition.ts';
import { sipctl } from '../../src/cli/sipctl-definition.ts';
import { sippasswd } from '../../src/cli/sippasswd-definition.ts';
import { CALL_DIRECTIONS, CALL_ENDERS, CALL_STATUSES, parseCallRecord } from '../../src/home/acct.ts';
import { LOG_EVENTS } from '../../src/server/log-events.ts';
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

test('sipacct(1) describes every command, option, grouping and format, and no other option', () => {
  const lines = section('sipacct.1', 'DESCRIPTION');
  const described = lines.flatMap((line) => {
    const words = /^\.It Fl (.*)$/.exec(line)?.[1];
    return words === undefined ? [] : words.replace(/ (?:Op )?Ar .*$/, '').split(' , ');
  });
  const defined = new Set(commandsOf(sipacct).flatMap(({ command }) => optionsOf(command).flatMap(namesOf)));
  expect(described.map((name) => `-${name}`).sort()).toEqual([...defined].sort());
  const words = new Set(lines.flatMap((line) => /^\.(?:It )?Cm (\S+)/.exec(line)?.[1] ?? []));
  const commands = sipacct.commands ?? [];
  const choices = commands.flatMap(({ options = [] }) => options.flatMap((option) => option.choices ?? []));
  for (const word of [...commands.map(({ name }) => name), ...choices]) expect([...words]).toContain(word);
});

test('sr_acct(5) describes every key of a record, in its order, and what its words are', () => {
  const lines = section('sr_acct.5', 'DESCRIPTION');
  const described = lines.flatMap((line) => /^\.It Cm (.*)$/.exec(line)?.[1]?.split(' , ') ?? []);
  const keys = described.filter((word) => !(CALL_STATUSES as readonly string[]).includes(word));
  expect(keys).toEqual(callCsvHead.split(','));
  for (const word of [...CALL_STATUSES, ...CALL_DIRECTIONS, ...CALL_ENDERS])
    expect(lines.some((line) => line.startsWith(`.Cm ${word}`) || line === `.It Cm ${word}`)).toBe(true);
  const example =
    section('sr_acct.5', 'EXAMPLES')
      .join('')
      .match(/\{"id.*?"\}/)?.[0] ?? '';
  expect(parseCallRecord(example.replaceAll(/\\e */g, ''))).toMatchObject({
    id: '5f2c9a',
    durationMs: 60_005,
  });
});

test('sr(7) types only commands and options that there are, and every page leads to it', () => {
  const programs = { sippasswd, sipctl, sipacct };
  const words = section('sr.7', 'DESCRIPTION').flatMap(
    (line) => /^(?:[#$] |\.Ql )(sip(?:passwd|ctl|acct)(?: .*)?)$/.exec(line)?.[1] ?? [],
  );
  const typed = words.map((line) => line.replace(/(?: &| [.,:])$/, '').split(' '));
  expect(new Set(typed.map(([program]) => program))).toEqual(new Set(Object.keys(programs)));
  for (const line of typed) {
    const known = commandsOf(programs[line[0] as keyof typeof programs]);
    const fits = known.filter(({ path }) => path.every((name, at) => line[at] === name));
    const longest = fits.sort((one, other) => other.path.length - one.path.length)[0];
    expect(longest?.command.commands ?? [], line.join(' ')).toEqual([]);
    const options = optionsOf(longest?.command as typeof sipctl).flatMap(namesOf);
    for (const option of line.filter((word) => word.startsWith('-'))) expect(options).toContain(option);
  }
  for (const page of pages.filter((name) => name !== 'sr.7'))
    expect(section(page, 'SEE ALSO').join('\n'), page).toMatch(/^\.Xr sr 7(?: ,)?$/m);
});

test('sipctl(8) says what each event of the log means, and the server logs each of them', () => {
  const described = section('sipctl.8', 'DIAGNOSTICS').flatMap(
    (line) => /^\.It Cm ([a-z-]+)$/.exec(line)?.[1] ?? [],
  );
  expect(described).toEqual([...LOG_EVENTS]);
  const root = resolve(import.meta.dirname, '../../src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/(?:^|\/)(?:log-events|transport\/log)\.ts$/.test(name),
  );
  const source = files.map((name) => readFileSync(join(root, name), 'utf8')).join('');
  for (const event of LOG_EVENTS)
    expect(
      [
        `log(?:\\?\\.)?\\([^,;]+,\\s*'${event}'`,
        `#note\\([^,;]+,\\s*'${event}'`,
        `complain\\('${event}'`,
        `[?:] '${event}'`,
        ` event=${event} `,
      ].some((pattern) => new RegExp(pattern).test(source)),
      event,
    ).toBe(true);
});

test('every page is installed', () => {
  const { man } = JSON.parse(readFileSync(join(directory, '../package.json'), 'utf8'));
  expect(man.toSorted()).toEqual(pages.map((page) => `man/${page}`).sort());
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
