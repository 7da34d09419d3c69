// CPU microseconds per registration (challenge, answer, saved) of this server and of Debian's Kamailio, in one run.
// Needs root, sip-tester, kamailio-sqlite-modules, sqlite3, libnss-wrapper, and a built dist/.
//   node bench/registrations.js [--users 1000] [--count 10000] [--rate 1000] [--rounds 3] [--only NAME]

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuMicroseconds, makeAccounts, register } from './load.js';
import { setPasswords, startKamailio, startOurs } from './registrars.js';

const PORT = 15_060;
/** Kamailio does not write through more than some 530 a second to SQLite, whatever it is offered. */
const MOST_WRITTEN_THROUGH = 500;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    count: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const [users, count, rate, rounds] = [values.users, values.count, values.rate, values.rounds].map(Number);

const directory = mkdtempSync(join(tmpdir(), 'sr-bench-'));
chmodSync(directory, 0o755);
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const { accounts, environment } = makeAccounts(directory, users);

const registrars = {
  'unixsip, contacts in ~/.sr/usrloc': () => startOurs(directory, PORT, environment),
  'Kamailio, contacts in SQLite (db_mode 1)': () => startKamailio(directory, PORT, accounts, 'DBM1'),
  'Kamailio, contacts in memory (db_mode 0)': () => startKamailio(directory, PORT, accounts, 'DBM0'),
};
const names = Object.keys(registrars).filter((name) => name.includes(values.only ?? ''));
if (names.some((name) => name.startsWith('unixsip'))) setPasswords(accounts, environment);

/** One run: every account registers once to warm up, then `count` registrations are measured. */
async function measure(name) {
  const { pid, stop } = await registrars[name]();
  const pace = name.endsWith('(db_mode 1)') ? Math.min(rate, MOST_WRITTEN_THROUGH) : rate;
  try {
    await register(directory, PORT, users, pace);
    const before = cpuMicroseconds(pid);
    const { registered, failed } = await register(directory, PORT, count, pace);
    return { each: (cpuMicroseconds(pid) - before) / registered, failed };
  } finally {
    await stop();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const results = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 1; round <= rounds; round++)
  for (const name of names) {
    const { each, failed } = await measure(name);
    results[name].push(each);
    console.error(`round ${round}: ${name}: ${each.toFixed(1)} µs, ${failed} failed`);
  }

console.log(`| registrar | CPU µs a registration | rounds |\n| --- | ---: | --- |`);
for (const name of names) {
  const all = results[name].map((each) => each.toFixed(0)).join(', ');
  console.log(`| ${name} | ${median(results[name]).toFixed(0)} | ${all} |`);
}
console.log(
  `\n${users} accounts, ${count} registrations at ${rate}/s over UDP, Node ${process.version}, ${rounds} rounds, medians.`,
);
