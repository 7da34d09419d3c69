// CPU microseconds per call (INVITE 100 180 200 ACK BYE 200) of this server and of Debian's Kamailio in one run, and calls
// finished a second when more is offered than can be served. Needs what bench/registrations.js needs.
//   node bench/calls.js [--users 1000] [--count 20000] [--rate 1000] [--rounds 3] [--overload SECONDS] [--only NAME]

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { call, cpuMicroseconds, makeAccounts, startCallees } from './load.js';
import { setPasswords, startKamailio, startOurs } from './registrars.js';

const PORT = 15_060;
/** Offered one after the other to find the peak: the most that is finished a second. */
const RATES = [800, 1200, 1600, 2000, 2400, 2800, 3200, 3600, 4000];

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    count: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    overload: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
});
const [users, count, rate, rounds, overload] = [
  ...[values.users, values.count, values.rate],
  ...[values.rounds, values.overload],
].map(Number);

const directory = mkdtempSync(join(tmpdir(), 'sr-bench-'));
chmodSync(directory, 0o755);
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const { accounts, environment } = makeAccounts(directory, users);
setPasswords(accounts, environment);
// Apart from the files that the server watches for changes of accounts.
const state = join(directory, 'server');
mkdirSync(state);

const ours = (...config) => startOurs(state, PORT, environment, [], ['TrustedPeers 127.0.0.1', ...config]);
// Kamailio writes no records of calls, so that the like of it is ours without.
const proxies = {
  unixsip: () => ours('Accounting no'),
  'unixsip with records of calls': () => ours(),
  Kamailio: () => startKamailio(directory, PORT, accounts, 'DBM0'),
};
const names = Object.keys(proxies).filter((name) => name.includes(values.only ?? ''));

/** Runs `work` with a proxy whose users' phones are registered and answer. */
async function withProxy(name, work) {
  const { pid, stop } = await proxies[name]();
  try {
    const stopCallees = await startCallees(directory, PORT, users);
    try {
      return await work(pid);
    } finally {
      await stopCallees();
    }
  } finally {
    await stop();
  }
}

/** CPU of one call, after a second of calls to warm up. */
function measure(name) {
  return withProxy(name, async (pid) => {
    await call(directory, PORT, rate, rate);
    const before = cpuMicroseconds(pid);
    const { finished, failed } = await call(directory, PORT, count, rate);
    return { each: (cpuMicroseconds(pid) - before) / finished, failed };
  });
}

/** The peak, and what is finished when once, twice and three times as much is offered for `seconds` each. */
function overburden(name, seconds) {
  return withProxy(name, async (pid) => {
    let peak = 0;
    for (const offered of RATES) {
      const { finished, seconds: took } = await call(directory, PORT, offered * 5, offered);
      console.error(`${name}: offered ${offered}/s, finished ${(finished / took).toFixed(0)}/s`);
      if (finished / took < peak) break;
      peak = finished / took;
    }
    const rows = [];
    for (const times of [1, 2, 3]) {
      const offered = Math.round(peak * times);
      const before = cpuMicroseconds(pid);
      const {
        finished,
        refused,
        failed,
        seconds: took,
      } = await call(...[directory, PORT, offered * seconds, offered]);
      const cores = (cpuMicroseconds(pid) - before) / 1e6 / took;
      rows.push(
        `| ${name} | ${times}× | ${offered} | ${(finished / took).toFixed(0)} | ${refused} | ${failed} | ${cores.toFixed(2)} |`,
      );
      console.error(rows.at(-1));
    }
    return rows;
  });
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const results = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 1; round <= rounds; round++)
  for (const name of names) {
    const { each, failed } = await measure(name);
    results[name].push(each);
    console.error(`round ${round}: ${name}: ${each.toFixed(1)} µs, ${failed} failed`);
  }

console.log('| proxy | CPU µs a call | rounds |\n| --- | ---: | --- |');
for (const name of names) {
  const all = results[name].map((each) => each.toFixed(0)).join(', ');
  console.log(`| ${name} | ${median(results[name]).toFixed(0)} | ${all} |`);
}
console.log(
  `\n${users} accounts, ${count} calls at ${rate}/s over UDP, Node ${process.version}, ${rounds} rounds.`,
);
if (overload > 0) {
  const rows = [];
  for (const name of names) rows.push(...(await overburden(name, overload)));
  console.log('\n| proxy | of the peak | offered/s | finished/s | refused | failed | cores |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  console.log(rows.join('\n'));
}
