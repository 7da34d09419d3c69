// Real accounts of the host for tests run by root: made by useradd, with homes in a temporary directory,
// and removed again at the end, on a signal, or by the next run if this one was killed.

import {
  chmodSync,
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
import { dirname, join, relative, resolve } from 'node:path';
import { withMounts } from './private-host.ts';
import { run, runOrThrow } from './run.ts';

const projectRoot = resolve(import.meta.dirname, '../..');

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Accounts named `srtPIDx`, members of group `sip`, which is made where it is missing. */
export class Accounts {
  readonly #directory: string;
  readonly #names: string[] = [];
  readonly #onExit = () => this.remove();
  readonly #onSignal = () => {
    this.remove();
    process.exit(130);
  };

  constructor() {
    removeLeftOver();
    this.#directory = mkdtempSync(join(tmpdir(), `srt-${process.pid}-`));
    chmodSync(this.#directory, 0o755);
    mkdirSync(join(this.#directory, 'project'));
    writeFileSync(join(this.#directory, 'node'), '');
    process.once('exit', this.#onExit);
    process.once('SIGINT', this.#onSignal);
    process.once('SIGTERM', this.#onSignal);
    makeGroup();
  }

  /** Makes the account `srtPID` + `suffix`; `groups` replaces its only supplementary group, sip. */
  add(suffix: string, groups: readonly string[] = ['sip']): Account {
    const name = `srt${process.pid}${suffix}`;
    const home = join(this.#directory, name);
    this.#names.push(name);
    // Another run may have ended meanwhile, the last one that it knew of.
    makeGroup();
    const membership = groups.length > 0 ? ['--groups', groups.join(',')] : [];
    runOrThrow(['useradd', '--create-home', '--user-group', '--home-dir', home, ...membership, name]);
    const { uid, gid } = statSync(home);
    return { name, uid, gid, home };
  }

  /** Removes the accounts, their homes, and the group if it was made here. */
  remove(): void {
    process.off('exit', this.#onExit);
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
    removeAccounts(this.#names.splice(0), this.#directory);
  }
}

/** Says that the group is ours to remove. */
const madeGroup = join(tmpdir(), 'srt-made-group-sip');

function makeGroup(): void {
  if (run(['getent', 'group', 'sip']).status === 0) return;
  writeFileSync(madeGroup, '');
  run(['groupadd', '--system', 'sip']);
}

/** Runs beside each other have one group: the last of them takes it away. */
function removeGroup(): void {
  if (!existsSync(madeGroup) || readdirSync(tmpdir()).some((name) => /^srt-\d+-/.test(name))) return;
  run(['groupdel', 'sip']);
  rmSync(madeGroup, { force: true });
}

function removeAccounts(names: readonly string[], directory: string): void {
  for (const name of names)
    if (run(['userdel', name]).status !== 0) run(['gpasswd', '--delete', name, 'sip']);
  rmSync(directory, { recursive: true, force: true });
  removeGroup();
}

/** Removes what runs left that were killed before they could. */
function removeLeftOver(): void {
  const left = new Map<string, string[]>();
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , , , , home = ''] = line.split(':');
    const pid = /\/srt-(\d+)-[^/]+\/srt\1[a-z]/.exec(home)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    left.set(dirname(home), [...(left.get(dirname(home)) ?? []), name]);
  }
  for (const [directory, names] of left) removeAccounts(names, directory);
}

/** The command that runs `node argv` (paths below the project's root) as `account`: with its ids, groups and home, and
 *  nothing of the test's environment but what `more` (`NAME=value`) says. The project and Node are shown to it wherever they lie: a clone may be root's own. */
export function asAccount(account: Account, argv: readonly string[], more: readonly string[] = []): string[] {
  const directory = dirname(account.home);
  const [project, node] = [join(directory, 'project'), join(directory, 'node')];
  const ids = ['--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--init-groups'];
  const environment = [
    `HOME=${account.home}`,
    `USER=${account.name}`,
    'PATH=/usr/bin:/bin',
    'LANG=C.UTF-8',
    ...more,
  ];
  const shown = argv.map((word) =>
    word.startsWith(projectRoot) ? join(project, relative(projectRoot, word)) : word,
  );
  return withMounts(
    [
      [projectRoot, project],
      [process.execPath, node],
    ],
    ['setpriv', ...ids, 'env', '-i', ...environment, node, ...shown],
  );
}
