// A program that runs beside the test: what it writes is collected and can be awaited, and it never outlives the test.

import { type ChildProcess, spawn } from 'node:child_process';

export interface BackgroundOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A running program, its standard input a pipe. */
export class Background {
  /** All it wrote, to both streams in the order it came. */
  output = '';
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<void>;
  #running = true;
  #waiting: (() => void)[] = [];
  readonly #onExit = () => this.#child.kill('SIGKILL');

  constructor(argv: readonly string[], options: BackgroundOptions = {}) {
    const [program, ...rest] = argv as [string, ...string[]];
    this.#name = argv.join(' ');
    this.#child = spawn(program, rest, { ...options, stdio: 'pipe' });
    process.once('exit', this.#onExit);
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#running = false;
        this.#wake();
        resolve();
      };
      this.#child.once('close', end);
      this.#child.once('error', (error) => {
        this.output += String(error);
        end();
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    this.#child.stdin?.on('error', () => {});
  }

  /** The process id; programs started through exec keep it. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** The first match in what it wrote or will write; fails with the output when it ends or `timeoutMs` pass. */
  async match(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      const left = deadline - Date.now();
      if (!this.#running || left <= 0) {
        const when = this.#running ? `within ${timeoutMs} ms` : `before its end (${this.#status()})`;
        throw new Error(`${this.#name}: no ${pattern} ${when}:\n${this.output.slice(-4000)}`);
      }
      await this.#woken(left);
    }
  }

  /** Waits for the end; resolves to the exit code or the signal. Kills and fails after `timeoutMs`. */
  async end(timeoutMs = 10_000): Promise<number | NodeJS.Signals | null> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
      // Children of its own may live on and hold them open.
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, timeoutMs);
    await this.#ended;
    clearTimeout(timer);
    process.off('exit', this.#onExit);
    if (late) throw new Error(`${this.#name}: no end within ${timeoutMs} ms:\n${this.output.slice(-4000)}`);
    return this.#status();
  }

  /** Sends `signal` and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    if (this.#running) this.#child.kill(signal);
    return this.end();
  }

  #status(): number | NodeJS.Signals | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #woken(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
