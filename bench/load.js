// What the benchmarks of registrations share: accounts, sipp, and the CPU time of a process and its descendants.

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
  writeFileSync(passwdFile, readFileSync('/etc/passwd', 'utf8') + passwd.join(''));
  const others = readFileSync('/etc/group', 'utf8').replace(/^sip:.*\n/m, '');
  const members = accounts.map(({ name }) => name).join(',');
  writeFileSync(groupFile, `${others}${GROUP}${members}\n${groups.join('')}`);
  const rows = accounts.map(
    ({ name, password }) => `${name};[authentication username=${name} password=${password}];${realm}\n`,
  );
  writeFileSync(join(directory, 'users.csv'), `SEQUENTIAL\n${rows.join('')}`);
  const environment = {
    ...process.env,
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: passwdFile,
    NSS_WRAPPER_GROUP: groupFile,
  };
  return { accounts, environment };
}

/** Registers `count` times at `rate` a second over UDP through sipp, at most 50 at once; throws when one in a hundred fails. */
export async function register(directory, port, count, rate) {
  const what = ['-sf', join(import.meta.dirname, 'register.xml'), '-inf', join(directory, 'users.csv')];
  const pace = ['-m', `${count}`, '-r', `${rate}`, '-l', '50', '-timeout', '120'];
  const where = [`127.0.0.1:${port}`, '-i', '127.0.0.1', '-p', '16000', '-nostdin'];
  const sipp = spawn('sipp', [...where, ...what, ...pace], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [sipp.stdout, sipp.stderr]) stream.on('data', (data) => (output += data));
  await new Promise((resolve) => sipp.on('close', resolve));
  const last = (name) =>
    Number([...output.matchAll(new RegExp(`${name} call\\s*\\|[^|]*\\|\\s*(\\d+)`, 'g'))].at(-1)?.[1]);
  const [registered, failed] = [last('Successful'), last('Failed')];
  if (!(registered >= count * 0.99))
    throw new Error(`sipp: ${registered} of ${count} registered, ${failed} failed\n${output.slice(-3000)}`);
  return { registered, failed };
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
