// acct as it grows: what is appended, and where it goes on when the file was renamed, replaced or cut (logrotate(8)).

import { closeSync, fstatSync, readSync } from 'node:fs';
import { isTrouble, type Trouble } from '../unix/trouble.ts';
import { type AcctFile, type AcctReader, LineReader } from './acct-file.ts';

const CHUNK_BYTES = 64 * 1024;

/** Follows a file by its name; `close` it. */
export class AcctFollower {
  readonly #open: () => AcctFile | undefined | Trouble;
  readonly #reader: AcctReader;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #held: { fd: number; dev: number; ino: number; offset: number; lines: LineReader } | undefined;

  constructor(open: () => AcctFile | undefined | Trouble, reader: AcctReader) {
    this.#open = open;
    this.#reader = reader;
  }

  /** Hands over what has come since the last time; the file as a whole at first. Says why the name can't be opened. */
  poll(): Trouble | undefined {
    const file = this.#open();
    if (file === undefined || isTrouble(file)) {
      this.#drain();
      return file;
    }
    const { dev, ino, size } = fstatSync(file.fd);
    const held = this.#held;
    if (held !== undefined && held.dev === dev && held.ino === ino && size >= held.offset) closeSync(file.fd);
    else {
      this.#drain();
      this.close();
      this.#held = { fd: file.fd, dev, ino, offset: 0, lines: new LineReader(file.path, this.#reader) };
    }
    this.#drain();
    return undefined;
  }

  /** Lets go of the file; a last line without its end is named. */
  close(): void {
    if (this.#held === undefined) return;
    this.#held.lines.end();
    closeSync(this.#held.fd);
    this.#held = undefined;
  }

  #drain(): void {
    const held = this.#held;
    if (held === undefined) return;
    for (;;) {
      const bytes = readSync(held.fd, this.#chunk, 0, CHUNK_BYTES, held.offset);
      if (bytes === 0) return;
      held.offset += bytes;
      held.lines.push(this.#chunk.toString('latin1', 0, bytes));
    }
  }
}
