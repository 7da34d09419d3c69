// Accounts that only libnss_wrapper knows, or, by root, the C library's own NSS where it sees other files in /etc, with homes in
// a temporary directory: by root as many as wanted, each of a uid of its own; by anyone, one that is the invoking account itself.

import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { realm } from '../host/passwords.ts';
import { withMounts } from '../host/private-host.ts';
import { runOrThrow } from '../host/run.ts';

const bin = resolve(import.meta.dirname, '../../bin');
const firstUid = 200_000;
const groupId = 199_999;

const wrapper = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((directory) => join(directory, 'libnss_wrapper.so'))
  .find((path) => existsSync(path));

/** What describeNeeding is to ask for: a name it cannot find when the library is missing. */
export const wrapperNeeds: readonly string[] = wrapper === undefined ? ['libnss_wrapper.so'] : [];

export const isRoot = process.getuid?.() === 0;

/** Accounts `u0`, `u1`, …, members of group sip. */
export class WrappedHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'sr-long-'));
  readonly users: readonly string[];
  /** The environment in which programs see the accounts. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #isMounted: boolean;
  readonly #onExit = () => this.remove();

  /**
   * `count` accounts of their own uids, which takes root; `own`: one, the invoking account by another name. `isMounted`: by files
   * in /etc, not by the library.
   */
  constructor(count: number | 'own', isMounted = false) {
    this.#isMounted = isMounted;
    process.once('exit', this.#onExit);
    chmodSync(this.directory, 0o755);
    const isOwn = count === 'own';
    const uidOf = (index: number) => (isOwn ? (process.getuid?.() ?? 0) : firstUid + index);
    this.users = Array.from({ length: isOwn ? 1 : count }, (_, index) => `u${index}`);
    const passwd = this.users.map(
      (user, index) => `${user}:x:${uidOf(index)}:${uidOf(index)}::${this.home(user)}:/bin/sh\n`,
    );
    const server = `sr:x:${groupId}:${groupId}::/nonexistent:/usr/sbin/nologin\n`;
    const others = isOwn ? '' : `root:x:0:0::${this.home('root')}:/bin/sh\n${server}`;
    writeFileSync(join(this.directory, 'passwd'), others + passwd.join(''));
    // The accounts' own groups have no names: the library reads all of this file at the first look-up of a group.
    writeFileSync(join(this.directory, 'group'), `sip:x:${groupId}:${this.users.join(',')}\n`);
    writeFileSync(join(this.directory, 'nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\n');
    const plain = { PATH: process.env.PATH, HOME: this.home('u0'), TERM: 'dumb' };
    const wrapped = {
      ...plain,
      LD_PRELOAD: wrapper,
      // Its children need the library too.
      UNIXSIP_TEST: '1',
      NSS_WRAPPER_PASSWD: join(this.directory, 'passwd'),
      NSS_WRAPPER_GROUP: join(this.directory, 'group'),
    };
    this.environment = isMounted ? plain : wrapped;
    if (isOwn) this.makeHome('u0');
  }

  home(user: string): string {
    return join(this.directory, 'home', user);
  }

  usrloc(user: string): string {
    return join(this.home(user), '.sr/usrloc');
  }

  /** Homes are made for those only who need one. */
  makeHome(user: string): void {
    mkdirSync(this.home(user), { recursive: true, mode: 0o755 });
    const index = this.users.indexOf(user);
    if (isRoot && this.users.length > 1) chownSync(this.home(user), firstUid + index, firstUid + index);
  }

  /** The command that runs one of our built programs; it wants `environment`. */
  command(
    name: 'sippasswd' | 'sipctl',
    words: readonly string[],
    nodeOptions: readonly string[] = [],
  ): string[] {
    const argv = [process.execPath, ...nodeOptions, join(bin, `${name}.js`), ...words];
    if (!this.#isMounted) return argv;
    const files = ['passwd', 'group', 'nsswitch.conf'];
    return withMounts(
      files.map((file) => [join(this.directory, file), `/etc/${file}`]),
      argv,
    );
  }

  /** Sets `user`'s password through sippasswd. */
  setPassword(user: string, password: string): void {
    const argv = this.command('sippasswd', ['--stdin', '--realm', realm, user]);
    runOrThrow(argv, { input: `${password}\n`, env: this.environment });
  }

  remove(): void {
    process.off('exit', this.#onExit);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
