// How long `--help` of each program takes beside an empty Node program, in one run, interleaved; needs a built dist/.
// Exits 1 when one takes more than 1.6 times as long.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROUNDS = 41;
const LIMIT = 1.6;

const directory = mkdtempSync(join(tmpdir(), 'sr-startup-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const empty = join(directory, 'empty.mjs');
writeFileSync(empty, '');

const bin = (name) => [resolve(import.meta.dirname, `../bin/${name}.js`), '--help'];
const programs = {
  empty: [empty],
  sippasswd: bin('sippasswd'),
  sipctl: bin('sipctl'),
  sipacct: bin('sipacct'),
};

function milliseconds(argv) {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  const took = performance.now() - began;
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status}: ${stderr}`);
  return took;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++)
  for (const [name, argv] of Object.entries(programs)) times[name].push(milliseconds(argv));

const base = median(times.empty);
console.log(`| program | ms | times an empty Node program |\n| --- | ---: | ---: |`);
for (const name of Object.keys(programs)) {
  const ratio = median(times[name]) / base;
  console.log(
    `| ${name === 'empty' ? 'empty' : `${name} --help`} | ${median(times[name]).toFixed(1)} | ${ratio.toFixed(2)} |`,
  );
  if (ratio > LIMIT) process.exitCode = 1;
}
