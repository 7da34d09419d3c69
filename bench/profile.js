// Where our server's time goes at registering: the functions that take most of it, from a --cpu-prof of one run.
// Needs what bench/registrations.js needs.
//   node bench/profile.js [REGISTRATIONS [A_SECOND]]

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAccounts, register } from './load.js';
import { setPasswords, startOurs } from './registrars.js';

const PORT = 15_060;
const USERS = 1000;
const ROWS = 30;
const [count, rate] = [Number(process.argv[2] ?? 5000), Number(process.argv[3] ?? 300)];

const directory = mkdtempSync(join(tmpdir(), 'sr-profile-'));
chmodSync(directory, 0o755);
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const { accounts, environment } = makeAccounts(directory, USERS);
setPasswords(accounts, environment);
const profiles = join(directory, 'profiles');
// The server is nobody of privilege.
mkdirSync(profiles);
chmodSync(profiles, 0o777);
const { stop } = await startOurs(directory, PORT, environment, ['--cpu-prof', `--cpu-prof-dir=${profiles}`]);
await register(directory, PORT, count, rate);
await stop();

for (const file of readdirSync(profiles)) show(JSON.parse(readFileSync(join(profiles, file), 'utf8')));

/** One process: of which script it is, the first of our frames tells. */
function show({ nodes, samples, timeDeltas }) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const urls = nodes.map(({ callFrame }) => callFrame.url);
  const script =
    urls
      .find((url) => /\/dist\/[\w-]+\.js$/.test(url))
      ?.split('/')
      .at(-1) ?? 'worker';
  const microseconds = new Map();
  for (const [index, id] of samples.entries()) {
    const { functionName, url } = frames.get(id);
    if (functionName === '(idle)') continue;
    const where = `${functionName || '(anonymous)'} ${url.split('/').at(-1)}`;
    microseconds.set(where, (microseconds.get(where) ?? 0) + timeDeltas[index]);
  }
  const total = [...microseconds.values()].reduce((sum, each) => sum + each, 0);
  console.log(`\n${script}\n\n| function | µs a registration | share |\n| --- | ---: | ---: |`);
  for (const [where, each] of [...microseconds].toSorted((a, b) => b[1] - a[1]).slice(0, ROWS))
    console.log(`| ${where} | ${(each / count).toFixed(1)} | ${((100 * each) / total).toFixed(1)} % |`);
  console.log(`\n${(total / count).toFixed(0)} µs a registration with the profiler, start-up included.`);
}
