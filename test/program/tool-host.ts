// A host of the test's own for the tools: accounts jan, eva and tom with homes, groups sip and sipadmin (tom), an empty
// /etc/sr and /var/log.
// By root it is a private mount namespace with a copy of /etc; by anyone else libnss_wrapper gives him the name jan.

import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawn as spawnPty } from '@lydell/node-pty';
import { withMounts } from '../host/private-host.ts';
import { type Finished, run } from '../host/run.ts';

const projectRoot = resolve(import.meta.dirname, '../..');
const firstUid = 54_321;
const users = ['jan', 'eva', 'tom'] as const;
export type User = (typeof users)[number];

/** Whether the tests run as root and may make mount namespaces. */
export const isRoot =
  process.getuid?.() === 0 && run(['unshare', '--mount', '--propagation', 'private', 'true']).status === 0;

const wrapper = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((directory) => join(directory, 'libnss_wrapper.so'))
  .find((path) => existsSync(path));

/**
 * Whether a path of /etc stays: useradd(8) and its kin make locks and copies beside their files while they work, and /etc/sr
 * is what other tests make and remove.
 */
function isLasting(path: string): boolean {
  return !/^\/etc\/sr$|(?:\.lock|\/(?:passwd|group|g?shadow|sub[ug]id)(?:[+-]|\.\w+))$/.test(path);
}

/** Whether a user can be played at all. */
export const canPlayUsers = isRoot || (process.getuid?.() !== 0 && wrapper !== undefined);

/** What a terminal session is: what was shown, and how it ended. */
export interface Session {
  /** Resolves when the pattern is shown after what earlier calls matched; returns what was shown until then. */
  shows(pattern: RegExp): Promise<string>;
  type(text: string): void;
  /** Resolves at the end to the exit code. */
  end(): Promise<number>;
  /** All that was shown, without the terminal's escapes. */
  text(): string;
  /** The same with them. */
  raw(): string;
}

/** How a session is held. */
export interface SessionOptions {
  /** Commands of the shell that are run on the same terminal when the program has ended. */
  readonly after?: string;
  readonly columns?: number;
  /** What the program writes goes through a pipe; it reads from the terminal. */
  readonly isPiped?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** What a session prints when its program has ended, with the exit code. */
const END = /\x1b\]777;(\d+)\x07/;

/** The host; `remove` it at the end. */
export class ToolHost {
  readonly #root = mkdtempSync(join(tmpdir(), 'sr-tools-'));

  constructor() {
    chmodSync(this.#root, 0o755);
    mkdirSync(this.#path('project'));
    writeFileSync(this.#path('node'), '');
    const ids = users.map((_, index) =>
      isRoot ? firstUid + index : index === 0 ? this.#self() : firstUid + index,
    );
    const passwd = users
      .map((name, at) => `${name}:x:${ids[at]}:${ids[at]}::${this.home(name)}:/bin/sh\n`)
      .join('');
    const group = `${users.map((name, at) => `${name}:x:${ids[at]}:\n`).join('')}sip:x:54400:jan,tom\nsipadmin:x:54401:tom\n`;
    mkdirSync(this.#path('home'));
    mkdirSync(this.#path('log'));
    for (const [at, name] of users.entries()) {
      mkdirSync(this.home(name), { mode: 0o755 });
      if (isRoot) chownSync(this.home(name), ids[at] as number, ids[at] as number);
    }
    if (isRoot) {
      cpSync('/etc', this.#path('etc'), { recursive: true, verbatimSymlinks: true, filter: isLasting });
      mkdirSync(this.#path('home/root'));
      const root = `root:x:0:0::${this.#path('home/root')}:/bin/sh\n`;
      // The account of the process that has the sockets.
      const server = 'sr:x:54390:54390::/nonexistent:/usr/sbin/nologin\n';
      writeFileSync(this.#path('etc/passwd'), root + passwd + server);
      writeFileSync(this.#path('etc/group'), `root:x:0:\n${group}sr:x:54390:\n`);
      writeFileSync(this.#path('etc/nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\n');
    } else {
      writeFileSync(this.#path('passwd'), passwd);
      writeFileSync(this.#path('group'), group);
    }
  }

  home(user: User): string {
    return this.#path(`home/${user}`);
  }

  /** The content of a file of a user's ~/.sr; undefined if there is none. */
  file(user: User, name: string): string | undefined {
    const path = join(this.home(user), '.sr', name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** Writes a file of a user's ~/.sr, as that user would. */
  writeFile(user: User, name: string, content: string): void {
    const directory = join(this.home(user), '.sr');
    const { uid, gid } = statSync(this.home(user));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    for (const path of [directory, join(directory, name)]) chownSync(path, uid, gid);
  }

  /** The path of a file of the host's /etc/sr; makes the directory. */
  etc(name: string): string {
    mkdirSync(this.#path('etc/sr'), { recursive: true, mode: 0o755 });
    return this.#path(`etc/sr/${name}`);
  }

  /** The names of a group's members by the host's /etc/group; undefined if there is no such group. Needs root. */
  members(group: string): string[] | undefined {
    const lines = readFileSync(this.#path('etc/group'), 'utf8').split('\n');
    const line = lines.find((text) => text.startsWith(`${group}:`));
    return line?.split(':')[3]?.split(',').filter(Boolean);
  }

  /** The path of a file of the host's /var/log. */
  log(name: string): string {
    return this.#path(`log/${name}`);
  }

  /** Writes a file of the host's /var/log/sr; it is there for programs that run by root or in homes of others. */
  writeLog(name: string, content: string | Buffer): string {
    mkdirSync(this.log('sr'), { recursive: true });
    writeFileSync(this.#path(`log/sr/${name}`), content, { mode: 0o600 });
    return `/var/log/sr/${name}`;
  }

  /** A file anywhere on the host that everybody can read. */
  write(name: string, content: string): string {
    writeFileSync(this.#path(name), content);
    return this.#path(name);
  }

  /** Removes what tests left in homes, /etc/sr and /var/log. */
  clean(): void {
    for (const user of readdirSync(this.#path('home'))) {
      const home = this.#path(`home/${user}`);
      for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true });
    }
    rmSync(this.#path('etc/sr'), { recursive: true, force: true });
    rmSync(this.log('sr'), { recursive: true, force: true });
  }

  /** The command that runs a program of ours as somebody. */
  command(as: User | 'root', program: string, words: readonly string[]): string[] {
    const bin = [this.#path('node'), this.#path(`project/bin/${program}.js`), ...words];
    if (isRoot) return this.#inside(as, bin);
    return [process.execPath, join(projectRoot, `bin/${program}.js`), ...words];
  }

  /** The command that runs any program as somebody on this host; needs root. */
  #inside(as: User | 'root', argv: readonly string[]): string[] {
    const id = String(firstUid + users.indexOf(as as User));
    const setpriv = ['setpriv', '--reuid', id, '--regid', id, '--init-groups'];
    return withMounts(
      [
        [projectRoot, this.#path('project')],
        [process.execPath, this.#path('node')],
        [this.#path('etc'), '/etc'],
        [this.#path('log'), '/var/log'],
      ],
      as === 'root' ? argv : [...setpriv, ...argv],
    );
  }

  /** Runs `sippasswd` with its standard input a pipe. */
  sippasswd(as: User | 'root', words: readonly string[], input = ''): Finished {
    return this.run(as, 'sippasswd', words, input);
  }

  run(as: User | 'root', program: string, words: readonly string[], input = ''): Finished {
    return run(this.command(as, program, words), { input, env: this.environment() });
  }

  /** The environment programs run in. */
  environment(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    if (isRoot) return { PATH, TERM: 'xterm' };
    const files = { NSS_WRAPPER_PASSWD: this.#path('passwd'), NSS_WRAPPER_GROUP: this.#path('group') };
    return { PATH, TERM: 'xterm', LD_PRELOAD: wrapper, ...files };
  }

  /** Runs sippasswd on a terminal, and then the commands `after` on the same one. */
  terminal(as: User | 'root', words: readonly string[], after?: string): Session {
    return this.session(as, 'sippasswd', words, after === undefined ? {} : { after });
  }

  /** Runs a program on a terminal. */
  session(
    as: User | 'root',
    program: string,
    words: readonly string[],
    options: SessionOptions = {},
  ): Session {
    const { after = ':', columns = 100, isPiped = false, env = {} } = options;
    const through = isPiped ? ` | (trap '' INT; cat)` : '';
    // It stays until all that was shown has come: what is in a terminal whose last process has ended can be lost.
    const script = `"$@"${through}; code=$?; ${after}; printf '\\033]777;%s\\007' $code; exec sleep 60`;
    const pty = spawnPty('sh', ['-c', script, 'sh', ...this.command(as, program, words)], {
      env: { ...this.environment(), ...env },
      cols: columns,
      rows: 50,
    });
    let shown = '';
    let matched = 0;
    let wake = () => {};
    const ended = new Promise<number>((done) => {
      pty.onExit(({ exitCode }) => done(exitCode));
      pty.onData((data) => {
        shown += data;
        const [mark, code] = END.exec(shown) ?? [];
        if (mark !== undefined) {
          shown = shown.replace(mark, '');
          done(Number(code));
          pty.kill('SIGKILL');
        }
        wake();
      });
    });
    const plain = () => shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
    return {
      async shows(pattern) {
        for (;;) {
          const found = pattern.exec(plain().slice(matched));
          if (found !== null) {
            const until = plain().slice(matched, matched + found.index + found[0].length);
            matched += until.length;
            return until;
          }
          await new Promise<void>((done, fail) => {
            const timer = setTimeout(
              () => fail(new Error(`${pattern} is not shown: ${JSON.stringify(shown)}`)),
              15_000,
            );
            wake = () => {
              clearTimeout(timer);
              done();
            };
          });
        }
      },
      type: (text) => pty.write(text),
      end: () => ended,
      text: plain,
      raw: () => shown,
    };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#root, name);
  }

  #self(): number {
    return process.getuid?.() ?? 0;
  }
}
