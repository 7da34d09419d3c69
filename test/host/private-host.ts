// A private mount namespace in which /etc/sr, /var/lib/sr, /var/log and /run/sr are directories of the test's own,
// the same for every program run in it, so that nothing touches the machine's.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directories = ['/etc/sr', '/var/lib/sr', '/var/log', '/run/sr'];

// On a terminal mount(8) gives hints beside its errors: what it says is shown when it failed only.
const mountThenRun =
  'while [ "$1" != -- ]; do said=$(mount --bind "$1" "$2" 2>&1) || { echo "$said" >&2; exit 125; }; shift 2; done; ' +
  'shift; exec "$@"';

/** The command that runs `argv` where each first path is seen at its second, in the process it is started as. */
export function withMounts(
  mounts: readonly (readonly [string, string])[],
  argv: readonly string[],
): string[] {
  const unshare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mountThenRun, 'sh'];
  return [...unshare, ...mounts.flat(), '--', ...argv];
}

/** The server's own directories, empty and private; needs root. */
export class PrivateHost {
  readonly #root = mkdtempSync(join(tmpdir(), 'sr-host-'));
  readonly #mountPoints: string[] = [];
  readonly #onExit = () => this.remove();

  constructor() {
    process.once('exit', this.#onExit);
    chmodSync(this.#root, 0o755);
    for (const directory of directories) {
      mkdirSync(this.path(directory), { recursive: true });
      if (existsSync(directory)) continue;
      mkdirSync(directory);
      this.#mountPoints.push(directory);
    }
  }

  /** Where the file that programs run in here see as `path` lies. */
  path(path: string): string {
    return join(this.#root, path);
  }

  /** The command that runs `argv` in here, in the process it is started as. */
  command(argv: readonly string[]): string[] {
    const mounts = directories.map((directory) => [this.path(directory), directory] as const);
    return withMounts(mounts, argv);
  }

  /** Removes the directories; programs started in here must have ended. */
  remove(): void {
    process.off('exit', this.#onExit);
    for (const directory of this.#mountPoints.splice(0)) removeIfEmpty(directory);
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Somebody else may have put the host's own files there meanwhile: those stay. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
