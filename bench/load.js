// What the benchmarks of registrations and calls share: accounts, sipp, and the CPU time of a process and its descendants.

import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const realm = 'sip.test';

const FIRST_UID = 20_000;
const GROUP = 'sip:x:19999:';

/** Makes `count` accounts for nss_wrapper, with homes, below `directory`; the environment that shows them, and theirs. */
export function makeAccounts(directory, count) {
  const accounts = Array.from({ length: count }, (_, index) => {
    const name = `u${String(index).padStart(4, '0')}`;
    return { name, password: `pw${index}`, uid: FIRST_UID + index, home: join(directory, 'home', name) };
  });
  for (const { home, uid } of accounts) {
    mkdirSync(home, { recursive: true, mode: 0o755 });
    chownSync(home, uid, uid);
  }
  const passwd = accounts.map(({ name, uid, home }) => `${name}:x:${uid}:${uid}::${home}:/bin/sh\n`);
  const groups = accounts.map(({ name, uid }) => `${name}:x:${uid}:\n`);
  const [passwdFile, groupFile] = [join(directory, 'passwd'), join(directory, 'group')];
  // The account of our server too, where the host has none.
  const server = 'sr:x:50001:50001::/nonexistent:/usr/sbin/nologin\n';
  writeFileSync(passwdFile, readFileSync('/etc/passwd', 'utf8') + passwd.join('') + server);
  const others = readFileSync('/etc/group', 'utf8').replace(/^sip:.*\n/m, '');
  const members = accounts.map(({ name }) => name).join(',');
  writeFileSync(groupFile, `${others}${GROUP}${members}\n${groups.join('')}`);
  const rows = accounts.map(
    ({ name, password }) => `${name};[authentication username=${name} password=${password}];${realm}\n`,
  );
  writeFileSync(join(directory, 'users.csv'), `SEQUENTIAL\n${rows.join('')}`);
  const environment = {
    ...process.env,
    // Its children need the wrapper too.
    UNIXSIP_TEST: '1',
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: passwdFile,
    NSS_WRAPPER_GROUP: groupFile,
  };
  return { accounts, environment };
}

/** Registers `count` times at `rate` a second over UDP from `from`, at most 50 at once; throws when one in a hundred fails. */
export async function register(directory, port, count, rate, from = 16_000) {
  const output = await sipp(directory, [
    ...[`127.0.0.1:${port}`, '-p', `${from}`, '-sf', join(import.meta.dirname, 'register.xml')],
    ...[
      '-inf',
      join(directory, 'users.csv'),
      '-m',
      `${count}`,
      '-r',
      `${rate}`,
      '-l',
      '50',
      '-timeout',
      '120',
    ],
  ]);
  const [registered, failed] = [counted(output, 'Successful call'), counted(output, 'Failed call')];
  if (!(registered >= count * 0.99))
    throw new Error(`sipp: ${registered} of ${count} registered, ${failed} failed\n${output.slice(-3000)}`);
  return { registered, failed };
}

const CALLEE_PORT = 17_000;

/** Registers all accounts' phones, which are one sipp that answers every call until `stop`. */
export async function startCallees(directory, port, users) {
  await register(directory, port, users, 500, CALLEE_PORT);
  const scenario = join(import.meta.dirname, 'callee.xml');
  const argv = ['-sf', scenario, '-i', '127.0.0.1', '-p', `${CALLEE_PORT}`, '-nostdin'];
  const callees = spawn('sipp', argv, { cwd: directory, stdio: 'ignore' });
  const ended = new Promise((resolve) => callees.on('close', resolve));
  const onExit = () => callees.kill('SIGKILL');
  process.once('exit', onExit);
  return async () => {
    callees.kill('SIGKILL');
    await ended;
    process.off('exit', onExit);
  };
}

/** Calls `count` times at `rate` a second: how many finished, were refused by 503 and failed, and in how many seconds. */
export async function call(directory, port, count, rate) {
  const began = performance.now();
  const output = await sipp(directory, [
    ...[`127.0.0.1:${port}`, '-p', '16000', '-sf', join(import.meta.dirname, 'caller.xml')],
    ...['-inf', join(directory, 'users.csv'), '-m', `${count}`, '-r', `${rate}`, '-l', `${rate * 40}`],
    ...['-timeout', '180'],
  ]);
  const seconds = (performance.now() - began) / 1000;
  return {
    finished: counted(output, 'Counter 3'),
    refused: counted(output, 'Counter 1'),
    failed: counted(output, 'Failed call'),
    seconds,
  };
}

/** Runs sipp to its end; what it printed. */
async function sipp(directory, argv) {
  const child = spawn('sipp', [...argv, '-i', '127.0.0.1', '-nostdin'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => (output = (output + data).slice(-20_000)));
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}

/** The cumulative value of a line of sipp's last screen. */
function counted(output, name) {
  return Number([...output.matchAll(new RegExp(`${name}\\s*\\|[^|]*\\|\\s*(\\d+)`, 'g'))].at(-1)?.[1] ?? 0);
}

/** CPU microseconds that a process, its threads and its descendants have used so far. */
export function cpuMicroseconds(pid) {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
    for (const child of children.split(' ').filter(Boolean)) nanoseconds += cpuMicroseconds(child) * 1000;
  }
  return nanoseconds / 1000;
}

/** Runs a program to its end and throws what it says unless it succeeds. */
export function run(argv, options = {}) {
  const { status, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status}: ${stderr}${stdout}`);
  return stdout;
}
