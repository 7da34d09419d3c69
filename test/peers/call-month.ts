// A month in which calls are played by a script: the clock of the server stands still unless the script moves it, so that
// of every record every key is known but its id, and the files of records are compared with what is expected as a whole.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Copies, Line } from './call-lines.ts';
import { CallStage, ends } from './call-stage.ts';
import type { Playing } from './sipp-party.ts';
import { StandingClock } from './standing-clock.ts';

type Callees = Parameters<CallStage['begin']>[0];
type Caller = Parameters<CallStage['begin']>[1];

/** A call that is played. */
export interface Played {
  readonly callId: string;
  readonly callees: readonly Playing[];
  readonly caller: Playing;
}

/** The accounts, the server, its clock, and what was recorded so far. */
export class CallMonth {
  readonly stage = new CallStage();
  readonly clock = new StandingClock(this.stage.host.path('clock'));
  readonly #names = Object.values(this.stage.accounts).map(({ name }) => name);
  readonly #recorded: Readonly<Record<string, Line[]>> = Object.fromEntries(
    ['root', ...this.#names].map((whose) => [whose, []]),
  );

  /** Starts the server, or starts it again. */
  serve(config: readonly string[]): Promise<void> {
    return this.stage.serve(config, this.clock.nodeOptions);
  }

  /** Begins a call at a time. */
  async begin(callId: string, at: string, callees: Callees, caller: Caller): Promise<Played> {
    this.clock.set(at);
    const playing = await this.stage.begin(callees, { ...caller, callId });
    return { callId, callees: playing.slice(0, -1), caller: playing.at(-1) as Playing };
  }

  /** Begins a call at a time, and waits until it rings at all who are called. */
  async ring(callId: string, at: string, callees: Callees, caller: Caller): Promise<Played> {
    const call = await this.begin(callId, at, callees, caller);
    await receives(call.caller, 'SIP/2.0 180', callees.length);
    return call;
  }

  /** One of the called answers after so many seconds of ringing. */
  async answer({ callId }: Played, seconds: number, callee: Playing): Promise<void> {
    this.clock.forward(seconds);
    await callee.cue(callId);
    await receives(callee, 'ACK ');
  }

  /** After so many seconds a party takes its last steps, and with it the call is over for all. */
  async end({ callId, callees, caller }: Played, seconds: number, party: Playing): Promise<void> {
    this.clock.forward(seconds);
    await party.cue(callId);
    await ends([...callees, caller]);
  }

  /** Waits until the server has noted that it is alive at this time. */
  async noted(): Promise<void> {
    const journal = this.stage.host.path('/var/lib/sr/calls');
    const line = `{"alive":${this.clock.now()}}\n`;
    await expect
      .poll(() => readFileSync(journal, 'utf8').includes(line), { interval: 20, timeout: 5000 })
      .toBe(true);
  }

  /** Waits for the records of a call: these, and none besides. All have the same id. */
  async records(root: Line, copies: Copies): Promise<void> {
    const id = expect.stringMatching(/^[!-~]{1,64}$/);
    const { others: _, ...shared } = root;
    const expected: Record<string, Line[]> = { root: [{ id, ...root }] };
    for (const name of this.#names)
      expected[name] = copies[name] === undefined ? [] : [{ id, ...shared, ...copies[name] }];
    const found = () => this.#found((line) => line.callid === root.callid);
    await expect.poll(found, { interval: 20, timeout: 10_000 }).toEqual(expected);
    expect(new Set(Object.values(found()).flatMap((lines) => lines.map((line) => line.id))).size).toBe(1);
    for (const [whose, lines] of Object.entries(expected)) this.#recorded[whose]?.push(...lines);
  }

  /** All files hold the records that were waited for, in this order, and no others. */
  holdsNothingElse(): void {
    expect(this.#found(() => true)).toEqual(this.#recorded);
  }

  /** How many copies an account has by now. */
  countOf(name: string): number {
    return this.#recorded[name]?.length ?? 0;
  }

  /** The files with the records of an account or of `root`, the oldest first. */
  files(whose: string): string[] {
    const { host, accounts } = this.stage;
    const log = host.path('/var/log/sr/acct');
    const home = Object.values(accounts).find(({ name }) => name === whose)?.home;
    const paths = home === undefined ? [`${log}.1`, log] : [join(home, '.sr/acct')];
    return paths.filter((path) => existsSync(path));
  }

  remove(): Promise<void> {
    return this.stage.remove();
  }

  #found(isAsked: (line: Line) => boolean): Record<string, Line[]> {
    const linesOf = (whose: string) => this.files(whose).flatMap(readLines).filter(isAsked);
    return Object.fromEntries(['root', ...this.#names].map((whose) => [whose, linesOf(whose)]));
  }
}

/** Waits until a party has received so many messages that begin so. */
export async function receives(party: Playing, begin: string, count = 1): Promise<void> {
  const received = () => {
    const [, ...messages] = party.messages().split(/ message received \[\d+\] bytes :\n\n/);
    return messages.filter((text) => text.startsWith(begin)).length;
  };
  await expect.poll(received, { interval: 10, timeout: 5000 }).toBeGreaterThanOrEqual(count);
}

function readLines(path: string): Line[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}
