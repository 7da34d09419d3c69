// How soon the programs answer: `--help` loads neither FFI nor prompts nor tables, and costs little over an empty program.

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../host/run.ts';

const projectRoot = resolve(import.meta.dirname, '../..');
const bin = (program: string) => join(projectRoot, `bin/${program}.js`);
const directory = mkdtempSync(join(tmpdir(), 'sr-startup-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The scripts that a program loads. */
function loadedBy(program: string, words: readonly string[]): string[] {
  const coverage = mkdtempSync(join(directory, 'coverage-'));
  run([process.execPath, bin(program), ...words], { env: { ...process.env, NODE_V8_COVERAGE: coverage } });
  return readdirSync(coverage).flatMap((name) =>
    (JSON.parse(readFileSync(join(coverage, name), 'utf8')).result as { url: string }[]).map(
      ({ url }) => url,
    ),
  );
}

function milliseconds(argv: readonly string[]): number {
  const start = performance.now();
  run(argv);
  return performance.now() - start;
}

function median(numbers: number[]): number {
  return numbers.sort((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;
}

test.each(['sippasswd', 'sipctl', 'sipacct'])(
  '%s --help loads its definition and commander alone',
  (program) => {
    const loaded = loadedBy(program, ['--help']).filter((url) => url.startsWith('file:'));
    expect(loaded.some((url) => url.endsWith(`/dist/${program}.js`))).toBe(true);
    expect(loaded.filter((url) => /koffi|inquirer|cli-table3|node_modules/.test(url))).toEqual([]);
  },
);

test('sippasswd --help takes at most 1.6 times an empty program', () => {
  const empty = join(directory, 'empty.mjs');
  writeFileSync(empty, '');
  // A machine that is busy with something else is asked again.
  const ratios: number[] = [];
  for (let attempt = 0; attempt < 4 && !ratios.some((ratio) => ratio <= 1.6); attempt++) {
    const times = { empty: [] as number[], help: [] as number[] };
    for (let sample = 0; sample < 20; sample++) {
      times.empty.push(milliseconds([process.execPath, empty]));
      times.help.push(milliseconds([process.execPath, bin('sippasswd'), '--help']));
    }
    ratios.push(median(times.help) / median(times.empty));
  }
  expect(Math.min(...ratios)).toBeLessThanOrEqual(1.6);
});

describe('without dist/', () => {
  test.each([
    ['sippasswd', 3],
    ['sipctl', 69],
    ['sipacct', 69],
  ])('%s says how to make it', (program, status) => {
    const copy = mkdtempSync(join(directory, 'clone-'));
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
    const path = join(copy, `${program}.js`);
    copyFileSync(bin(program), path);
    expect(run([process.execPath, path, '--help'])).toEqual({
      status,
      stdout: '',
      stderr: `${program}: dist/${program}.js is missing: run "npm run build"\n`,
    });
  });
});
