// vim on a terminal, as the owner of a file uses it: he reads, adds lines, writes, and answers when vim warns that the file
// has changed since he read it.

import { spawn } from '@lydell/node-pty';

/** What became of a write. */
export type Written = 'written' | 'changed meanwhile';

/** vim with one file open. */
export interface Vim {
  /** Reads the file again, whatever is in the buffer (`:e!`). */
  read(): Promise<void>;
  /** Adds lines at the end of the buffer. */
  append(lines: readonly string[]): void;
  /** `:w`; `answer` is given when vim asks whether to write although the file has changed: no unless told. */
  write(answer?: 'y' | 'n'): Promise<Written>;
  /** How files are written: another file in its place (no), its content replaced (yes), or vim's choice. */
  set(backupcopy: 'auto' | 'yes' | 'no'): void;
  quit(): Promise<void>;
}

const patienceMs = 15_000;

/** Opens a file. */
export async function openVim(path: string): Promise<Vim> {
  const own = ['-u', 'NONE', '-i', 'NONE', '-n', '-N', '--cmd', 'set shortmess+=I nomore'];
  const env = { PATH: process.env.PATH, TERM: 'dumb', HOME: '/nonexistent', LANG: 'C' };
  const pty = spawn('vim', [...own, path], { env, cols: 500, rows: 20 });
  let shown = '';
  let wake = () => {};
  let count = 0;
  pty.onData((data) => {
    shown += data;
    wake();
  });
  const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()));

  async function shows(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = pattern.exec(shown);
      if (found !== null) return found[0];
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`vim does not show ${pattern}: ${JSON.stringify(shown.slice(-2000))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Types a command and waits until vim says that it is through, or asks. */
  async function command(text: string): Promise<string> {
    count += 1;
    shown = '';
    pty.write(`:${text}|echomsg "through-${count}-" . &modified\r`);
    return shows(new RegExp(`through-${count}-[01]|\\(y/n\\)\\?`));
  }

  await command('set nomodeline');
  return {
    async read() {
      await command('e!');
    },
    append(lines) {
      const list = lines.map((line) => `'${line.replaceAll("'", "''")}'`).join(',');
      pty.write(`:call append('$', [${list}])\r`);
    },
    async write(answer = 'n') {
      let end = await command('w');
      if (end.endsWith('?')) {
        if (!shown.includes('has been changed since reading it'))
          throw new Error(`vim asks: ${JSON.stringify(shown.slice(-2000))}`);
        pty.write(answer);
        end = await shows(new RegExp(`through-${count}-[01]`));
        if (answer === 'n') return 'changed meanwhile';
      }
      if (end.endsWith('1')) throw new Error(`vim could not write: ${JSON.stringify(shown.slice(-2000))}`);
      return 'written';
    },
    set(backupcopy) {
      pty.write(`:set backupcopy=${backupcopy}\r`);
    },
    async quit() {
      pty.write(':q!\r');
      const timer = setTimeout(() => pty.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
