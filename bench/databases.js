// Registrations a second that Debian's Kamailio gets done with its contacts written through (db_mode 1) to SQLite, MariaDB,
// PostgreSQL and `sipctl db serve`, in one run, and credential look-ups a second of the last, by pgbench. Needs root, sip-tester,
// kamailio with its sqlite, mysql and postgres modules, sqlite3, mariadb-server, postgresql, libnss-wrapper, and a built dist/.
//   node bench/databases.js [--users 1000] [--count 5000] [--rounds 3] [--only NAME]

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuMicroseconds, makeAccounts, realm, register, run } from './load.js';
import { kamailioTables, setPasswords, startKamailio } from './registrars.js';

const PORT = 15_060;
const DATABASE_PORT = 15_432;
const PASSWORD = 'secret';
/** What is offered: more than any of them takes. */
const OFFERED = 5000;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    count: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const [users, count, rounds] = [values.users, values.count, values.rounds].map(Number);

const directory = mkdtempSync(join(tmpdir(), 'sr-bench-'));
chmodSync(directory, 0o755);
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const { accounts, environment } = makeAccounts(directory, users);
const programs = join('/usr/lib/postgresql', readdirSync('/usr/lib/postgresql').at(-1), 'bin');

const as = (account, argv) => [
  'setpriv',
  `--reuid=${account}`,
  `--regid=${account}`,
  '--clear-groups',
  '--',
  ...argv,
];

/** Starts a program and waits until `isUp` succeeds. */
async function startProgram(argv, isUp, env = process.env) {
  const child = spawn(argv[0], argv.slice(1), { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const ended = new Promise((done) => child.on('close', done));
  for (let tries = 0; !isUp(); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`${argv.join(' ')}: ${output}`);
    await delay(50);
  }
  return {
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      children.delete(child);
    },
  };
}

function ownDirectory(account) {
  const path = join(directory, account);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  run(['chown', account, path]);
  return path;
}

const psql = (database, user, input) =>
  spawnSync('psql', ['-q', '-h', '127.0.0.1', '-p', `${DATABASE_PORT}`, '-U', user, '-d', database], {
    input,
    encoding: 'utf8',
    env: { ...process.env, PGPASSWORD: PASSWORD },
  }).status === 0;

async function startPostgres() {
  const path = ownDirectory('postgres');
  const file = join(path, 'password');
  writeFileSync(file, `${PASSWORD}\n`);
  chmodSync(file, 0o644);
  const data = join(path, 'data');
  run(
    as('postgres', [
      join(programs, 'initdb'),
      '-D',
      data,
      '-U',
      'kamailio',
      '-A',
      'scram-sha-256',
      `--pwfile=${file}`,
    ]),
  );
  const words = ['-D', data, '-k', path, '-h', '127.0.0.1', '-p', `${DATABASE_PORT}`];
  const server = await startProgram(as('postgres', [join(programs, 'postgres'), ...words]), () =>
    psql('postgres', 'kamailio', 'select 1;'),
  );
  if (!psql('postgres', 'kamailio', kamailioTables('postgres', accounts))) throw new Error('psql failed');
  return { ...server, url: `postgres://kamailio:${PASSWORD}@127.0.0.1:${DATABASE_PORT}/postgres` };
}

async function startMariadb() {
  const path = ownDirectory('mysql');
  const data = join(path, 'data');
  const socket = join(path, 'socket');
  run(
    as('mysql', [
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
    ]),
  );
  const client = (database, input) =>
    spawnSync('mariadb', ['--no-defaults', `--socket=${socket}`, '-u', 'root', ...database], { input })
      .status === 0;
  const words = [
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--port=${DATABASE_PORT}`,
    '--bind-address=127.0.0.1',
  ];
  const server = await startProgram(as('mysql', ['/usr/sbin/mariadbd', '--no-defaults', ...words]), () =>
    client([], 'select 1;'),
  );
  const access = `create database kamailio; create user kamailio@'127.0.0.1' identified by '${PASSWORD}'; grant all on kamailio.* to kamailio@'127.0.0.1';`;
  if (!client([], access) || !client(['kamailio'], kamailioTables('mysql', accounts)))
    throw new Error('mariadb failed');
  return { ...server, url: `mysql://kamailio:${PASSWORD}@127.0.0.1:${DATABASE_PORT}/kamailio` };
}

async function startOurs() {
  const credentials = join(directory, 'credentials');
  writeFileSync(credentials, `kamailio:${PASSWORD}\n`, { mode: 0o600 });
  const file = join(directory, 'sr-config');
  writeFileSync(
    file,
    `Realm ${realm}\nDbReadHashes yes\nKeyFile ${directory}/key\nDbCredentials ${credentials}\n`,
  );
  const script = resolve(import.meta.dirname, '../bin/sipctl.js');
  const words = ['db', 'serve', '--listen', `127.0.0.1:${DATABASE_PORT}`, '-f', file];
  const server = await startProgram(
    [process.execPath, script, ...words],
    () => psql('sr', 'kamailio', 'select 1 as one;'),
    environment,
  );
  return { ...server, url: `postgres://kamailio:${PASSWORD}@127.0.0.1:${DATABASE_PORT}/sr` };
}

const databases = {
  'unixsip (sipctl db serve)': startOurs,
  PostgreSQL: startPostgres,
  MariaDB: startMariadb,
  SQLite: async () => ({ pid: undefined, url: undefined, stop: async () => {} }),
};
const names = Object.keys(databases).filter((name) => name.includes(values.only ?? ''));
setPasswords(accounts, environment);

/** Each account registers once to warm up, then `count` registrations are timed. */
async function measure(name) {
  const database = await databases[name]();
  const kamailio = await startKamailio(directory, PORT, accounts, 'DBM1', database.url);
  try {
    await register(directory, PORT, users, 300);
    const cpu = () => (database.pid === undefined ? 0 : cpuMicroseconds(database.pid));
    const before = [cpu(), cpuMicroseconds(kamailio.pid)];
    const beganMs = performance.now();
    const { registered } = await register(directory, PORT, count, OFFERED);
    const seconds = (performance.now() - beganMs) / 1000;
    return {
      second: registered / seconds,
      database: (cpu() - before[0]) / registered,
      kamailio: (cpuMicroseconds(kamailio.pid) - before[1]) / registered,
    };
  } finally {
    await kamailio.stop();
    await database.stop();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const results = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 1; round <= rounds; round++)
  for (const name of names) {
    const result = await measure(name);
    results[name].push(result);
    console.error(`round ${round}: ${name}: ${result.second.toFixed(0)}/s`);
  }

console.log(
  '| Kamailio over | registrations/s | rounds | CPU µs each: the database | Kamailio |\n| --- | ---: | --- | ---: | ---: |',
);
for (const name of names) {
  const of = (key) => results[name].map((each) => each[key]);
  const all = of('second')
    .map((each) => each.toFixed(0))
    .join(', ');
  console.log(
    `| ${name} | ${median(of('second')).toFixed(0)} | ${all} | ${median(of('database')).toFixed(0)} | ${median(of('kamailio')).toFixed(0)} |`,
  );
}

/** Look-ups as auth_db makes them, of 900 users at random, by eight connections. */
async function lookUps() {
  const database = await startOurs();
  const file = join(directory, 'look-up.sql');
  const look = `select ha1 from subscriber where username='u0:id' AND domain='${realm}';`;
  writeFileSync(file, `\\set id random(100, ${Math.min(999, users - 1)})\n${look}\n`);
  const before = cpuMicroseconds(database.pid);
  const words = ['-n', '-c', '8', '-j', '1', '-T', '10', '-f', file];
  const output = run(
    [
      join(programs, 'pgbench'),
      '-h',
      '127.0.0.1',
      '-p',
      `${DATABASE_PORT}`,
      '-U',
      'kamailio',
      ...words,
      'sr',
    ],
    {
      env: { ...process.env, PGPASSWORD: PASSWORD },
    },
  );
  const done = Number(/actually processed: (\d+)/.exec(output)?.[1]);
  const second = Number(/tps = ([\d.]+)/.exec(output)?.[1]);
  console.log(
    `\n${second.toFixed(0)} look-ups a second, ${((cpuMicroseconds(database.pid) - before) / done).toFixed(0)} µs of CPU each`,
  );
  await database.stop();
}

if (names.some((name) => name.startsWith('unixsip'))) await lookUps();
