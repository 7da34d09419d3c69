// Runs programs of the host to their end.

import { spawnSync } from 'node:child_process';

export interface Finished {
  /** The exit code, or 128 + the signal's number as a shell has it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Killed after so many milliseconds; 30,000 unless told. */
  readonly timeoutMs?: number;
}

/** Runs `argv` with `input` as its standard input (nothing unless told) and waits for its end. */
export function run(argv: readonly string[], options: RunOptions = {}): Finished {
  const [program, ...rest] = argv as [string, ...string[]];
  const done = spawnSync(program, rest, {
    input: options.input ?? '',
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? 30_000,
    maxBuffer: 64 << 20,
    encoding: 'utf8',
  });
  if (done.error && done.status === null && done.signal === null) throw done.error;
  const killed = done.error ? 'timed out\n' : '';
  return { status: done.status ?? 128 + 15, stdout: done.stdout, stderr: killed + done.stderr };
}

/** Runs `argv` and throws what it wrote to standard error unless it succeeds; returns its standard output. */
export function runOrThrow(argv: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(argv, options);
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status}: ${stderr}${stdout}`);
  return stdout;
}
