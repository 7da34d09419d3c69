// The registrars that are compared, each started in the foreground with the same accounts: Debian's Kamailio and ours.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { realm, run } from './load.js';

const md5 = (text) => createHash('md5').update(text).digest('hex');

const probe = [
  'OPTIONS sip:127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKprobe',
  'Max-Forwards: 70',
  'From: <sip:probe@127.0.0.1>;tag=1',
  'To: <sip:127.0.0.1>',
  'Call-ID: probe',
  'CSeq: 1 OPTIONS',
  'Content-Length: 0',
  '\r\n',
].join('\r\n');

/** Starts a program; once it answers SIP on UDP `port`, resolves to its pid and how to stop it. */
async function start(argv, environment, port) {
  const child = spawn(argv[0], argv.slice(1), { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolveEnd) => child.on('close', resolveEnd));
  const onExit = () => child.kill('SIGTERM');
  process.once('exit', onExit);
  let output = '';
  child.stderr.on('data', (data) => (output = (output + data).slice(-10_000)));
  const socket = createSocket('udp4');
  const ask = setInterval(() => socket.send(probe, port, '127.0.0.1'), 50);
  const answered = new Promise((resolveAnswer) => socket.once('message', () => resolveAnswer(true)));
  const ready = await Promise.race([answered, ended.then(() => false)]);
  clearInterval(ask);
  socket.close();
  if (!ready) throw new Error(`${argv.join(' ')} ended: ${output}`);
  return {
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', onExit);
    },
  };
}

function makeDatabase(directory, accounts) {
  const path = join(directory, 'kamailio.db');
  rmSync(path, { force: true });
  run(['sqlite3', path], { input: kamailioTables('db_sqlite', accounts) });
}

/** Statements that make Kamailio's tables with these accounts; `kind` is a folder of /usr/share/kamailio. */
export function kamailioTables(kind, accounts) {
  const create = ['standard', 'auth_db', 'usrloc'].map((table) =>
    readFileSync(`/usr/share/kamailio/${kind}/${table}-create.sql`, 'utf8'),
  );
  const rows = accounts.map(({ name, password }) => {
    const [ha1, ha1b] = [md5(`${name}:${realm}:${password}`), md5(`${name}@${realm}:${realm}:${password}`)];
    return `insert into subscriber(username,domain,password,ha1,ha1b) values('${name}','${realm}','','${ha1}','${ha1b}');`;
  });
  return [...create, 'begin;', ...rows, 'commit;'].join('\n');
}

/** Kamailio on UDP 127.0.0.1:`port`; `mode` is DBM0 (contacts in memory) or DBM1 (written through), to SQLite or `url`. */
export async function startKamailio(directory, port, accounts, mode, url) {
  if (url === undefined) makeDatabase(directory, accounts);
  const libraries = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/kamailio/modules/`);
  const modules = libraries.find((path) => {
    try {
      return readdirSync(path).includes('db_sqlite.so');
    } catch {
      return false;
    }
  });
  const config = readFileSync(join(import.meta.dirname, 'kamailio.cfg'), 'utf8')
    .replaceAll('PORT', port)
    .replaceAll('DIRECTORY', directory)
    .replace('MODULES', modules)
    .replace('db_sqlite.so', url === undefined ? 'db_sqlite.so' : `db_${url.slice(0, url.indexOf(':'))}.so`)
    .replace(/sqlite:\/\/[^"]*/, (own) => url ?? own);
  const file = join(directory, 'kamailio.cfg');
  writeFileSync(file, config);
  const argv = ['kamailio', '-DD', '-f', file, '-Y', directory, '-m', '512', '-M', '16', '-A', `${mode}=1`];
  return start(argv, process.env, port);
}

const program = (name) => [process.execPath, resolve(import.meta.dirname, `../bin/${name}.js`)];

/** Sets the accounts' passwords for our server; once, before it is started. */
export function setPasswords(accounts, environment) {
  const input = accounts.map(({ name, password }) => `${name}:${password}\n`).join('');
  run([...program('sippasswd'), '--batch', '--realm', realm], { input, env: environment });
}

/** Our server on 127.0.0.1:`port`, run by root with `nodeOptions` and lines of configuration. */
export async function startOurs(directory, port, environment, nodeOptions = [], config = []) {
  const state = join(directory, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const listen = [`Listen udp:127.0.0.1:${port}`, `Listen tcp:127.0.0.1:${port}`];
  const own = [`KeyFile ${state}/key`, `ControlSocket ${state}/control.sock`, 'WriteWtmp no'];
  const file = join(directory, 'sr-config');
  writeFileSync(file, [...listen, `Realm ${realm}`, ...own, ...config, ''].join('\n'));
  const [node, script] = program('sipctl');
  // The script itself names what Node is started with.
  const argv = nodeOptions.length === 0 ? [script] : [node, ...nodeOptions, script];
  // Root's server writes calls to /var/log/sr.
  const inside = ['-c', 'mount --bind "$0" /var/log && exec "$@"', state, ...argv, 'serve', '-f', file];
  return start(['unshare', '--mount', '--propagation', 'private', 'sh', ...inside], environment, port);
}
