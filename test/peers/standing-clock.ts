// A clock that stands still for the programs that run by it, and goes on when a test says so: what they write of the time
// is known to the millisecond.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export class StandingClock {
  readonly #file: string;
  #nowMs = 0;

  /** `file` is where it stands; everybody must be able to read it. */
  constructor(file: string) {
    this.#file = file;
    this.#stand(0);
  }

  /** For Node, before the program. */
  get nodeOptions(): readonly string[] {
    const module = pathToFileURL(join(import.meta.dirname, 'standing-clock.mjs'));
    return ['--import', `${module}?${encodeURIComponent(this.#file)}`];
  }

  /** What it shows: milliseconds since 1970. */
  now(): number {
    return this.#nowMs;
  }

  /** Sets it to a time in ISO 8601, not before the one it shows. */
  set(time: string): void {
    const ms = Date.parse(time);
    if (!(ms >= this.#nowMs)) throw new Error(`${time} is in the past`);
    this.#stand(ms);
  }

  /** Moves it on by so many seconds. */
  forward(seconds: number): void {
    this.#stand(this.#nowMs + Math.round(seconds * 1000));
  }

  #stand(ms: number): void {
    this.#nowMs = ms;
    writeFileSync(`${this.#file}.new`, `${ms}`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
