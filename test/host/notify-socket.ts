// A service manager of the test's own: the socket that NOTIFY_SOCKET names, and what is told there (sd_notify(3)).

import { chmodSync } from 'node:fs';
import { expect } from 'vitest';
import { libc, O_CLOEXEC } from '../../src/unix/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;

/** The socket; `close` it at the end. */
export class NotifySocket {
  /** For the environment of who tells. */
  readonly name: string;
  readonly #fd: number;
  readonly #told: string[] = [];

  /** `@name` is in no file system. */
  constructor(name: string) {
    this.name = name;
    const path = Buffer.from(name.startsWith('@') ? name.replace('@', '\0') : `${name}\0`);
    const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
    this.#fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
    const address = Buffer.concat([family, path]);
    if (libc().bind(this.#fd, address, address.length) < 0)
      throw new Error(`bind ${name}: ${libc().errno()}`);
    if (!name.startsWith('@')) chmodSync(name, 0o777);
  }

  /** Each datagram since the last `forget`. */
  get told(): readonly string[] {
    const room = Buffer.alloc(4096);
    for (;;) {
      const bytes = libc().read(this.#fd, room, room.length);
      if (bytes <= 0) return this.#told;
      this.#told.push(room.toString('utf8', 0, bytes));
    }
  }

  forget(): void {
    this.#told.length = 0;
  }

  /** Waits until something is told, by whole lines, and so often. */
  async hears(line: string, times = 1): Promise<void> {
    const heard = () => this.told.flatMap((each) => each.split('\n'));
    const count = () => heard().filter((each) => each === line).length;
    await expect.poll(count, { timeout: 10_000, interval: 10 }).toBeGreaterThanOrEqual(times);
  }

  close(): void {
    libc().close(this.#fd);
  }
}
