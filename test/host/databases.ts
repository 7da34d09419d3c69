// Real databases for tests, each in a directory of its own and on a port of loopback: PostgreSQL and MariaDB as Debian has them,
// and PostgreSQL of PGlite for where they are not installed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { runOrThrow } from './run.ts';

type Row = Record<string, unknown>;

/** A database that runs, with the tables of etc/sql. */
export interface TestDatabase {
  /** Lines of a configuration whose accounts are in it. */
  readonly config: readonly string[];
  readonly port: number;
  /** Runs statements; the rows of the last. */
  query(statements: string): Promise<Row[]>;
  /** Kills its server, or lets it hang. */
  kill(signal: 'SIGKILL' | 'SIGSTOP'): void;
  /** Has it go on. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

const password = 'dᗷ "secret"';
const root = resolve(import.meta.dirname, '../..');
const POSTGRES = '/usr/lib/postgresql';

/** PostgreSQL of PGlite. It has one connection, which all that are made share in turn. */
export async function startPglite(): Promise<TestDatabase> {
  const program = join(import.meta.dirname, 'pglite-process.mjs');
  const child = spawn(process.execPath, [program, scriptPath('postgres')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout as Readable, 'data')) as [Buffer];
  const port = Number(/:(\d+)\s*$/.exec(String(line))?.[1]);
  return {
    config: [`DbUrl postgres://postgres@127.0.0.1:${port}/postgres`],
    port,
    query: (statements) => queryPostgres({ port, user: 'postgres' }, statements),
    kill: (signal) => child.kill(signal),
    async resume() {
      child.kill('SIGCONT');
    },
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function queryPostgres(
  who: { readonly port: number; readonly user: string; readonly password?: string },
  statements: string,
): Promise<Row[]> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host: '127.0.0.1', database: 'postgres', ...who });
  await client.connect();
  try {
    const result = await client.query(statements);
    return (Array.isArray(result) ? result.at(-1) : result).rows;
  } finally {
    await client.end();
  }
}

/** Debian's PostgreSQL; by root it runs as postgres. */
export async function startPostgres(): Promise<TestDatabase> {
  const programs = join(POSTGRES, readdirSync(POSTGRES).sort().at(-1) as string, 'bin');
  const directory = ownedDirectory('postgres');
  const data = join(directory, 'data');
  const words = ['-D', data, '-U', 'sr', '-A', 'scram-sha-256', '--no-sync', '-E', 'UTF8'];
  runOrThrow(as('postgres', [join(programs, 'initdb'), ...words, `--pwfile=${passwordFile(directory)}`]));
  const port = await freePort();
  const options = ['-k', directory, '-p', `${port}`, '-h', '127.0.0.1', '-c', 'fsync=off'];
  const argv = as('postgres', [join(programs, 'postgres'), '-D', data, ...options]);
  const query = (statements: string) => queryPostgres({ port, user: 'sr', password }, statements);
  const process = await startProcess(argv, port, () => query('select 1'));
  await query(kamailioScripts('postgres') + script('postgres'));
  const url = `postgres://sr@127.0.0.1:${port}/postgres`;
  return {
    ...process,
    config: configOf(url, directory),
    port,
    query,
    close: () => remove(process, directory),
  };
}

/** Debian's MariaDB; by root it runs as mysql. */
export async function startMariadb(): Promise<TestDatabase> {
  const directory = ownedDirectory('mysql');
  const data = join(directory, 'data');
  const install = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'];
  runOrThrow(as('mysql', ['mariadb-install-db', ...install, '--skip-test-db']));
  const port = await freePort();
  const socket = join(directory, 'socket');
  const options = [`--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1'];
  const argv = as('mysql', ['/usr/sbin/mariadbd', '--no-defaults', ...options]);
  const query = async (statements: string, user = 'sr'): Promise<Row[]> => {
    const { createConnection: connect } = await import('mysql2');
    const where =
      user === 'root' ? { socketPath: socket } : { host: '127.0.0.1', port, password, database: 'sr' };
    const connection = connect({ ...where, user, multipleStatements: true });
    try {
      return await new Promise((done, fail) => {
        connection.on('error', fail);
        connection.query(statements, (error, rows) => {
          if (error) fail(error);
          else done(rows as unknown as Row[]);
        });
      });
    } finally {
      connection.destroy();
    }
  };
  const process = await startProcess(argv, port, () => query('select 1', 'root'));
  const identified = `identified by '${password}'`;
  await query(
    `create database sr; create user sr@'127.0.0.1' ${identified}; grant all on sr.* to sr@'127.0.0.1'`,
    'root',
  );
  await query(kamailioScripts('mysql') + script('mysql'));
  passwordFile(directory);
  const url = `mysql://sr@127.0.0.1:${port}/sr`;
  return {
    ...process,
    config: configOf(url, directory),
    port,
    query,
    close: () => remove(process, directory),
  };
}

const scriptPath = (name: string): string => join(root, 'etc/sql', `${name}.sql`);

function script(name: string): string {
  return readFileSync(scriptPath(name), 'utf8');
}

/** What Debian's Kamailio makes tables with. */
function kamailioScripts(name: string): string {
  return ['standard', 'auth_db', 'usrloc', 'acc', 'domain', 'group']
    .map((module) => readFileSync(`/usr/share/kamailio/${name}/${module}-create.sql`, 'utf8'))
    .join('');
}

function ownedDirectory(account: string): string {
  const directory = mkdtempSync(join(tmpdir(), `sr-${account}-`));
  if (process.getuid?.() === 0) runOrThrow(['chown', account, directory]);
  chmodSync(directory, 0o755);
  return directory;
}

/** The password, read by us alone and before by initdb. */
function passwordFile(directory: string): string {
  const path = join(directory, 'initial');
  writeFileSync(path, `${password}\n`);
  chmodSync(path, 0o644);
  return path;
}

function configOf(url: string, directory: string): string[] {
  const path = `${directory}-password`;
  writeFileSync(path, `${password}\n`, { mode: 0o600 });
  return [`DbUrl ${url}`, `DbPasswordFile ${path}`];
}

function as(account: string, argv: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...argv];
  return ['setpriv', `--reuid=${account}`, `--regid=${account}`, '--clear-groups', '--', ...argv];
}

type RunningProcess = Pick<TestDatabase, 'kill' | 'resume'> & { stop(): Promise<void> };

async function startProcess(
  argv: readonly string[],
  port: number,
  isUp: () => Promise<unknown>,
): Promise<RunningProcess> {
  let child: ChildProcess;
  let isStopped = false;

  async function start(): Promise<void> {
    const [program, ...rest] = argv as [string, ...string[]];
    child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' });
    let output = '';
    child.stderr?.on('data', (data) => {
      output += data;
    });
    const deadlineMs = performance.now() + 30_000;
    for (;;) {
      const error = await isUp().then(
        () => undefined,
        (why: Error) => why,
      );
      if (error === undefined) return;
      if (child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`${program}: ${error.message}\n${output}`);
      await delay(50);
    }
  }

  const group = () => processesOf(child.pid as number);
  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      child.once('exit', () => resolve());
      for (const pid of group()) process.kill(pid, signal);
    });
  await start();
  return {
    kill(signal) {
      isStopped = signal === 'SIGSTOP';
      for (const pid of group()) process.kill(pid, signal);
    },
    async resume() {
      if (isStopped) for (const pid of group()) process.kill(pid, 'SIGCONT');
      else {
        await end('SIGKILL');
        while (await isOpen(port)) await delay(20);
        await start();
      }
      isStopped = false;
    },
    async stop() {
      if (isStopped) for (const pid of group()) process.kill(pid, 'SIGCONT');
      await end('SIGKILL');
    },
  };
}

/** A process and its children: PostgreSQL has one a connection. */
function processesOf(pid: number): number[] {
  if (!existsSync(`/proc/${pid}`)) return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.map(Number)];
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function remove(process: RunningProcess, directory: string): Promise<void> {
  await process.stop();
  rmSync(directory, { recursive: true, force: true });
  rmSync(`${directory}-password`, { force: true });
}
