// Bans (DESIGN §3 MaxAuthTries, BanTime): who answers challenges wrongly too often for an account is not let in as that account
// for a while, and who goes on with others is not heard at all. What counts is an answer to a challenge that was sent to that
// very address, so that nobody gets another's banned by forging it; the account is free to everybody elsewhere.

import { networkOf } from '../transport/address.ts';

/** What holds now. */
export interface BanRules {
  /** MaxAuthTries: failures of one address for one account. */
  readonly tries: number;
  /** BanTime in milliseconds; 0: nobody is banned. */
  readonly banMs: number;
}

/** One ban. */
export interface Ban {
  /** An address, or the first half of an IPv6 one: a host has a whole /64. */
  readonly source: string;
  /** The account that it is about, octets; undefined: all, nothing of that source is heard. */
  readonly account: string | undefined;
  /** Milliseconds, of the clock that the bans run by. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly failures: number;
}

/** Counts failures; times are milliseconds of a clock that nobody can set. */
export interface Bans {
  /** A failure: by how much more its answer is to be late, and the ban that it led to. */
  failed(address: string, account: string, nowMs: number): { readonly delayMs: number; readonly ban?: Ban };
  /** The account proved itself from there: its own count begins anew, that of its address goes on. */
  succeeded(address: string, account: string): void;
  /** Whether nothing is heard of an address. */
  isBanned(address: string, nowMs: number): boolean;
  /** Whether an account is not let in from there, be the password right or wrong. */
  isBannedAs(address: string, account: string, nowMs: number): boolean;
  /** The bans that hold, the first of them first. */
  list(nowMs: number): Ban[];
  /** Ends the bans of an address and forgets its failures; how many bans there were. */
  remove(address: string, nowMs: number): number;
}

/** How long failures are remembered. */
const WINDOW_MS = 600_000;
/** Failures for any accounts, in accounts' shares, before an address is not heard: an office has several phones gone wrong. */
const ACCOUNTS_TRIED = 10;
/** Sources that are remembered, and accounts of each; the oldest are forgotten. */
const MOST_SOURCES = 10_000;
const MOST_ACCOUNTS = 200;
const LONGEST_ACCOUNT = 64;
/** Failures that cost no time, what the next one does, and the most. */
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2000;

interface Count {
  failures: number;
  /** When the first of them was. */
  beganMs: number;
  ban: Ban | undefined;
}

interface Source {
  readonly all: Count;
  readonly accounts: Map<string, Count>;
}

/** Starts with no failures; `rules` are asked each time. */
export function createBans(rules: () => BanRules): Bans {
  const sources = new Map<string, Source>();

  function sourceOf(source: string, nowMs: number): Source {
    const known = sources.get(source);
    if (known !== undefined) return known;
    if (sources.size >= MOST_SOURCES) sources.delete(sources.keys().next().value as string);
    const made = { all: newCount(nowMs), accounts: new Map() };
    sources.set(source, made);
    return made;
  }

  function holds({ ban }: Count, nowMs: number): boolean {
    return ban !== undefined && nowMs < ban.untilMs;
  }

  /** Counts one failure; the ban where it is one too many. */
  function count(
    of: Count,
    most: number,
    nowMs: number,
    whose: Pick<Ban, 'source' | 'account'>,
  ): Ban | undefined {
    if (nowMs - of.beganMs >= WINDOW_MS) Object.assign(of, newCount(nowMs));
    of.failures++;
    const { banMs } = rules();
    if (of.failures < most || banMs === 0 || holds(of, nowMs)) return undefined;
    of.ban = { ...whose, sinceMs: nowMs, untilMs: nowMs + banMs, failures: of.failures };
    const { ban } = of;
    // When it has ended, counting begins anew.
    Object.assign(of, { failures: 0, beganMs: nowMs });
    return ban;
  }

  return {
    failed(address, account, nowMs) {
      const source = networkOf(address);
      const { all, accounts } = sourceOf(source, nowMs);
      const name = account.slice(0, LONGEST_ACCOUNT);
      let one = accounts.get(name);
      if (one === undefined) {
        if (accounts.size >= MOST_ACCOUNTS) accounts.delete(accounts.keys().next().value as string);
        one = newCount(nowMs);
        accounts.set(name, one);
      }
      const { tries } = rules();
      const delayMs = delayAfter(Math.max(one.failures, all.failures / ACCOUNTS_TRIED));
      const ofAccount = count(one, tries, nowMs, { source, account: name });
      const ofAll = count(all, tries * ACCOUNTS_TRIED, nowMs, { source, account: undefined });
      const ban = ofAll ?? ofAccount;
      return ban === undefined ? { delayMs } : { delayMs, ban };
    },
    succeeded(address, account) {
      if (sources.size === 0) return;
      sources.get(networkOf(address))?.accounts.delete(account.slice(0, LONGEST_ACCOUNT));
    },
    isBanned(address, nowMs) {
      if (sources.size === 0) return false;
      const source = sources.get(networkOf(address));
      return source !== undefined && holds(source.all, nowMs);
    },
    isBannedAs(address, account, nowMs) {
      if (sources.size === 0) return false;
      const one = sources.get(networkOf(address))?.accounts.get(account.slice(0, LONGEST_ACCOUNT));
      return one !== undefined && holds(one, nowMs);
    },
    list(nowMs) {
      const bans: Ban[] = [];
      for (const { all, accounts } of sources.values())
        for (const each of [all, ...accounts.values()])
          if (each.ban !== undefined && holds(each, nowMs)) bans.push(each.ban);
      return bans.sort((a, b) => a.sinceMs - b.sinceMs);
    },
    remove(address, nowMs) {
      const source = networkOf(address);
      const ended = this.list(nowMs).filter((ban) => ban.source === source).length;
      sources.delete(source);
      return ended;
    },
  };
}

function newCount(nowMs: number): Count {
  return { failures: 0, beganMs: nowMs, ban: undefined };
}

/** Of the first failures none; then it doubles. */
function delayAfter(failures: number): number {
  const more = Math.floor(failures) - FREE_FAILURES;
  return more < 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** more);
}
