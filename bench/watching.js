// What watching costs a server that registers: its CPU microseconds a registration alone, and while `sipctl monitor`,
// `sipctl trace` or `sipctl trace --pcap` look on. One server for all, the ways taken in turn; the medians of rounds, each
// compared with the run alone of its own round. Needs what bench/registrations.js needs, without Kamailio.
//   node bench/watching.js [--users 1000] [--seconds 20] [--rate 1000] [--rounds 3] [--only NAME]

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuMicroseconds, makeAccounts, register } from './load.js';
import { setPasswords, startOurs } from './registrars.js';

const PORT = 15_060;
const ALONE = 'alone';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const [users, seconds, rate, rounds] = [values.users, values.seconds, values.rate, values.rounds].map(Number);

const directory = mkdtempSync(join(tmpdir(), 'sr-bench-'));
chmodSync(directory, 0o755);
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const capture = join(directory, 'trace.pcap');
const watchers = {
  [ALONE]: undefined,
  'sipctl monitor': ['monitor'],
  'sipctl trace': ['trace'],
  'sipctl trace --pcap': ['trace', '--pcap', capture],
};
const names = Object.keys(watchers).filter((name) => name === ALONE || name.includes(values.only ?? ''));

/** Starts a command of sipctl's that shows what the server does; resolves once it does, to how to stop it. */
async function watch(words) {
  const argv = [resolve(import.meta.dirname, '../bin/sipctl.js'), ...words];
  const socket = ['--socket', join(directory, 'state/control.sock')];
  const child = spawn(process.execPath, [...argv, ...socket], { stdio: ['ignore', 'pipe', 'pipe'] });
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  const ended = new Promise((done) => child.on('close', done));
  const began = new Promise((done) => {
    child.stdout.on('data', done);
    child.stderr.on('data', done);
  });
  await Promise.race([began, ended]);
  return async () => {
    child.kill('SIGINT');
    const status = await ended;
    process.off('exit', onExit);
    if (status !== 0 || /lost/.test(said))
      throw new Error(`sipctl ${words.join(' ')}: exit ${status}: ${said}`);
  };
}

async function measure(pid, name) {
  const words = watchers[name];
  const stop = words === undefined ? () => {} : await watch(words);
  const before = cpuMicroseconds(pid);
  const { registered } = await register(directory, PORT, seconds * rate, rate);
  const each = (cpuMicroseconds(pid) - before) / registered;
  await stop();
  return each;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const { accounts, environment } = makeAccounts(directory, users);
setPasswords(accounts, environment);
const server = await startOurs(directory, PORT, environment);
const results = Object.fromEntries(names.map((name) => [name, []]));
try {
  await register(directory, PORT, 5 * rate, rate);
  for (let round = 0; round < rounds; round++)
    // Each round begins with another, so that none profits of what came before it.
    for (const name of [...names.slice(round % names.length), ...names.slice(0, round % names.length)]) {
      const each = await measure(server.pid, name);
      results[name].push(each);
      console.error(`round ${round + 1}: ${name}: ${each.toFixed(1)} µs`);
    }
} finally {
  await server.stop();
}

console.log('| watched by | CPU µs a registration | more | rounds |\n| --- | ---: | ---: | --- |');
for (const name of names) {
  const more = median(results[name].map((each, round) => each / results[ALONE][round])) - 1;
  const all = results[name].map((each) => each.toFixed(0)).join(', ');
  console.log(
    `| ${name} | ${median(results[name]).toFixed(0)} | ${name === ALONE ? '' : `${(more * 100).toFixed(1)} %`} | ${all} |`,
  );
}
const octets = statSync(capture, { throwIfNoEntry: false })?.size;
console.log(
  `\n${users} accounts, ${seconds} s of ${rate} registrations a second over UDP, Node ${process.version}, ${rounds} rounds, medians.`,
);
if (octets !== undefined) console.log(`The capture file has ${(octets / 2 ** 20).toFixed(1)} MiB.`);
