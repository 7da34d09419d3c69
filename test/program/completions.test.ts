// The completions are those of the definitions, and bash completes with them.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completionFiles } from '../../src/cli/completion.ts';
import { hasProgram } from '../host/required.ts';
import { run } from '../host/run.ts';

const directory = resolve(import.meta.dirname, '../../completions');

test('completions/ is current: node build.js --completions', () => {
  const files = completionFiles();
  expect(readdirSync(directory).sort()).toEqual(files.map(({ name }) => name).sort());
  for (const { name, content } of files)
    expect(readFileSync(join(directory, name), 'utf8'), name).toBe(content);
});

/** What bash offers for the last of these words. */
function bashOffers(...words: string[]): string[] {
  const program = words[0] ?? '';
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${program}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = run([
    'bash',
    '-c',
    script,
    'bash',
    join(directory, `${program}.bash`),
    ...words,
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

describe.skipIf(!hasProgram('bash'))('bash completes (needs bash)', () => {
  test('commands and their commands', () => {
    expect(bashOffers('sipctl', '')).toEqual([
      ...['setup', 'serve', 'ul', 'user', 'config', 'ha1', 'check', 'last'],
      ...[
        'status',
        'stats',
        'ping',
        'calls',
        'drop',
        'trace',
        'monitor',
        'ban',
        'reload',
        'stop',
        'log',
        'db',
      ],
    ]);
    expect(bashOffers('sipctl', 'c')).toEqual(['config', 'check', 'calls']);
    expect(bashOffers('sipctl', 'ul', '')).toEqual(['show', 'add', 'rm', 'dump']);
    expect(bashOffers('sipacct', 'r')).toEqual(['report']);
  });

  test('options, those of the command that is chosen', () => {
    expect(bashOffers('sippasswd', '--ver')).toEqual(['--verify', '--version']);
    expect(bashOffers('sipctl', 'serve', '-')).toEqual([
      '-f',
      '-o',
      '-t',
      '-T',
      '--own',
      '--json',
      '-h',
      '--help',
    ]);
    expect(bashOffers('sipctl', 'config', '--user', 'root', 'check', '--u')).toEqual(['--user']);
  });

  test('accounts, choices and files', () => {
    expect(bashOffers('sippasswd', 'roo')).toContain('root');
    expect(bashOffers('sippasswd', '--stdin', 'roo')).toContain('root');
    expect(bashOffers('sippasswd', 'root', 'roo')).toEqual([]);
    expect(bashOffers('sippasswd', '--realm', 'roo')).toEqual([]);
    expect(bashOffers('sippasswd', '--realm', 'roo', 'roo')).toContain('root');
    expect(bashOffers('sippasswd', '--format', '')).toEqual(['ha1', 'sha1', 'plain']);
    expect(bashOffers('sippasswd', '--import', '/etc/pass')).toContain('/etc/passwd');
    expect(bashOffers('sipacct', 'report', '--by', 'w')).toEqual(['weekday']);
    expect(bashOffers('sipacct', 'list', '--user', 'roo')).toContain('root');
    expect(bashOffers('sipctl', 'ul', 'show', 'roo')).toContain('root');
    expect(bashOffers('sipctl', 'ul', 'add', 'root', 's')).toEqual([]);
  });
});

/** This month and the eleven before it, in the zone of the tests. */
function lastMonths(): string[] {
  const { stdout } = run(['date', '+%Y %m']);
  const [year = 0, month = 0] = stdout.split(' ').map(Number);
  return Array.from({ length: 12 }, (_, ago) =>
    new Date(Date.UTC(year, month - 1 - ago)).toISOString().slice(0, 7),
  );
}

test.skipIf(!hasProgram('bash'))(
  'months and times are offered, and options behind what needs no value',
  () => {
    expect(bashOffers('sipacct', 'report', '--month', '')).toEqual(lastMonths());
    expect(bashOffers('sipacct', 'report', '--month', '--b')).toEqual(['--by']);
    expect(bashOffers('sipacct', 'report', '--day', 'y')).toEqual(['yesterday']);
    expect(bashOffers('sipacct', 'list', '--since', '-')).toEqual(['-7d', '-30d']);
  },
);

test.skipIf(!hasProgram('zsh'))('zsh reads its completions (needs zsh)', () => {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.zsh')))
    expect(run(['zsh', '-n', join(directory, name)])).toEqual({ status: 0, stdout: '', stderr: '' });
});

test.skipIf(!hasProgram('fish'))('fish completes (needs fish)', () => {
  const offers = (line: string) =>
    run(['fish', '-N', '-c', `source "$argv[1]"; complete -C "${line}"`, join(directory, 'sipctl.fish')])
      .stdout;
  const months = (line: string) =>
    run(['fish', '-N', '-c', `source "$argv[1]"; complete -C "${line}"`, join(directory, 'sipacct.fish')])
      .stdout;
  expect(months('sipacct report --since ')).toContain('yesterday');
  expect(
    months('sipacct report --month=')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]?.replace('--month=', ''))
      .sort(),
  ).toEqual(lastMonths().sort());
  expect(offers('sipctl config ')).toMatch(/^check\t.*\nedit\t/);
  expect(offers('sipctl config check --')).toContain('--user\t');
  expect(offers('sipctl check --')).not.toContain('--user');
});
